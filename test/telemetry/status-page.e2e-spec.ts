import { type CanActivate, type ExecutionContext, Injectable, type INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import {
  FeishuAuthModule,
  type StatusPageOptions,
  type StatusSnapshot,
  TokenService,
} from '../../lib/index.js';
import { type FeishuEmulator } from '../../lib/testing/index.js';
import { SELF_BUILT, startPlatform } from '../fixtures/feishu-platform.js';

@Injectable()
class OperatorGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return (
      context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-operator'] === 'yes'
    );
  }
}

const AS_OPERATOR = { headers: { 'x-operator': 'yes' } };
let emulator: FeishuEmulator;

async function startApp(
  adapter: 'express' | 'fastify',
  statusPage: StatusPageOptions = { path: 'ops/tokens', guards: [OperatorGuard] },
): Promise<INestApplication> {
  const options = { ...SELF_BUILT, domain: emulator.domain, prewarm: false } as const;
  const moduleRef = await Test.createTestingModule({
    imports: [
      FeishuAuthModule.forRoot({ ...options, statusPage }),
      FeishuAuthModule.forRoot({ ...options, name: 'eu' }),
    ],
  }).compile();
  const app =
    adapter === 'express'
      ? moduleRef.createNestApplication({ logger: false })
      : moduleRef.createNestApplication(new FastifyAdapter(), { logger: false });
  app.setGlobalPrefix('api');
  await app.listen(0, '127.0.0.1');
  return app;
}

beforeAll(async () => {
  emulator = await startPlatform();
});
afterAll(() => emulator.stop());

describe.each(['express', 'fastify'] as const)('the status page on %s', (adapter) => {
  let app: INestApplication;
  let url: string;

  beforeAll(async () => {
    app = await startApp(adapter);
    url = `${await app.getUrl()}/api/ops/tokens`;
  });
  afterAll(() => app.close());

  it.each(['', '/snapshot', '/events'])('refuses %p to a caller that the guard refuses', async (path) => {
    expect((await fetch(`${url}${path}`)).status).toBe(403);
  });

  it('is complete without JavaScript, and allows nothing but its own script and styles', async () => {
    await app.get(TokenService).getTenantAccessToken();
    const response = await fetch(url, AS_OPERATOR);
    const text = await response.text();
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const policy = response.headers.get('content-security-policy') ?? '';
    const nonce = /script-src 'nonce-([\w-]+)'/.exec(policy)?.[1] ?? 'none';
    expect(policy).toContain("default-src 'none'");
    expect(text.match(/<script[^>]*>/g)).toEqual([`<script nonce="${nonce}">`]);
    expect(text.match(/<style[^>]*>/g)).toEqual([`<style nonce="${nonce}">`]);
    expect(text).not.toMatch(/ style=| on\w+=|https?:\/\//);
    expect(text).toContain('Healthy');
    expect(text).toContain('tenant token: ends in 1 h 59 min');
  });

  it('gives all instances of the application as JSON, without a token or a secret', async () => {
    const token = await app.get(TokenService).getTenantAccessToken();
    const response = await fetch(`${url}/snapshot`, AS_OPERATOR);
    const text = await response.text();
    const { instances, process: host } = JSON.parse(text) as StatusSnapshot;
    expect(instances.map(({ metrics }) => metrics.instance)).toEqual(['default', 'eu']);
    expect(instances[0]?.health.status).toBe('up');
    expect(instances[0]?.tokens[0]).toMatchObject({ kind: 'tenant', holder: 'own' });
    expect(host).toMatchObject({ pid: process.pid, node: process.version });
    expect(text).not.toContain(token);
    expect(text).not.toContain(SELF_BUILT.appSecret);
  });

  it('lists a failed renewal with its code, log id and time of the next attempt', async () => {
    emulator.faults.add({ times: 1, code: 10015 });
    const tokens = app.get(TokenService);
    await tokens.invalidate({ kind: 'tenant' }, await tokens.getTenantAccessToken());
    await tokens.getTenantAccessToken().catch(() => undefined);
    const { instances } = (await (await fetch(`${url}/snapshot`, AS_OPERATOR)).json()) as StatusSnapshot;
    expect(instances[0]?.failures[0]).toMatchObject({
      kind: 'tenant',
      code: 'ERR_FEISHU_CREDENTIALS_REJECTED',
      feishuCode: 10015,
      logId: expect.any(String) as string,
      retryAt: expect.any(String) as string,
    });
  });
});

it.each(['express', 'fastify'] as const)(
  '#77 closes within its grace with 5 open streams on %s',
  async (adapter) => {
    const app = await startApp(adapter, { path: 'ops', public: true });
    const url = `${await app.getUrl()}/api/ops/events`;
    const streams = await Promise.all(Array.from({ length: 5 }, () => fetch(url)));
    const first = await streams[0]?.body?.getReader().read();
    expect(new TextDecoder().decode(first?.value)).toContain('event: snapshot');
    await app.close();
    const ends = streams.slice(1).map(async ({ body }) => {
      for await (const _ of body ?? []);
      return 'ended';
    });
    expect(await Promise.all(ends)).toEqual(Array.from({ length: 4 }, () => 'ended'));
  },
);

describe('a status page in production', () => {
  const environment = process.env['NODE_ENV'];
  beforeEach(() => {
    process.env['NODE_ENV'] = 'production';
  });
  afterEach(() => {
    process.env['NODE_ENV'] = environment;
  });

  it('is refused without guards', () => {
    expect(() => FeishuAuthModule.forRoot({ ...SELF_BUILT, statusPage: { path: 'status' } })).toThrow(
      /`statusPage` has no guards.*pass `guards/,
    );
  });

  it.each([{ guards: [OperatorGuard] }, { public: true }])('is accepted with %p', (access) => {
    expect(() =>
      FeishuAuthModule.forRoot({ ...SELF_BUILT, statusPage: { path: 'status', ...access } }),
    ).not.toThrow();
  });
});
