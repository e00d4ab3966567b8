import { inspect } from 'node:util';
import { FeishuAuthError, type FeishuAuthErrorCode } from '../errors/feishu-auth.error.js';
import { TestClock } from '../testing/test-clock.js';
import { FeishuPlatformClient, type PlatformAnswer } from './feishu-platform.client.js';
import { type AppType } from './app-type.js';

const PATH = '/open-apis/auth/v3/tenant_access_token/internal';
const SECRET = 'the-secret-of-the-app';
const TICKET = 'ticket-1234567890';
const BODY = { app_id: 'cli_a1b2c3', app_secret: SECRET, app_ticket: TICKET };
const TIMEOUT_MS = 5_000;
const HTML = '<html><body><h1>Not here</h1></body></html>';

const never = (): Promise<never> => new Promise(() => undefined);

function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

describe('FeishuPlatformClient', () => {
  let clock: TestClock;
  let requests: { url: string; init: RequestInit }[];
  let answer: (init: RequestInit) => unknown;

  beforeEach(() => {
    clock = new TestClock();
    requests = [];
    answer = () => json({ code: 0, msg: 'ok', expire: 7_200 });
  });
  afterEach(() => {
    // oxlint-disable-next-line jest/no-standalone-expect -- holds after each of these
    expect(clock.pendingTimers).toBe(0);
  });

  function post(options: { appType?: AppType; signal?: AbortSignal } = {}): Promise<PlatformAnswer> {
    const client = new FeishuPlatformClient({
      openOrigin: 'https://open.feishu.cn',
      appType: options.appType ?? 'self-built',
      requestTimeoutMs: TIMEOUT_MS,
      clock,
      secrets: [SECRET],
      // Not async, so that the client sees a synchronous throw of a custom fetch.
      fetch: ((url: string, init: RequestInit) => {
        requests.push({ url, init });
        return answer(init);
      }) as typeof globalThis.fetch,
    });
    return client.post(PATH, BODY, options.signal ?? new AbortController().signal);
  }

  async function failure(options?: Parameters<typeof post>[0]): Promise<FeishuAuthError> {
    const error = await post(options).catch((caught: unknown) => caught);
    if (!(error instanceof FeishuAuthError)) throw new Error(`no FeishuAuthError: ${String(error)}`);
    for (const text of [error.message, JSON.stringify(error), inspect(error, { depth: 9 })]) {
      expect(text).not.toContain(SECRET);
      expect(text).not.toContain(TICKET);
    }
    return error;
  }

  it('POSTs JSON to the open host and follows no redirect', async () => {
    await post();
    expect(requests).toHaveLength(1);
    const [{ url, init } = { url: '', init: {} }] = requests;
    expect(url).toBe(`https://open.feishu.cn${PATH}`);
    expect(init).toMatchObject({
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json; charset=utf-8' },
    });
    expect(JSON.parse(init.body as string)).toEqual(BODY);
  });

  it('returns the body and both clocks before the request', async () => {
    const startedAt = clock.now();
    const startedMonotonic = clock.monotonic();
    answer = async () => {
      await clock.sleep(700);
      return json({ code: 0, expire: 7_200 }, 200, { 'x-tt-logid': '2026-a' });
    };
    const posted = post();
    await clock.advance(700);
    expect(await posted).toEqual({
      body: { code: 0, expire: 7_200 },
      startedAt,
      startedMonotonic,
      logId: '2026-a',
    });
  });

  describe('the code of an answer', () => {
    it.each<[number, FeishuAuthErrorCode, retryable: boolean]>([
      ...[10003, 10005, 10014, 10015, 20002, 20048, 99991543].map(
        (code) => [code, 'ERR_FEISHU_CREDENTIALS_REJECTED', false] as [number, FeishuAuthErrorCode, boolean],
      ),
      [99991665, 'ERR_FEISHU_TENANT_REJECTED', false],
      [99991400, 'ERR_FEISHU_RATE_LIMITED', true],
      ...[2200, 1500, 1642, 1663, 1668, 5000, 10101, 10500, 424_242].map(
        (code) => [code, 'ERR_FEISHU_PLATFORM_UNAVAILABLE', true] as [number, FeishuAuthErrorCode, boolean],
      ),
    ])('%i is %s', async (feishuCode, code, retryable) => {
      for (const status of [200, 400, 500]) {
        answer = () => json({ code: feishuCode, msg: 'no' }, status);
        expect(await failure()).toMatchObject({ code, retryable, feishuCode });
      }
    });

    it('10012 is a stale ticket for a store app and retryable', async () => {
      answer = () => json({ code: 10012, msg: 'app ticket invalid' });
      expect(await failure({ appType: 'store' })).toMatchObject({
        code: 'ERR_FEISHU_APP_TICKET_MISSING',
        retryable: true,
      });
      expect(await failure()).toMatchObject({ code: 'ERR_FEISHU_CREDENTIALS_REJECTED', retryable: false });
    });

    it.each([[null], [42], [{ text: 'no' }]])('decides if msg is %j', async (msg) => {
      answer = () => json({ code: 10014, msg });
      expect(await failure()).toMatchObject({ code: 'ERR_FEISHU_CREDENTIALS_REJECTED', feishuCode: 10014 });
    });

    it('is in the message with the text of Feishu and a hint', async () => {
      answer = () => json({ code: 10014, msg: 'app secret invalid' });
      expect((await failure()).message).toMatch(
        /^POST \/open-apis\/\S+: Feishu answered code 10014 \("app secret invalid"\): check appId and appSecret/,
      );
    });

    it('is in the message without a secret that Feishu quotes', async () => {
      answer = () => json({ code: 10003, msg: `bad app_secret ${SECRET}, app_ticket ${TICKET}` });
      expect((await failure()).message).toContain('bad app_secret [redacted]');
    });

    it('is in the message with the start of a long text', async () => {
      answer = () => json({ code: 10003, msg: 'x'.repeat(10_000) });
      expect((await failure()).message.length).toBeLessThan(500);
    });
  });

  describe('an answer that Feishu did not write', () => {
    it.each<[string, () => Response]>([
      ['404 with HTML', () => new Response(HTML, { status: 404 })],
      ['200 with HTML', () => new Response(HTML)],
      ['200 with nothing', () => new Response('')],
      ['204', () => new Response(null, { status: 204 })],
      ['200 with half of its JSON', () => new Response('{"code":0,"tenant_access')],
      ['200 with JSON without a code', () => json({ ok: true })],
      ['200 with a code in words', () => json({ code: '0', msg: 'ok' })],
      ['200 with a list', () => json([])],
      ['200 with null', () => json(null)],
      ['200 with NaN in it', () => new Response('{"code":0,"expire":NaN}')],
      ['403 of a proxy', () => new Response('blocked', { status: 403 })],
      ['400 with code 0', () => json({ code: 0 }, 400)],
      ['301', () => new Response(null, { status: 301, headers: { location: 'https://elsewhere.example/' } })],
      ['302 with code 0', () => json({ code: 0 }, 302, { location: 'https://elsewhere.example/' })],
      ['307', () => new Response(null, { status: 307, headers: { location: 'http://open.feishu.cn/' } })],
      ['a huge body', () => json({ code: 0, expire: 7_200, padding: 'x'.repeat(70_000) })],
    ])('%s is ERR_FEISHU_MALFORMED_RESPONSE', async (_, respond) => {
      answer = respond;
      const error = await failure();
      expect(error).toMatchObject({ code: 'ERR_FEISHU_MALFORMED_RESPONSE', retryable: true });
      expect(error.message).toMatch(/HTTP \d+ without the documented JSON; check the option domain/);
      expect(error.message).not.toContain('<html>');
      expect(requests).toHaveLength(1);
    });

    it.each<[string, () => Response]>([
      ['502 with HTML', () => new Response(HTML, { status: 502 })],
      ['503 with nothing', () => new Response('', { status: 503 })],
      ['500 with JSON of somebody else', () => json({ error: 'oops' }, 500)],
      ['504 with code 0', () => json({ code: 0 }, 504)],
    ])('%s is ERR_FEISHU_PLATFORM_UNAVAILABLE', async (_, respond) => {
      answer = respond;
      const error = await failure();
      expect(error).toMatchObject({ code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE', retryable: true });
      expect(error.message).toMatch(/HTTP 50\d/);
    });

    it('429 with an unknown code is ERR_FEISHU_RATE_LIMITED', async () => {
      answer = () => json({ code: 424242, msg: 'slow down' }, 429, { 'x-ogw-ratelimit-reset': '9' });
      await expect(post()).rejects.toMatchObject({ code: 'ERR_FEISHU_RATE_LIMITED', feishuCode: 424242 });
    });

    it('429 of a gateway is ERR_FEISHU_RATE_LIMITED', async () => {
      answer = () => new Response(HTML, { status: 429, headers: { 'retry-after': '7' } });
      const error = await failure();
      expect(error).toMatchObject({ code: 'ERR_FEISHU_RATE_LIMITED', retryable: true });
      expect(error.retryAt?.getTime()).toBe(clock.now() + 7_000);
    });
  });

  describe('retryAt', () => {
    it.each<[string, Record<string, string>, seconds: number | undefined]>([
      ['the reset', { 'x-ogw-ratelimit-reset': '30' }, 30],
      ['Retry-After', { 'retry-after': '12' }, 12],
      ['the reset rather than Retry-After', { 'x-ogw-ratelimit-reset': '30', 'retry-after': '12' }, 30],
      ['at least a second', { 'x-ogw-ratelimit-reset': '0' }, 1],
      ['at least a second', { 'x-ogw-ratelimit-reset': '-5' }, 1],
      ['at most five minutes', { 'x-ogw-ratelimit-reset': '86400' }, 300],
      [
        'Retry-After if the reset is not a number',
        { 'x-ogw-ratelimit-reset': 'soon', 'retry-after': '12' },
        12,
      ],
      ['nothing for a date', { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, undefined],
      ['nothing without a header', {}, undefined],
    ])('is %s: %j', async (_, headers, seconds) => {
      for (const code of [99991400, 2200]) {
        answer = () => json({ code, msg: 'too often' }, 429, headers);
        const { retryAt } = await failure();
        expect(retryAt?.getTime()).toBe(seconds === undefined ? undefined : clock.now() + seconds * 1_000);
      }
      answer = () => new Response('', { status: 503, headers });
      const { retryAt } = await failure();
      expect(retryAt?.getTime()).toBe(seconds === undefined ? undefined : clock.now() + seconds * 1_000);
    });

    it('is not set if the configuration must change', async () => {
      answer = () => json({ code: 10014 }, 200, { 'retry-after': '12' });
      expect((await failure()).retryAt).toBeUndefined();
    });
  });

  describe('the log id', () => {
    it.each([
      [{ 'x-tt-logid': 'a', 'x-request-id': 'b' }, 'a'],
      [{ 'x-request-id': 'b' }, 'b'],
      [{}, undefined],
    ])('of an answer with %j is %s', async (headers, logId) => {
      answer = () => json({ code: 0 }, 200, headers);
      expect((await post()).logId).toBe(logId);
      for (const respond of [
        () => json({ code: 10014 }, 200, headers),
        () => json({ code: 99991400 }, 429, headers),
        () => new Response(HTML, { status: 502, headers }),
        () => new Response(HTML, { status: 404, headers }),
      ]) {
        answer = respond;
        expect((await failure()).logId).toBe(logId);
      }
    });
  });

  describe('no answer', () => {
    it.each<[string, () => unknown]>([
      ['rejects', () => Promise.reject(new TypeError('fetch failed'))],
      ['rejects with undefined', () => Promise.reject(undefined)],
      ['rejects with text', () => Promise.reject(`no route for ${SECRET}`)],
      [
        'throws at once',
        () => {
          throw new Error('synchronous');
        },
      ],
      ['returns undefined', () => undefined],
      ['resolves undefined', () => Promise.resolve(undefined)],
      ['resolves null', () => Promise.resolve(null)],
      ['resolves an object', () => Promise.resolve({ status: 200 })],
    ])('is ERR_FEISHU_PLATFORM_UNAVAILABLE when fetch %s', async (_, behaviour) => {
      answer = behaviour;
      expect(await failure()).toMatchObject({
        code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE',
        retryable: true,
        message: `POST ${PATH}: the request failed; check network, proxy and domain`,
      });
    });

    it('is ERR_FEISHU_PLATFORM_UNAVAILABLE when the body breaks off', async () => {
      answer = () => {
        const stream = new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode('{"code":'));
            controller.error(new Error('terminated'));
          },
        });
        return new Response(stream);
      };
      expect(await failure()).toMatchObject({ code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE', retryable: true });
    });

    it('has a cause without the secrets that it quotes', async () => {
      const cause = Object.assign(new Error(`connect ECONNRESET while sending ${SECRET}`), {
        code: 'ECONNRESET',
      });
      answer = () => Promise.reject(new TypeError(`fetch failed: ${TICKET}`, { cause }));
      const error = await failure();
      expect(error.cause).toMatchObject({
        name: 'TypeError',
        message: 'fetch failed: [redacted]',
        cause: { code: 'ECONNRESET', message: 'connect ECONNRESET while sending [redacted]' },
      });
    });

    it('ends with circular causes', async () => {
      const cause = new Error('in a circle');
      cause.cause = cause;
      answer = () => Promise.reject(cause);
      expect(await failure()).toMatchObject({ code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE' });
    });

    it('passes on an error of this module unchanged', async () => {
      const own = new FeishuAuthError('ERR_FEISHU_INVALID_ARGUMENT', 'asked from within');
      answer = () => Promise.reject(own);
      expect(await failure()).toBe(own);
    });
  });

  describe('a timeout or an abort', () => {
    it.each<[string, () => unknown]>([
      ['fetch never answers', never],
      ['the body never ends', () => ({ status: 200, headers: new Headers(), text: never })],
    ])('comes at the timeout when %s, and ends the request', async (_, behaviour) => {
      answer = behaviour;
      let outcome: FeishuAuthError | undefined;
      const failed = failure().then((error) => (outcome = error));
      await clock.advance(TIMEOUT_MS - 1);
      expect(outcome).toBeUndefined();
      expect(requests[0]?.init.signal?.aborted).toBe(false);
      await clock.advance(1);
      expect(await failed).toMatchObject({
        code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE',
        retryable: true,
        message: `POST ${PATH}: no answer within ${TIMEOUT_MS} ms`,
      });
      expect(requests[0]?.init.signal?.aborted).toBe(true);
    });

    it('rejects with the reason of the abort and ends the request', async () => {
      answer = never;
      const controller = new AbortController();
      const posted = post({ signal: controller.signal }).catch((error: unknown) => error);
      await clock.advance(10);
      const reason = new Error('superseded');
      controller.abort(reason);
      expect(await posted).toBe(reason);
      expect(requests[0]?.init.signal?.aborted).toBe(true);
    });

    it('ignores a later result of fetch', async () => {
      let reject!: (error: Error) => void;
      answer = () => new Promise((_, fail) => (reject = fail));
      const failed = failure();
      await clock.advance(TIMEOUT_MS);
      reject(new Error('aborted'));
      expect((await failed).message).toContain('no answer within');
    });
  });
});
