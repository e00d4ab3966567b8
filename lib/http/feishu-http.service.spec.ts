import { jest } from '@jest/globals';
import { Readable } from 'node:stream';
import { FakeTokens } from '../../test/fixtures/fake-tokens.js';
import { TestClock } from '../testing/test-clock.js';
import { FeishuHttpService, type FeishuRequestInit } from './feishu-http.service.js';

const ORIGIN = 'https://open.feishu.cn';
const PATH = '/open-apis/im/v1/messages';

const answer = (code: number, status = 200): Response => Response.json({ code, msg: 'told' }, { status });
const rejection = (status = 400): Response => answer(99991663, status);

/** A service with fake tokens, and an API that records requests and returns the given answers in order. */
function setUp(tokens: FakeTokens, ...answers: (Response | Error)[]) {
  const sent: { url: string; init: RequestInit; bearer: string | null }[] = [];
  const fetch: typeof globalThis.fetch = async (url, init = {}) => {
    sent.push({ url: url as string, init, bearer: new Headers(init.headers).get('authorization') });
    const next = answers.shift() ?? answer(0);
    if (next instanceof Error) throw next;
    return next;
  };
  const service = new FeishuHttpService({
    tokens,
    openOrigin: ORIGIN,
    fetch,
    clock: new TestClock(),
  });
  return { service, sent, bearers: () => sent.map(({ bearer }) => bearer) };
}

describe('FeishuHttpService', () => {
  describe('the call', () => {
    it("sends the tenant's token by default and does not await a held one", async () => {
      const tokens = new FakeTokens('t-1');
      const { service, sent } = setUp(tokens);
      const response = await service.fetch(`${PATH}?a=b`);
      expect(await response.json()).toEqual({ code: 0, msg: 'told' });
      expect(sent).toMatchObject([{ url: `${ORIGIN}${PATH}?a=b`, bearer: 'Bearer t-1' }]);
      expect(tokens.handles).toEqual([{ kind: 'tenant' }]);
      expect(tokens.gets).toHaveLength(0);
    });

    it.each([{ kind: 'app' } as const, { kind: 'tenant', tenantKey: 'tk' } as const])(
      'sends the token of %j',
      async (as) => {
        const tokens = new FakeTokens('t-1');
        const { service, sent } = setUp(tokens);
        await service.fetch(PATH, { as });
        expect(tokens.handles).toEqual([as]);
        expect(sent[0]?.init).not.toHaveProperty('as');
      },
    );

    it('waits for a missing token until the caller aborts', async () => {
      const tokens = new FakeTokens('t-1');
      tokens.isHeld = false;
      const { signal } = new AbortController();
      const { service, bearers } = setUp(tokens);
      await service.fetch(PATH, { signal });
      expect(bearers()).toEqual(['Bearer t-1']);
      expect(tokens.gets).toEqual([{ signal }]);
    });

    it('sends nothing without a token', async () => {
      const { service, sent } = setUp(new FakeTokens(new Error('no token')));
      await expect(service.fetch(PATH)).rejects.toThrow('no token');
      expect(sent).toHaveLength(0);
    });

    it('sends nothing to another origin and reads no token', async () => {
      const tokens = new FakeTokens('t-1');
      const { service, sent } = setUp(tokens);
      await expect(service.fetch('https://evil.com/x')).rejects.toMatchObject({
        code: 'ERR_FEISHU_INVALID_ARGUMENT',
      });
      expect(sent).toHaveLength(0);
      expect(tokens.handles).toHaveLength(0);
    });

    it("passes on other options and does not change the caller's init", async () => {
      const body = Buffer.from('bytes');
      const { signal } = new AbortController();
      const init: FeishuRequestInit = Object.freeze({
        method: 'PUT',
        headers: Object.freeze({ 'X-Own': '1' }),
        body,
        signal,
        as: Object.freeze({ kind: 'app' as const }),
      });
      const { service, sent } = setUp(new FakeTokens('t-1', 't-2'), rejection());
      await service.fetch(PATH, init);
      expect(sent).toHaveLength(2);
      for (const { init: request } of sent) {
        expect(request).toMatchObject({ method: 'PUT', signal });
        expect(request.body).toBe(body);
        expect(new Headers(request.headers).get('x-own')).toBe('1');
      }
      expect(init.headers).toEqual({ 'X-Own': '1' });
    });

    it.each([
      ['an object', { authorization: 'Bearer u-own' }],
      ['another casing', { AUTHORIZATION: 'Bearer u-own' }],
      ['Headers', new Headers({ Authorization: 'Bearer u-own' })],
      ['an array', [['Authorization', 'Bearer u-own']] as [string, string][]],
    ])("leaves the caller's own Authorization alone: %s", async (_form, headers) => {
      const tokens = new FakeTokens('t-1', 't-2');
      const { service, bearers } = setUp(tokens, rejection());
      const response = await service.fetch(PATH, { headers });
      expect(response.status).toBe(400);
      expect(bearers()).toEqual(['Bearer u-own']);
      expect(tokens.handles).toHaveLength(0);
      expect(tokens.invalidations).toHaveLength(0);
    });

    it("calls the configured fetch without a 'this' value", async () => {
      const receivers: unknown[] = [];
      async function fetch(this: unknown): Promise<Response> {
        receivers.push(this);
        return answer(0);
      }
      await new FeishuHttpService({ tokens: new FakeTokens('t-1'), openOrigin: ORIGIN, fetch }).fetch(PATH);
      expect(receivers).toEqual([undefined]);
    });
  });

  describe('a rejected token', () => {
    it.each([
      [99991663, 400],
      [99991664, 400],
      [99991665, 400],
      [99991663, 200],
      [99991663, 401],
    ])('is replaced after code %i on HTTP %i, and the call replayed once', async (code, status) => {
      const tokens = new FakeTokens('t-1', 't-2');
      const as = { kind: 'tenant', tenantKey: 'tk' } as const;
      const { service, bearers } = setUp(tokens, answer(code, status));
      const response = await service.fetch(PATH, { method: 'POST', body: 'text', as });
      expect(await response.json()).toMatchObject({ code: 0 });
      expect(bearers()).toEqual(['Bearer t-1', 'Bearer t-2']);
      expect(tokens.invalidations).toEqual([{ query: as, rejected: 't-1', wasCurrent: true }]);
      expect(tokens.handles).toEqual([as, as]);
    });

    it('is replayed with the same identity after the caller changes the object', async () => {
      const tokens = new FakeTokens('t-1', 't-2');
      const as: { kind: 'tenant'; tenantKey: string } = { kind: 'tenant', tenantKey: 'tk' };
      const { service } = setUp(tokens, rejection());
      const call = service.fetch(PATH, { as });
      as.tenantKey = 'another';
      await call;
      expect(tokens.handles.map((query) => (query as typeof as).tenantKey)).toEqual(['tk', 'tk']);
      expect(tokens.invalidations[0]?.query).toMatchObject({ tenantKey: 'tk' });
    });

    it.each([
      ['string', 'text'],
      ['Buffer', Buffer.from('text')],
      ['URLSearchParams', new URLSearchParams('a=b')],
      ['FormData', new FormData()],
      ['Blob', new Blob(['text'])],
    ])('a %s is sent again', async (_kind, body) => {
      const { service, sent } = setUp(new FakeTokens('t-1', 't-2'), rejection());
      await service.fetch(PATH, { method: 'POST', body });
      expect(sent.map(({ init }) => init.body)).toEqual([body, body]);
    });

    it.each<[string, unknown]>([
      ['ReadableStream', new ReadableStream()],
      ['Node stream', Readable.from(['text'])],
    ])('#34 a %s is not: the token is dropped, and the answer is the answer', async (_kind, body) => {
      const tokens = new FakeTokens('t-1', 't-2');
      const first = rejection();
      const { service, sent } = setUp(tokens, first);
      expect(
        await service.fetch(PATH, { method: 'POST', body: body as ReadableStream, duplex: 'half' }),
      ).toBe(first);
      expect(sent).toHaveLength(1);
      expect(tokens.invalidations).toMatchObject([{ rejected: 't-1', wasCurrent: true }]);
    });

    it('is replayed once; the answer to the new token is returned', async () => {
      const tokens = new FakeTokens('t-1', 't-2', 't-3');
      const second = rejection();
      const { service, bearers } = setUp(tokens, rejection(), second);
      expect(await service.fetch(PATH)).toBe(second);
      expect(bearers()).toEqual(['Bearer t-1', 'Bearer t-2']);
      expect(tokens.invalidations).toHaveLength(1);
    });

    it('#31 is replayed with a newer token that is already held', async () => {
      const tokens = new FakeTokens('t-1', 't-2');
      const { service, bearers } = setUp(tokens, rejection(), rejection());
      await Promise.all([service.fetch(PATH), service.fetch(PATH)]);
      expect(bearers()).toEqual(['Bearer t-1', 'Bearer t-1', 'Bearer t-2', 'Bearer t-2']);
      expect(tokens.invalidations.map(({ wasCurrent }) => wasCurrent)).toEqual([true, false]);
    });

    it('#32 is replayed once if Feishu grants the same token; the second answer is returned', async () => {
      const [first, second] = [rejection(), rejection()];
      const { service, sent } = setUp(new FakeTokens('t-1', 't-1'), first, second);
      expect(await service.fetch(PATH)).toBe(second);
      expect(sent).toHaveLength(2);
    });

    it('without a replacement returns the unread answer', async () => {
      const first = rejection();
      const { service } = setUp(new FakeTokens('t-1', new Error('platform down')), first);
      expect(await service.fetch(PATH)).toBe(first);
      expect(await first.json()).toMatchObject({ code: 99991663 });
    });

    it('returns the unread answer if the invalidation fails', async () => {
      const tokens = new FakeTokens('t-1');
      jest.spyOn(tokens, 'invalidate').mockRejectedValue(new Error('closed'));
      const first = rejection();
      const { service } = setUp(tokens, first);
      expect(await service.fetch(PATH)).toBe(first);
    });

    it('rejects if the replay fails, because Feishu may have processed it', async () => {
      const { service } = setUp(new FakeTokens('t-1', 't-2'), rejection(), new TypeError('fetch failed'));
      await expect(service.fetch(PATH)).rejects.toThrow('fetch failed');
    });

    it('frees the connection of the first answer', async () => {
      const cancelled = jest.fn<() => void>();
      const bytes = new TextEncoder().encode('{"code":99991663,');
      const body = new ReadableStream({ start: (own) => own.enqueue(bytes), cancel: cancelled });
      const first = new Response(body, { status: 400, headers: { 'content-type': 'application/json' } });
      const { service } = setUp(new FakeTokens('t-1', 't-2'), first);
      await service.fetch(PATH);
      expect(cancelled).toHaveBeenCalledTimes(1);
    });

    it('rejects when the caller aborts during the replacement', async () => {
      const tokens = new FakeTokens('t-1', 't-2');
      const controller = new AbortController();
      const reason = new Error('gave up');
      jest.spyOn(tokens, 'invalidate').mockImplementation(() => {
        controller.abort(reason);
        return new Promise(() => undefined);
      });
      const { service, sent } = setUp(tokens, rejection());
      await expect(service.fetch(PATH, { signal: controller.signal })).rejects.toBe(reason);
      expect(sent).toHaveLength(1);
    });

    it('is kept if another origin, which did not receive it, answers with a rejection', async () => {
      const tokens = new FakeTokens('t-1', 't-2');
      const away = new Response(null, { status: 307, headers: { location: 'https://elsewhere.example/x' } });
      const { service, bearers } = setUp(tokens, away, rejection());
      expect((await service.fetch(PATH)).status).toBe(400);
      expect(bearers()).toEqual(['Bearer t-1', null]);
      expect(tokens.invalidations).toHaveLength(0);
    });
  });

  describe('#34 an answer that is not about the token', () => {
    it.each([
      ['scope', 99991672, 400],
      ['rate limit', 99991400, 429],
      ['rate limit of older APIs', 99991400, 400],
      ['a missing header', 99991661, 400],
      ["a user's token", 99991668, 400],
      ['forbidden', 1, 403],
      ['internal error', 99991644, 500],
    ])('comes back as it is, sent once: %s', async (_what, code, status) => {
      const tokens = new FakeTokens('t-1', 't-2');
      const first = answer(code, status);
      const { service, sent } = setUp(tokens, first);
      expect(await service.fetch(PATH)).toBe(first);
      expect(first.bodyUsed).toBe(false);
      expect(sent).toHaveLength(1);
      expect(tokens.invalidations).toHaveLength(0);
    });

    it('includes HTTP 401 without a code and a rejection in plain text', async () => {
      const tokens = new FakeTokens('t-1', 't-2');
      const { service, sent } = setUp(
        tokens,
        new Response('Unauthorized', { status: 401 }),
        new Response('{"code":99991663}', { status: 400, headers: { 'content-type': 'text/plain' } }),
      );
      await service.fetch(PATH);
      await service.fetch(PATH);
      expect(sent).toHaveLength(2);
      expect(tokens.invalidations).toHaveLength(0);
    });
  });
});
