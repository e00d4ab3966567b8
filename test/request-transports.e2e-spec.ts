import { Controller, type ExecutionContext, type INestApplication, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Args,
  Field,
  GqlExecutionContext,
  GraphQLModule,
  ObjectType,
  Parent,
  Query,
  ResolveField,
  Resolver,
} from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import {
  type ClientProxy,
  ClientProxyFactory,
  MessagePattern,
  type MicroserviceOptions,
  Payload,
  RpcException,
  Transport,
} from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';

import { type AddressInfo, type Server } from 'node:net';
import { firstValueFrom, from, type Observable, catchError, throwError } from 'rxjs';
import { FeishuAuthModule } from '../lib/feishu-auth.module.js';
import { FeishuAuth } from '../lib/request/feishu-auth.decorator.js';
import { FeishuToken } from '../lib/request/feishu-token.decorator.js';
import { isFeishuAuthError } from '../lib/errors/feishu-auth.error.js';
import { type FeishuEmulator } from '../lib/testing/feishu-emulator.js';
import { AppTicketService } from '../lib/ticket/app-ticket.service.js';
import { TokenService } from '../lib/token.service.js';
import { type Caller, whoAmI } from './fixtures/calling-feishu.js';
import { Gate, startPlatform, STORE } from './fixtures/feishu-platform.js';

let emulator: FeishuEmulator;
/** The handlers that ran, in order. */
let ran: string[];
/** A handler calls it with its token and waits for it. */
let whileHolding: (() => Promise<void>) | undefined;

beforeEach(async () => {
  emulator = await startPlatform();
  ran = [];
  whileHolding = undefined;
});
afterEach(() => emulator.stop());

const storeApp = () =>
  FeishuAuthModule.forRoot({
    appId: STORE.appId,
    appSecret: STORE.appSecret,
    appType: 'store',
    domain: emulator.domain,
    prewarm: false,
  });

async function call(name: string, token: string): Promise<Caller> {
  ran.push(name);
  await whileHolding?.();
  return whoAmI(emulator.domain.open, token);
}

/** Makes handlers wait until `count` of them hold a token. */
function togetherAtATime(count: number): void {
  const all = new Gate();
  let holding = 0;
  whileHolding = () => {
    if (++holding === count) all.open();
    return all.opened;
  };
}

describe('@FeishuAuth() on a microservice (TCP)', () => {
  const tenantOf = (context: ExecutionContext): string | undefined =>
    context.switchToRpc().getData<{ tenantKey?: string }>().tenantKey;

  /** Returns what the client sees of an error. */
  const visible = (error: unknown): Observable<never> =>
    throwError(() => new RpcException(isFeishuAuthError(error) ? error.code : String(error)));

  @Controller()
  @FeishuAuth({ tenantKey: tenantOf, replay: true })
  class RpcController {
    @MessagePattern('whoami')
    @FeishuAuth({ tenantKey: tenantOf, replay: true })
    whoAmI(@Payload() _data: unknown, @FeishuToken() token: string): Promise<Caller> {
      return call('whoami', token);
    }

    @MessagePattern('observed')
    observed(@FeishuToken() token: string): Observable<Caller> {
      return from(call('observed', token));
    }
  }

  let app: Awaited<ReturnType<typeof NestFactory.createMicroservice<MicroserviceOptions>>>;
  let client: ClientProxy;

  beforeEach(async () => {
    @Module({ imports: [storeApp()], controllers: [RpcController] })
    class RpcModule {}
    app = await NestFactory.createMicroservice<MicroserviceOptions>(RpcModule, {
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port: 0 },
      logger: false,
      abortOnError: false,
    });
    app.useGlobalInterceptors({
      intercept: (_context, next) => next.handle().pipe(catchError(visible)),
    });
    await app.listen();
    await app.get(AppTicketService).set(emulator.apps.ticket(STORE.appId));
    const { port } = app.unwrap<Server>().address() as AddressInfo;
    client = ClientProxyFactory.create({ transport: Transport.TCP, options: { host: '127.0.0.1', port } });
  });
  afterEach(async () => {
    client.close();
    await app.close();
  });

  const send = (pattern: string, tenantKey?: string): Promise<Caller> =>
    firstValueFrom(client.send<Caller>(pattern, { tenantKey }));

  it('injects the token of the tenant of each parallel message', async () => {
    togetherAtATime(20);
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const { tenantKey } = await send(index % 3 ? 'whoami' : 'observed', STORE.tenantKeys[index % 2]);
        return tenantKey;
      }),
    );
    expect(answers).toEqual(answers.map((_, index) => STORE.tenantKeys[index % 2]));
    expect(ran).toHaveLength(20);
  });

  it.each(['whoami', 'observed'])('runs %s once more with a new token', async (pattern) => {
    emulator.revoke(await app.get(TokenService).getTenantAccessToken({ tenantKey: 'tenant_a' }));
    expect(await send(pattern, 'tenant_a')).toMatchObject({ tenantKey: 'tenant_a' });
    expect(ran).toEqual([pattern, pattern]);
  });

  it('throws the FeishuAuthError', async () => {
    await expect(send('whoami')).rejects.toMatchObject({ message: 'ERR_FEISHU_INVALID_ARGUMENT' });
    await expect(send('whoami', 'stranger')).rejects.toMatchObject({ message: 'ERR_FEISHU_TENANT_REJECTED' });
    expect(ran).toHaveLength(0);
  });
});

describe('@FeishuAuth() on GraphQL', () => {
  const tenantOf = (context: ExecutionContext): string | undefined =>
    GqlExecutionContext.create(context).getArgs<{ tenantKey?: string }>().tenantKey;

  @ObjectType()
  class Tenant {
    @Field(() => String)
    tenantKey!: string;

    @Field(() => String)
    kind!: string;
  }

  @Resolver(() => Tenant)
  class TenantResolver {
    @Query(() => Tenant)
    @FeishuAuth({ tenantKey: tenantOf, replay: true })
    tenant(@Args('tenantKey') _tenantKey: string, @FeishuToken() token: string): Promise<Caller> {
      return call('tenant', token);
    }

    @ResolveField(() => String)
    @FeishuAuth({ kind: 'app' })
    async appKind(@Parent() _tenant: Caller, @FeishuToken() token: string): Promise<string> {
      return (await call('appKind', token)).kind;
    }

    @ResolveField(() => String)
    bare(@FeishuToken() token: string): string {
      return token;
    }
  }

  let app: INestApplication;

  async function start(fieldResolverEnhancers: 'interceptors'[] = ['interceptors']): Promise<void> {
    const graphql = GraphQLModule.forRoot<MercuriusDriverConfig>({
      driver: MercuriusDriver as Type<MercuriusDriver>,
      autoSchemaFile: true,
      fieldResolverEnhancers,
      errorFormatter: (result) => ({ statusCode: 200, response: result }),
    });
    @Module({ imports: [storeApp(), graphql], providers: [TenantResolver] })
    class GraphqlModule {}
    app = await NestFactory.create(GraphqlModule, new FastifyAdapter(), {
      logger: false,
      abortOnError: false,
    });
    await app.listen(0, '127.0.0.1');
    await app.get(AppTicketService).set(emulator.apps.ticket(STORE.appId));
  }
  afterEach(() => app.close());

  interface Answer {
    data: Record<string, Record<string, string>> | null;
    errors?: { message: string }[];
  }
  async function query(text: string): Promise<Answer> {
    const response = await fetch(`${await app.getUrl()}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: text }),
    });
    return (await response.json()) as Answer;
  }

  const TWO =
    '{ a: tenant(tenantKey: "tenant_a") { tenantKey } b: tenant(tenantKey: "tenant_b") { tenantKey } }';
  const BOTH = { a: { tenantKey: 'tenant_a' }, b: { tenantKey: 'tenant_b' } };

  it('two fields of one query get the tokens of their tenants', async () => {
    await start();
    togetherAtATime(2);
    expect(await query(TWO)).toEqual({ data: BOTH });
    expect(ran).toEqual(['tenant', 'tenant']);
  });

  it('fields of many parallel queries get the tokens of their tenants', async () => {
    await start();
    togetherAtATime(20);
    const answers = await Promise.all(Array.from({ length: 10 }, () => query(TWO)));
    expect(answers).toEqual(answers.map(() => ({ data: BOTH })));
  });

  it('only the field with the dead token runs once more', async () => {
    await start();
    emulator.revoke(await app.get(TokenService).getTenantAccessToken({ tenantKey: 'tenant_a' }));
    expect(await query(TWO)).toEqual({ data: BOTH });
    expect(ran).toHaveLength(3);
  });

  it('a nested field has its own token', async () => {
    await start();
    const { data } = await query('{ tenant(tenantKey: "tenant_a") { kind appKind } }');
    expect(data).toEqual({ tenant: { kind: 'tenant', appKind: 'app' } });
  });

  it.each([
    ['not decorated', 'bare', ['interceptors']],
    ['decorated, where interceptors do not run for fields', 'appKind', []],
  ] as const)(
    'a nested field does not see the token of its parent field: %s',
    async (_what, field, enhancers) => {
      await start([...enhancers]);
      const { data, errors } = await query(`{ tenant(tenantKey: "tenant_a") { ${field} } }`);
      expect(data).toBeNull();
      expect(errors?.[0]?.message).toContain(`TenantResolver.${field}() has no token; add @FeishuAuth()`);
    },
  );

  it('throws the FeishuAuthError', async () => {
    await start();
    const { errors } = await query('{ tenant(tenantKey: "stranger") { kind } }');
    expect(errors).toHaveLength(1);
    expect(errors?.[0]?.message).toContain('99991665');
    expect(ran).toHaveLength(0);
  });
});
