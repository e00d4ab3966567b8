import { RefreshLock } from '../../lib/lock/refresh-lock.js';
import { TestClock } from '../../lib/testing/test-clock.js';
import { FakeStore } from '../fixtures/fake-store.js';
import { healthOf, rejectionOf } from '../fixtures/observation.js';
import { MINUTE } from '../fixtures/renewal.js';
import { ScriptedPlatform } from '../fixtures/scripted-platform.js';
import { TokenWorld, type TokenWorldOptions } from '../fixtures/token-world.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';
import { inspect } from 'node:util';

const TENANT = { kind: 'tenant' } as const;
const SECRET = 'the-secret-of-the-app';
const TICKET = 'the-app-ticket-of-the-test';

describe('secrets', () => {
  expectNoUnhandledRejections();

  /** Everything that a logger, an error reporter or a debugger could make of a value. */
  function everythingOf(value: unknown): string {
    const parts = [inspect(value, { showHidden: true, depth: Infinity, getters: true }), String(value)];
    parts.push(JSON.stringify(value) ?? '');
    for (let error = value, depth = 0; error instanceof Error && depth < 10; error = error.cause, depth++) {
      parts.push(
        error.message,
        String(error.stack),
        JSON.stringify(error, Object.getOwnPropertyNames(error)),
      );
    }
    return parts.join('\n');
  }

  /** As axios does it: the error has the whole request in it, and its message quotes it as well. */
  function httpClientError(url: unknown, body: string): Error {
    const config = { url, data: body, headers: { authorization: `Bearer ${body}` } };
    const socket = Object.assign(new Error(`write EPIPE of ${body}`), { code: 'EPIPE', config });
    return Object.assign(new Error(`Request failed: ${body}`, { cause: socket }), {
      name: 'AxiosError',
      code: 'ERR_NETWORK',
      config,
      request: { body },
      response: { data: body },
      toJSON: () => ({ config }),
    });
  }

  const quoting: readonly (readonly [string, (url: unknown, body: string) => Promise<Response> | never])[] = [
    ['rejects with the request in it', (url, body) => Promise.reject(httpClientError(url, body))],
    [
      'throws with the request in it',
      (url, body) => {
        throw httpClientError(url, body);
      },
    ],
    ['rejects with a text', (_, body) => Promise.reject(body)],
    ['rejects with an object', (_, body) => Promise.reject({ body, message: body })],
    [
      'rejects with an aggregate',
      (url, body) => Promise.reject(new AggregateError([httpClientError(url, body)], body)),
    ],
    [
      'rejects with an error that is its own cause',
      (_, body) => {
        const e = new Error(body);
        e.cause = e;
        return Promise.reject(e);
      },
    ],
    [
      'breaks off while the answer is read',
      (url, body) =>
        Promise.resolve({
          ok: true,
          status: 200,
          headers: new Headers(),
          text: () => Promise.reject(httpClientError(url, body)),
        } as unknown as Response),
    ],
    ['echoes it in msg', (_, body) => reply({ code: 10015, msg: `wrong: ${body}` })],
    ['echoes it in a long msg', (_, body) => reply({ code: 10014, msg: `${'x'.repeat(100)}${body}` })],
    ['echoes it in the msg of a code nobody knows', (_, body) => reply({ code: 123456, msg: body })],
    ['echoes it in the msg of a rate limit', (_, body) => reply({ code: 99991400, msg: body })],
    ['echoes it in the msg of HTTP 500', (_, body) => reply({ code: 2200, msg: body }, 500)],
    ['echoes it as no JSON', (_, body) => Promise.resolve(new Response(`<html>${body}`, { status: 502 }))],
    [
      'echoes it where the token should be',
      (_, body) =>
        reply({ code: 0, tenant_access_token: `\n${body}`, app_access_token: `\n${body}`, expire: 7_200 }),
    ],
    [
      'echoes it where the life should be',
      (_, body) => reply({ code: 0, tenant_access_token: 't', app_access_token: 'a', expire: body }),
    ],
  ];
  const reply = (body: object, status = 200): Promise<Response> =>
    Promise.resolve(new Response(JSON.stringify(body), { status }));

  it.each(quoting)(
    '#51 a fetch that %s: no log, error, metric or health result has a secret',
    async (_, quote) => {
      const clock = new TestClock();
      const platform = new ScriptedPlatform(clock);
      platform.ticket = TICKET;
      let isQuoting = false;
      const fetch: typeof globalThis.fetch = (input, init) =>
        isQuoting ? quote(input, init?.body as string) : platform.fetch(input, init);
      const options = { clock, platform, fetch };
      const selfBuilt = new TokenWorld(options);
      const store = new TokenWorld({ ...options, appType: 'store' });
      const cold = new TokenWorld({ ...options, appType: 'store' });
      await store.engine.tickets.set(TICKET);
      await cold.engine.tickets.set(TICKET);
      const appToken = await store.settle(store.tokens.getAppAccessToken());
      const token = await selfBuilt.settle(selfBuilt.tokens.getTenantAccessToken());
      isQuoting = true;

      const errors = [
        await rejectionOf(selfBuilt.settle(selfBuilt.tokens.getAppAccessToken())),
        await rejectionOf(selfBuilt.settle(selfBuilt.tokens.getAppAccessToken())), // from the memory of it
        await rejectionOf(selfBuilt.settle(selfBuilt.tokens.refresh(TENANT))),
        await rejectionOf(store.settle(store.tokens.getTenantAccessToken({ tenantKey: 'tenant-a' }))),
        await rejectionOf(cold.settle(cold.tokens.getAppAccessToken())),
      ];
      const worlds = [selfBuilt, store, cold];
      const outputs = [
        ...errors,
        ...worlds.map(({ logged }) => logged),
        ...worlds.map(({ tokens }) => tokens.metrics()),
        ...worlds.map(({ tokens }) => tokens.performanceReport()),
        ...(await Promise.all(worlds.map(healthOf))),
      ];
      expect(errors.every(({ code }) => String(code).startsWith('ERR_FEISHU_'))).toBe(true);
      expect(worlds.every(({ logged }) => logged.length > 0)).toBe(true);
      for (const output of outputs) {
        const text = everythingOf(output);
        // A beginning of it is bad enough: messages are cut to a length.
        for (const secret of [SECRET, TICKET, appToken, token]) {
          for (const part of [secret, secret.slice(0, 12)]) {
            expect({ found: text.includes(part), text: text.includes(part) && text }).toEqual({
              found: false,
              text: false,
            });
          }
        }
      }
      for (const world of worlds) await world.close();
    },
  );

  it('#51 a lock and a store whose errors quote their arguments: no secret is shown', async () => {
    class QuotingLock extends RefreshLock {
      acquire(key: string): Promise<never> {
        return Promise.reject(new Error(`${SECRET} ${key}`));
      }
    }
    const clock = new TestClock();
    const store = new FakeStore(clock);
    store.onSet = (_, record) => Promise.reject(new Error(JSON.stringify(record)));
    const world = new TokenWorld({ clock, cache: store.managed, lock: new QuotingLock() });
    const token = await world.settle(world.tokens.getTenantAccessToken());
    await clock.advance(MINUTE);
    world.tokens.logPerformanceMetrics();
    const outputs = [
      world.logged,
      world.tokens.metrics(),
      world.tokens.performanceReport(),
      await healthOf(world),
    ];
    for (const output of outputs) {
      expect(everythingOf(output)).not.toContain(token);
      expect(everythingOf(output)).not.toContain(SECRET);
    }
    await world.close();
  });

  it('#51 the error about an option names the option and not its value', async () => {
    const wrong: readonly TokenWorldOptions[] = [
      { encryptionKeys: [{ id: 'k', key: SECRET }] },
      { appSecret: { value: SECRET } as unknown as string },
      { domain: { open: `https://user:${SECRET}@open.example.com`, accounts: 'https://a.example.com' } },
      { keyPrefix: [SECRET] as unknown as string },
    ];
    for (const options of wrong) {
      const error = await rejectionOf(Promise.resolve().then(() => new TokenWorld(options)));
      expect(error['code']).toBe('ERR_FEISHU_CONFIG_INVALID');
      expect(everythingOf(error)).not.toContain(SECRET);
    }
  });
});
