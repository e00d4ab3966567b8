import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { propertyRuns } from '../../test/fixtures/property-runs.js';
import { envelopeOf, signedRequest, type SignedRequest } from '../testing/emulator-event-body.js';
import { TestClock } from '../testing/test-clock.js';
import { EventVerifier, type Verdict } from './event-verifier.js';

const APP = 'cli_a1b2c3';
const KEYS = { encryptKey: 'an encrypt key', verificationToken: 'a-token' };
const HOUR = 3_600_000;
const EVENT = {
  type: 'im.message.receive_v1',
  tenantKey: 'tenant_a',
  event: { text: '你好' },
  eventId: 'e-1',
};

describe('EventVerifier', () => {
  let clock: TestClock;
  beforeEach(() => {
    clock = new TestClock();
  });

  function verifierOf(options: { encryptKey?: string; verificationToken?: string } = KEYS): EventVerifier {
    const { encryptKey, verificationToken } = options;
    return new EventVerifier({
      appId: APP,
      options: { encryptKey, verificationToken, maxSkewMs: 8 * HOUR },
      clock,
    });
  }
  function verify(request: SignedRequest, verifier = verifierOf()): Verdict {
    return verifier.verify({ headers: request.headers, rawBody: Buffer.from(request.body) });
  }
  const envelope = (event: Parameters<typeof envelopeOf>[1] = EVENT, app = APP): object =>
    envelopeOf(app, event, KEYS, clock.now());
  const signed = (what: object = envelope(), at = clock.now()): SignedRequest =>
    signedRequest(what, KEYS, at);
  const plain = (what: object): SignedRequest => signedRequest(what, {}, clock.now());
  /** Signed, and not encrypted. */
  function signedPlain(what: object): SignedRequest {
    const body = JSON.stringify(what);
    const timestamp = String(Math.floor(clock.now() / 1_000));
    const signature = createHash('sha256').update(`${timestamp}n${KEYS.encryptKey}${body}`).digest('hex');
    return {
      body,
      headers: {
        'x-lark-request-timestamp': timestamp,
        'x-lark-request-nonce': 'n',
        'x-lark-signature': signature,
      },
    };
  }

  describe('with an Encrypt Key', () => {
    it('believes what is signed and encrypted', () => {
      expect(verify(signed())).toMatchObject({
        kind: 'event',
        event: { eventId: 'e-1', eventType: EVENT.type, tenantKey: 'tenant_a', event: { text: '你好' } },
        proof: expect.stringMatching(/^\d{10}\w+$/),
      });
    });

    it('finds its headers in whatever form they come', () => {
      const request = signed();
      const upper = Object.entries(request.headers).map(([name, value]) => [name.toUpperCase(), value]);
      expect(verify({ ...request, headers: Object.fromEntries(upper) as Record<string, string> }).kind).toBe(
        'event',
      );
      const rawBody = Buffer.from(request.body);
      const headers = new Headers(request.headers);
      expect(verifierOf().verify({ headers, rawBody }).kind).toBe('event');
    });

    it('takes a header that was sent twice for none', () => {
      const request = signed();
      const signature = request.headers['x-lark-signature'] ?? '';
      const twice = { ...request.headers, 'x-lark-signature': [signature, signature] };
      const rawBody = Buffer.from(request.body);
      expect(verifierOf().verify({ headers: twice, rawBody })).toEqual({
        kind: 'refused',
        reason: 'signature',
      });
      const both = { ...request.headers, 'X-Lark-Signature': 'f'.repeat(64) };
      expect(verify({ ...request, headers: both })).toMatchObject({ reason: 'signature' });
    });

    it('refuses plaintext even when it is signed', () => {
      expect(verify(signedPlain(envelope()))).toEqual({ kind: 'refused', reason: 'encryption' });
    });

    it('believes no sibling of what is encrypted', () => {
      const { body } = signed();
      const { encrypt } = JSON.parse(body) as { encrypt: string };
      const forgedEnvelope = envelopeOf(APP, { ...EVENT, eventId: 'forged' }, KEYS, clock.now());
      const verdict = verify(signedPlain({ ...forgedEnvelope, encrypt }));
      expect(verdict).toMatchObject({ kind: 'event', event: { eventId: 'e-1' } });
      expect(JSON.stringify(verdict)).not.toContain('forged');
    });

    it.each([
      [0, 'event'],
      [5 * 60_000, 'event'],
      [5 * 60_000 + 1_000, 'timestamp'],
      [-8 * HOUR, 'event'],
      [-8 * HOUR - 1_000, 'timestamp'],
    ])('takes a delivery that is %i ms off for: %s', (offset, expected) => {
      const verdict = verify(signed(envelope(), clock.now() + offset));
      expect(verdict.kind === 'refused' ? verdict.reason : verdict.kind).toBe(expected);
    });

    it('answers an unsigned challenge only if it can be decrypted and has the token', () => {
      const challenge = { type: 'url_verification', challenge: 'c-1', token: KEYS.verificationToken };
      const unsigned = (what: object, key = KEYS.encryptKey): SignedRequest => ({
        headers: {},
        body: signedRequest(what, { encryptKey: key }, clock.now()).body,
      });
      expect(verify(unsigned(challenge))).toEqual({ kind: 'challenge', challenge: 'c-1' });
      expect(verify(unsigned({ ...challenge, token: 'x' }))).toEqual({ kind: 'refused', reason: 'token' });
      expect(verify(unsigned(challenge, 'another key'))).toEqual({ kind: 'refused', reason: 'signature' });
      expect(verify(plain(challenge))).toEqual({ kind: 'refused', reason: 'signature' });
      const long = { ...challenge, more: 'x'.repeat(5_000) };
      expect(verify(unsigned(long))).toEqual({ kind: 'refused', reason: 'signature' });
      const odd = { ...challenge, challenge: 'what was { decrypted }' };
      expect(verify(unsigned(odd))).toEqual({ kind: 'refused', reason: 'signature' });
    });

    it('takes no event for a challenge, nor a challenge for an event', () => {
      const both = { ...envelope(), type: 'url_verification' };
      expect(verify({ headers: {}, body: signed(both).body })).toMatchObject({ kind: 'refused' });
    });
  });

  describe('with a Verification Token only', () => {
    const only = (): EventVerifier => verifierOf({ verificationToken: KEYS.verificationToken });

    it.each(['1.0', '2.0'] as const)('believes what has it, in schema %s', (schema) => {
      expect(verify(plain(envelope({ ...EVENT, schema })), only())).toMatchObject({
        kind: 'event',
        event: { schema },
        proof: undefined,
      });
    });

    it.each([
      ['another token', { ...KEYS, verificationToken: 'b-token' }],
      ['a longer one', { ...KEYS, verificationToken: 'a-token-and-more' }],
      ['none', {}],
    ])('refuses %s', (_name, keys) => {
      const what = envelopeOf(APP, EVENT, keys, clock.now());
      expect(verify(plain(what), only())).toEqual({ kind: 'refused', reason: 'token' });
    });

    it('refuses what it cannot decrypt', () => {
      expect(verify(signed(), only())).toEqual({ kind: 'refused', reason: 'encryption' });
      expect(verify(plain({ ...envelope(), encrypt: 'AAAA' }), only())).toMatchObject({
        reason: 'encryption',
      });
    });

    it('answers a challenge that has it', () => {
      const challenge = { type: 'url_verification', challenge: 'c-1', token: KEYS.verificationToken };
      expect(verify(plain(challenge), only())).toEqual({ kind: 'challenge', challenge: 'c-1' });
      expect(verify(plain({ ...challenge, token: undefined }), only())).toMatchObject({ reason: 'token' });
    });
  });

  describe('whichever it is', () => {
    it.each([
      ['of another app', 'app', (): object => envelope(EVENT, 'cli_another')],
      ['of no app', 'app', (): object => envelopeOf(undefined as unknown as string, EVENT, KEYS, 0)],
      ['of no known schema', 'body', (): object => ({ ...envelope(), schema: '3.0' })],
      ['without an id', 'body', (): object => envelope({ ...EVENT, eventId: '' })],
      ['without a type', 'body', (): object => envelope({ ...EVENT, type: '' })],
      ['without a header', 'body', (): object => ({ schema: '2.0', event: {} })],
      ['that is a list', 'encryption', (): object => [envelope()]],
    ])('refuses an event %s', (_name, reason, what) => {
      expect(verify(signed(what()))).toEqual({ kind: 'refused', reason });
    });

    it('keeps the token to itself', () => {
      for (const schema of ['1.0', '2.0'] as const) {
        const verdict = verify(signed(envelope({ ...EVENT, schema })));
        expect(verdict.kind).toBe('event');
        expect(JSON.stringify(verdict)).not.toContain(KEYS.verificationToken);
      }
    });
  });

  it('accepts no delivery in which anything was changed', () => {
    const verifier = verifierOf();
    const names = ['x-lark-signature', 'x-lark-request-timestamp', 'x-lark-request-nonce'] as const;
    const part = fc.constantFrom('body', 'ciphertext', ...names);
    fc.assert(
      fc.property(part, fc.nat(), fc.integer({ min: 1, max: 255 }), (where, position, flip) => {
        const request = signed();
        const headers: Record<string, string> = { ...request.headers };
        const changed = (value: string): string => flipByte(value, position, flip);
        let rawBody = Buffer.from(request.body);
        if (where === 'body') {
          rawBody[position % rawBody.length] = (rawBody[position % rawBody.length] ?? 0) ^ flip;
        } else if (where === 'ciphertext') {
          const { encrypt } = JSON.parse(request.body) as { encrypt: string };
          const sealed = Buffer.from(encrypt, 'base64');
          sealed[position % sealed.length] = (sealed[position % sealed.length] ?? 0) ^ flip;
          rawBody = Buffer.from(JSON.stringify({ encrypt: sealed.toString('base64') }));
        } else {
          headers[where] = changed(headers[where] ?? '');
          // Hex means the same in capitals.
          const isSame = headers[where].toLowerCase() === request.headers[where]?.toLowerCase();
          fc.pre(where !== 'x-lark-signature' || !isSame);
        }
        expect(verifier.verify({ headers, rawBody }).kind).toBe('refused');
      }),
      propertyRuns(3_000),
    );
  });

  it('accepts no unsigned delivery whose ciphertext was changed, but for the challenge in it', () => {
    const verifier = verifierOf();
    const what = { challenge: 'c-1', token: KEYS.verificationToken, type: 'url_verification' };
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (position, flip) => {
        const { encrypt } = JSON.parse(signed(what).body) as { encrypt: string };
        const sealed = Buffer.from(encrypt, 'base64');
        sealed[position % sealed.length] = (sealed[position % sealed.length] ?? 0) ^ flip;
        const rawBody = Buffer.from(JSON.stringify({ encrypt: sealed.toString('base64') }));
        // CBC without a signature can be bent; what comes of it is never an event.
        expect(verifier.verify({ headers: {}, rawBody }).kind).not.toBe('event');
      }),
      propertyRuns(1_000),
    );
  });
});

function flipByte(value: string, position: number, flip: number): string {
  const at = position % value.length;
  return value.slice(0, at) + String.fromCharCode(value.charCodeAt(at) ^ flip) + value.slice(at + 1);
}
