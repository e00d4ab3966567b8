import {
  type ArgumentsHost,
  type CallHandler,
  Catch,
  Controller,
  type ExecutionContext,
  Get,
  Headers,
  Inject,
  Injectable,
  type INestApplication,
  Module,
  type NestInterceptor,
  Param,
  Res,
  Scope,
  Sse,
  type Type,
  UseInterceptors,
} from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, BaseExceptionFilter, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { concat, from, map, type Observable, of, retry, throwError } from 'rxjs';
import { FeishuAuthModule } from '../lib/feishu-auth.module.js';
import { type FeishuAuthModuleOptions } from '../lib/feishu-auth.options.js';
import { FeishuAuth } from '../lib/request/feishu-auth.decorator.js';
import { FeishuAuthInterceptor } from '../lib/request/feishu-auth.interceptor.js';
import { FeishuToken } from '../lib/request/feishu-token.decorator.js';
import { type FeishuEmulator } from '../lib/testing/feishu-emulator.js';
import { AppTicketService } from '../lib/ticket/app-ticket.service.js';
import { TokenService } from '../lib/token.service.js';
import { type Caller, FeishuApiError, whoAmI } from './fixtures/calling-feishu.js';
import { ECHO, Gate, SELF_BUILT, startPlatform, STORE, TENANT_GRANT } from './fixtures/feishu-platform.js';

const ORIGIN = Symbol('origin of the emulator');
const adapters = { Express: ExpressAdapter, Fastify: FastifyAdapter };

let emulator: FeishuEmulator;
let app: INestApplication;
let url: string;
/** Handlers that ran, in order, and the exceptions that reached the filters. */
let ran: string[];
let thrown: unknown[];
/** Holds handlers back that have their token already. */
let handlersMayGoOn: ((howManyRan: number) => Promise<void>) | undefined;

/** Puts every exception down and leaves the answer to Nest. */
@Catch()
class Witness extends BaseExceptionFilter {
  override catch(exception: unknown, host: ArgumentsHost): void {
    thrown.push(exception);
    // oxlint-disable-next-line promise/valid-params -- no promise
    super.catch(exception, host);
  }
}

const tenantOf = (context: ExecutionContext): string | undefined =>
  context.switchToHttp().getRequest<{ headers: Record<string, string | undefined> }>().headers['x-tenant'];

@Controller('plain')
class PlainController {
  constructor(@Inject(ORIGIN) private readonly origin: string) {}

  @Get('tenant')
  @FeishuAuth()
  tenant(@FeishuToken() token: string): Promise<Caller> {
    ran.push('tenant');
    return whoAmI(this.origin, token);
  }

  @Get('app')
  @FeishuAuth({ kind: 'app' })
  app(@FeishuToken() token: string): Promise<Caller> {
    return whoAmI(this.origin, token);
  }

  @Get('replayed/:id')
  @FeishuAuth({ replay: true })
  async replayed(
    @Param('id') id: string,
    @FeishuToken() token: string,
    @Headers('x-own') own?: string,
  ): Promise<object> {
    ran.push(id);
    await handlersMayGoOn?.(ran.length);
    return { id, own, ...(await whoAmI(this.origin, token)) };
  }

  @Get('observed')
  @FeishuAuth({ replay: true })
  observed(@FeishuToken() token: string): Observable<Caller> {
    ran.push('observed');
    return from(whoAmI(this.origin, token));
  }

  @Get('refused')
  @FeishuAuth({ replay: true })
  refused(@FeishuToken() token: string): Promise<Caller> {
    ran.push('refused');
    return whoAmI(this.origin, token, '/open-apis/emulator/no-tenant-token');
  }

  @Get('by-hand')
  @FeishuAuth({ replay: true })
  async byHand(@FeishuToken() token: string, @Res() response: unknown): Promise<void> {
    ran.push('by-hand');
    const raw = (response as { raw?: NodeJS.WritableStream }).raw ?? (response as NodeJS.WritableStream);
    raw.write('begun;');
    await whoAmI(this.origin, token).finally(() => raw.end('ended'));
  }

  @Sse('events')
  @FeishuAuth({ replay: true })
  events(@FeishuToken() token: string): Observable<{ data: string }> {
    ran.push('events');
    return concat(
      of({ data: 'first' }),
      from(whoAmI(this.origin, token)).pipe(map(() => ({ data: 'called' }))),
    );
  }

  @Sse('events/replayed')
  @FeishuAuth({ replay: true })
  replayedEvents(@FeishuToken() token: string): Observable<{ data: string }> {
    ran.push('events');
    return from(whoAmI(this.origin, token)).pipe(map(({ kind }) => ({ data: kind })));
  }

  @Get('bare')
  bare(@FeishuToken() token: string): string {
    return token;
  }

  @Get('other-instance')
  @FeishuAuth({ name: 'other' })
  otherInstance(): string {
    return 'never';
  }

  @Get('fixed-tenant')
  @FeishuAuth({ tenantKey: 'tenant_a' })
  fixedTenant(): string {
    return 'never for a self-built app';
  }
}

@Controller('both')
@FeishuAuth({ tenantKey: tenantOf, replay: true })
class BothController {
  constructor(@Inject(ORIGIN) private readonly origin: string) {}

  @Get('class')
  ofClass(@FeishuToken() token: string): Promise<Caller> {
    ran.push('class');
    return whoAmI(this.origin, token);
  }

  @Get('method')
  @FeishuAuth({ kind: 'app', replay: true })
  ofMethod(@FeishuToken() token: string): Promise<Caller> {
    ran.push('method');
    return whoAmI(this.origin, token, '/open-apis/emulator/app-only');
  }
}

@Controller({ path: 'scoped', scope: Scope.REQUEST })
@FeishuAuth({ tenantKey: tenantOf })
class ScopedController {
  constructor(@Inject(ORIGIN) private readonly origin: string) {}

  @Get()
  whoAmI(@FeishuToken() token: string): Promise<Caller> {
    return whoAmI(this.origin, token);
  }
}

@Injectable()
class RetryingInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(retry(1));
  }
}

@Controller('retried')
@FeishuAuth()
// Decorators apply from the bottom up: this one is the outermost.
@UseInterceptors(RetryingInterceptor)
class RetriedController {
  constructor(@Inject(ORIGIN) private readonly origin: string) {}

  @Get()
  @FeishuAuth()
  async retried(@FeishuToken() token: string): Promise<Caller> {
    ran.push('retried');
    return whoAmI(this.origin, token);
  }
}

/** An application's own client, with errors of its own. */
class OwnInterceptor extends FeishuAuthInterceptor {
  protected override isTokenRejected(error: unknown, token: string): boolean {
    return error instanceof Error && error.message === `no good: ${token}`;
  }
}

@Controller('own')
class OwnController {
  @Get()
  @FeishuAuth({ replay: true })
  own(@FeishuToken() token: string): Observable<object> {
    ran.push('own');
    return ran.length === 1 ? throwError(() => new Error(`no good: ${token}`)) : of({ done: true });
  }

  @Get('without')
  without(): object {
    return { done: true };
  }
}

async function start(
  adapter: keyof typeof adapters,
  options: Partial<FeishuAuthModuleOptions> = {},
  providers: { provide: string; useClass: Type }[] = [],
): Promise<void> {
  emulator = await startPlatform();
  ran = [];
  thrown = [];
  handlersMayGoOn = undefined;
  @Module({
    imports: [
      FeishuAuthModule.forRoot({ ...SELF_BUILT, domain: emulator.domain, prewarm: false, ...options }),
    ],
    controllers: [PlainController, BothController, ScopedController, RetriedController, OwnController],
    providers: [
      { provide: ORIGIN, useValue: emulator.domain.open },
      { provide: APP_FILTER, useClass: Witness },
      ...providers,
    ],
  })
  class TestModule {}
  app = await NestFactory.create(TestModule, new adapters[adapter](), { logger: false, abortOnError: false });
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
}

const STORE_APP = { appId: STORE.appId, appSecret: STORE.appSecret, appType: 'store' } as const;

async function startStoreApp(adapter: keyof typeof adapters): Promise<void> {
  await start(adapter, STORE_APP);
  await app.get(AppTicketService).set(emulator.apps.ticket(STORE.appId));
}

async function get(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/${path}`, { headers });
  const text = await response.text();
  const body = (text.startsWith('{') ? JSON.parse(text) : { text }) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, body };
}

const codesOf = (path: string): number[] => emulator.requestsTo(path).map(({ code }) => code);
const currentToken = (): Promise<string> => app.get(TokenService).getTenantAccessToken();

afterEach(async () => {
  await app.close();
  await emulator.stop();
});

describe.each(['Express', 'Fastify'] as const)('@FeishuAuth() on %s', (adapter) => {
  it('gives a handler the token it asks for, and keeps it', async () => {
    await start(adapter);
    expect(await get('plain/tenant')).toMatchObject({ status: 200, body: { kind: 'tenant' } });
    expect(await get('plain/tenant')).toMatchObject({ status: 200, body: { kind: 'tenant' } });
    expect(await get('plain/app')).toMatchObject({ status: 200, body: { kind: 'app' } });
    expect(codesOf(TENANT_GRANT)).toEqual([0]);
  });

  it('on class and method: the method wins as a whole, and the handler runs once', async () => {
    await startStoreApp(adapter);
    const tenant = { 'x-tenant': 'tenant_b' };
    expect((await get('both/class', tenant)).body).toMatchObject({ kind: 'tenant', tenantKey: 'tenant_b' });
    expect((await get('both/method')).body).toMatchObject({ kind: 'app' });
    expect(ran).toEqual(['class', 'method']);
  });

  it('on class and method: replays once, not once for each', async () => {
    await start(adapter);
    emulator.revoke(await app.get(TokenService).getAppAccessToken());
    expect((await get('both/method')).body).toMatchObject({ kind: 'app' });
    expect(ran).toEqual(['method', 'method']);
  });

  it.each(['both/class', 'scoped'])('two tenants at the same time do not mix: %s', async (path) => {
    await startStoreApp(adapter);
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const tenantKey = STORE.tenantKeys[index % 2] as string;
        const { body } = await get(path, { 'x-tenant': tenantKey });
        return body['tenantKey'] === tenantKey;
      }),
    );
    expect(answers).toEqual(answers.map(() => true));
  });

  it('#30 20 handlers with one dead token: one renewal, each run once more', async () => {
    await start(adapter);
    emulator.revoke(await currentToken());
    const all = new Gate();
    handlersMayGoOn = (howManyRan) => {
      if (howManyRan === 20) all.open();
      return all.opened;
    };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => get(`plain/replayed/${index}`, { 'x-own': `${index}` })),
    );
    for (const [index, { status, body }] of answers.entries()) {
      expect(status).toBe(200);
      expect(body).toMatchObject({ id: `${index}`, own: `${index}`, kind: 'tenant' });
    }
    expect(ran).toHaveLength(40);
    expect(codesOf(TENANT_GRANT)).toHaveLength(2);
    expect(codesOf(ECHO).filter((code) => code === 99991663)).toHaveLength(20);
  });

  it('runs a handler that returns an observable once more as well', async () => {
    await start(adapter);
    emulator.revoke(await currentToken());
    expect(await get('plain/observed')).toMatchObject({ status: 200, body: { kind: 'tenant' } });
    expect(ran).toEqual(['observed', 'observed']);
  });

  it('without replay the error goes on to the client, and the next request has a new token', async () => {
    await start(adapter);
    emulator.revoke(await currentToken());
    expect((await get('plain/tenant')).status).toBe(500);
    expect(thrown).toMatchObject([expect.any(FeishuApiError)]);
    expect((await get('plain/tenant')).status).toBe(200);
    expect(ran).toHaveLength(2);
  });

  it('#32 the same token comes back: the handler does not run again', async () => {
    await start(adapter);
    expect((await get('plain/refused')).status).toBe(500);
    expect((await get('plain/refused')).status).toBe(500);
    expect(ran).toEqual(['refused', 'refused']);
    expect(codesOf(TENANT_GRANT)).toHaveLength(2);
  });

  it('#34 an error that is not about the token neither replays nor renews', async () => {
    await start(adapter);
    emulator.faults.add({ path: ECHO, status: 400, code: 99991672 });
    expect((await get('plain/replayed/1')).status).toBe(500);
    expect(ran).toEqual(['1']);
    expect(codesOf(TENANT_GRANT)).toHaveLength(1);
  });

  it('a handler that has begun to answer by itself does not run again', async () => {
    await start(adapter);
    emulator.revoke(await currentToken());
    const { body } = await get('plain/by-hand');
    expect(body).toEqual({ text: 'begun;ended' });
    expect(ran).toEqual(['by-hand']);
    expect(await currentToken()).toBeTruthy();
    expect(codesOf(TENANT_GRANT)).toHaveLength(2);
  });

  it('events: replayed before the first, and never after it', async () => {
    await start(adapter);
    emulator.revoke(await currentToken());
    expect((await get('plain/events/replayed')).body['text']).toContain('data: tenant');
    expect(ran).toEqual(['events', 'events']);

    emulator.revoke(await currentToken());
    const { text } = (await get('plain/events')).body;
    expect(text).toContain('data: first');
    expect(text).not.toContain('data: called');
    expect(ran).toHaveLength(3);
    expect((await get('plain/events')).body['text']).toContain('data: called');
  });

  it('works below an interceptor that runs the handler again by itself', async () => {
    await start(adapter);
    emulator.revoke(await currentToken());
    expect((await get('retried')).body).toMatchObject({ kind: 'tenant' });
    expect(ran).toEqual(['retried', 'retried']);
  });

  it('a subclass as APP_INTERCEPTOR knows the errors of another client', async () => {
    await start(adapter, {}, [{ provide: APP_INTERCEPTOR, useClass: OwnInterceptor }]);
    emulator.revoke(await currentToken());
    expect(await get('own')).toMatchObject({ status: 200, body: { done: true } });
    expect(ran).toEqual(['own', 'own']);
    expect(await get('own/without')).toMatchObject({ status: 200, body: { done: true } });
  });

  describe('without a token', () => {
    it('503, and when to come back where that is known', async () => {
      await start(adapter);
      emulator.faults.add({
        path: TENANT_GRANT,
        status: 429,
        code: 99991400,
        headers: { 'x-ogw-ratelimit-reset': '60' },
      });
      const { status, headers, body } = await get('plain/tenant');
      expect(status).toBe(503);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(1);
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(60);
      expect(headers.get('retry-after')).toMatch(/^\d+$/);
      expect(body).toEqual({
        statusCode: 503,
        message: 'No Feishu token is available',
        error: 'Service Unavailable',
        code: 'ERR_FEISHU_RATE_LIMITED',
      });
      expect(thrown).toMatchObject([{ cause: { code: 'ERR_FEISHU_RATE_LIMITED' } }]);
      expect(ran).toHaveLength(0);
    });

    it('503 without a word of the secret when that is wrong', async () => {
      await start(adapter, { appSecret: 'hunter2hunter2' });
      const { status, body } = await get('plain/tenant');
      expect(status).toBe(503);
      expect(body['code']).toBe('ERR_FEISHU_CREDENTIALS_REJECTED');
      expect(JSON.stringify(body)).not.toContain('hunter2');
    });

    it.each([
      ['none', {}],
      ['a bad one', { 'x-tenant': '../tenant_a' }],
    ])('400 for a request that names no proper tenant: %s', async (_what, headers) => {
      await startStoreApp(adapter);
      const { status, body } = await get('both/class', headers);
      expect(status).toBe(400);
      expect(body).toMatchObject({ statusCode: 400, code: 'ERR_FEISHU_INVALID_ARGUMENT' });
      expect(thrown).toMatchObject([{ cause: { code: 'ERR_FEISHU_INVALID_ARGUMENT' } }]);
    });

    it('503 for a tenant that has not installed the app', async () => {
      await startStoreApp(adapter);
      const { status, body } = await get('both/class', { 'x-tenant': 'stranger' });
      expect({ status, code: body['code'] }).toEqual({ status: 503, code: 'ERR_FEISHU_TENANT_REJECTED' });
    });

    it.each([
      ['plain/fixed-tenant', 'self-built'],
      ['plain/other-instance', "'other'"],
      ['plain/bare', 'PlainController.bare() has no token; add @FeishuAuth()'],
    ])('500 for a mistake in the code, which the error names: %s', async (path, words) => {
      await start(adapter);
      expect((await get(path)).status).toBe(500);
      expect(thrown).toMatchObject([
        { code: 'ERR_FEISHU_INVALID_ARGUMENT', message: expect.stringContaining(words) },
      ]);
    });
  });
});

describe('@FeishuAuth({ name })', () => {
  it('reads the token of that instance', async () => {
    emulator = await startPlatform();
    ran = [];
    @Controller()
    class NamedController {
      @Get('unnamed')
      @FeishuAuth()
      unnamed(@FeishuToken() token: string): Promise<Caller> {
        return whoAmI(emulator.domain.open, token);
      }

      @Get('named')
      @FeishuAuth({ name: 'isv', tenantKey: tenantOf })
      named(@FeishuToken() token: string): Promise<Caller> {
        return whoAmI(emulator.domain.open, token);
      }
    }
    @Module({
      imports: [
        FeishuAuthModule.forRoot({ ...SELF_BUILT, domain: emulator.domain, prewarm: false }),
        FeishuAuthModule.forRoot({
          ...STORE_APP,
          domain: emulator.domain,
          prewarm: false,
          name: 'isv',
          isGlobal: false,
        }),
      ],
      controllers: [NamedController],
    })
    class TestModule {}
    app = await NestFactory.create(TestModule, new ExpressAdapter(), { logger: false, abortOnError: false });
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
    const tickets = app.get<AppTicketService>('FeishuAuth:AppTicketService(isv)', { strict: false });
    await tickets.set(emulator.apps.ticket(STORE.appId));
    expect((await get('unnamed')).body).toMatchObject({ appId: SELF_BUILT.appId });
    expect((await get('named', { 'x-tenant': 'tenant_a' })).body).toMatchObject({
      appId: STORE.appId,
      tenantKey: 'tenant_a',
    });
  });
});
