import { type CallHandler, type ExecutionContext, HttpException, Sse } from '@nestjs/common';
import { type HttpAdapterHost, type ModuleRef } from '@nestjs/core';
import { jest } from '@jest/globals';
import {
  concat,
  defer,
  firstValueFrom,
  from,
  lastValueFrom,
  NEVER,
  type Observable,
  of,
  throwError,
} from 'rxjs';
import { FakeTokens } from '../../test/fixtures/fake-tokens.js';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { FeishuAuth } from './feishu-auth.decorator.js';
import { FeishuAuthInterceptor } from './feishu-auth.interceptor.js';
import { type FeishuAuthRequestOptions } from './feishu-auth.metadata.js';
import { requestTokenOf } from './request-token.js';

const REJECTED = { code: 99991663, msg: 'Invalid access token' };
const unavailable = (retryAt?: Date): FeishuAuthError =>
  new FeishuAuthError('ERR_FEISHU_PLATFORM_UNAVAILABLE', 'the platform did not answer', { retryAt });

/** Runs the interceptor as Nest does. */
function invocation(
  options?: FeishuAuthRequestOptions,
  type = 'http',
  classOptions?: FeishuAuthRequestOptions,
) {
  class Controller {
    handler(this: void): string {
      return 'done';
    }
  }
  const { handler } = Controller.prototype;
  if (options) FeishuAuth(options)(Controller.prototype, 'handler', { value: handler });
  if (classOptions) FeishuAuth(classOptions)(Controller);
  const response = { headers: {} as Record<string, string>, headersSent: false };
  const context = {
    getHandler: () => handler,
    getClass: () => Controller,
    getType: () => type,
    switchToHttp: () => ({ getResponse: () => response, getRequest: () => ({}) }),
  } as unknown as ExecutionContext;
  return { context, response };
}

/** A handler that performs the given steps in order and records the token of each run. */
function handling(context: ExecutionContext, ...results: (() => Observable<unknown>)[]) {
  const seen: (string | undefined)[] = [];
  const next: CallHandler = {
    handle: () => {
      const token = requestTokenOf(context);
      return defer(() => {
        seen.push(token);
        return results.shift()?.() ?? of('done');
      });
    },
  };
  return { next, seen };
}

const adapterHost = {
  httpAdapter: {
    isHeadersSent: (response: { headersSent: boolean }) => response.headersSent,
    setHeader: (response: { headers: Record<string, string> }, name: string, value: string) => {
      response.headers[name] = value;
    },
  },
} as unknown as HttpAdapterHost;

function interceptorOver(tokens: FakeTokens, Type = FeishuAuthInterceptor) {
  const get = jest.fn((_token: unknown, _options: unknown) => tokens);
  return { get, interceptor: new Type({ get } as unknown as ModuleRef, adapterHost) };
}

async function intercept(
  interceptor: FeishuAuthInterceptor,
  context: ExecutionContext,
  next: CallHandler,
): Promise<unknown> {
  return lastValueFrom(await interceptor.intercept(context, next));
}

const fails = (error: unknown) => () => throwError(() => error);

describe('FeishuAuthInterceptor', () => {
  describe('the token', () => {
    it('is available when the handler runs, synchronously if it is held', async () => {
      const tokens = new FakeTokens('t-1');
      const { interceptor } = interceptorOver(tokens);
      const { context } = invocation({});
      const { next, seen } = handling(context);
      const result = interceptor.intercept(context, next);
      expect(result).not.toBeInstanceOf(Promise);
      expect(await firstValueFrom(result as Observable<unknown>)).toBe('done');
      expect(seen).toEqual(['t-1']);
      expect(tokens.handles).toEqual([{ kind: 'tenant' }]);
      expect(tokens.gets).toHaveLength(0);
    });

    it('is awaited if it is not held', async () => {
      const tokens = new FakeTokens('t-1');
      tokens.isHeld = false;
      const { context } = invocation({});
      const { next, seen } = handling(context);
      await intercept(interceptorOver(tokens).interceptor, context, next);
      expect(seen).toEqual(['t-1']);
      expect(tokens.gets).toHaveLength(1);
    });

    it('is not available outside the handler', async () => {
      const { context } = invocation({});
      await intercept(interceptorOver(new FakeTokens('t-1')).interceptor, context, handling(context).next);
      expect(requestTokenOf(context)).toBeUndefined();
    });

    it.each<[FeishuAuthRequestOptions, object]>([
      [{ kind: 'app' }, { kind: 'app' }],
      [{ tenantKey: 'tk' }, { kind: 'tenant', tenantKey: 'tk' }],
      [{ tenantKey: () => 'tk' }, { kind: 'tenant', tenantKey: 'tk' }],
      [{ tenantKey: () => undefined }, { kind: 'tenant' }],
    ])('of %j is asked for as %j', async (options, query) => {
      const tokens = new FakeTokens('t-1');
      const { context } = invocation(options);
      await intercept(interceptorOver(tokens).interceptor, context, handling(context).next);
      expect(tokens.handles).toEqual([query]);
    });

    it('resolves its handle once, or once per request with a function', async () => {
      const tokens = new FakeTokens('t-1');
      const { interceptor, get } = interceptorOver(tokens);
      const fixed = invocation({ tenantKey: 'tk' });
      const decided = invocation({ tenantKey: () => 'tk' });
      for (const { context } of [fixed, fixed, decided, decided]) {
        await intercept(interceptor, context, handling(context).next);
      }
      expect(tokens.handles).toHaveLength(3);
      expect(get).toHaveBeenCalledTimes(1);
    });

    it('uses the options of the method instead of those of the class', async () => {
      const tokens = new FakeTokens('t-1');
      const { context } = invocation({ kind: 'app' }, 'http', { tenantKey: 'tk', name: 'other' });
      const { interceptor, get } = interceptorOver(tokens);
      await intercept(interceptor, context, handling(context).next);
      expect(tokens.handles).toEqual([{ kind: 'app' }]);
      expect(get.mock.calls[0]?.[0]).not.toBe('FeishuAuth:TokenService(other)');
    });

    it('comes from the named instance', async () => {
      const { context } = invocation({ name: 'other' });
      const { interceptor, get } = interceptorOver(new FakeTokens('t-1'));
      await intercept(interceptor, context, handling(context).next);
      expect(get).toHaveBeenCalledWith('FeishuAuth:TokenService(other)', { strict: false });
    });

    it('fails with the name of a missing instance', async () => {
      const { context } = invocation({ name: 'other' });
      const { interceptor, get } = interceptorOver(new FakeTokens('t-1'));
      get.mockImplementation(() => {
        throw new Error('Nest could not find it');
      });
      expect(() => interceptor.intercept(context, handling(context).next)).toThrow(
        expect.objectContaining({
          code: 'ERR_FEISHU_INVALID_ARGUMENT',
          message: expect.stringContaining("'other'"),
        }),
      );
    });
  });

  it('ignores a handler without the decorator', async () => {
    const tokens = new FakeTokens('t-1');
    const { context } = invocation();
    const { next, seen } = handling(context);
    await intercept(interceptorOver(tokens).interceptor, context, next);
    expect(seen).toEqual([undefined]);
    expect(tokens.handles).toHaveLength(0);
  });

  it('works once if it is applied twice, also when an outer interceptor repeats the call', async () => {
    const tokens = new FakeTokens('t-1', 't-2', 't-3');
    const { interceptor } = interceptorOver(tokens);
    const inner = interceptorOver(tokens).interceptor;
    const { context } = invocation({ tenantKey: () => 'tk' });
    const { next, seen } = handling(context, fails(REJECTED));
    const nested: CallHandler = { handle: () => from(intercept(inner, context, next)) };
    await expect(intercept(interceptor, context, nested)).rejects.toBe(REJECTED);
    expect(tokens.invalidations).toHaveLength(1);
    expect(tokens.handles).toHaveLength(1);
    expect(await intercept(interceptor, context, nested)).toBe('done');
    expect(seen).toEqual(['t-1', 't-2']);
  });

  describe('a handler that fails because its token was rejected', () => {
    it('has its token invalidated and its error passed on', async () => {
      const tokens = new FakeTokens('t-1', 't-2');
      const { context } = invocation({ tenantKey: 'tk' });
      const { next, seen } = handling(context, fails(REJECTED));
      await expect(intercept(interceptorOver(tokens).interceptor, context, next)).rejects.toBe(REJECTED);
      expect(tokens.invalidations).toEqual([
        { query: { kind: 'tenant', tenantKey: 'tk' }, rejected: 't-1', wasCurrent: true },
      ]);
      expect(seen).toEqual(['t-1']);
    });

    it('runs once more with the new token if replay is set', async () => {
      const { context } = invocation({ replay: true });
      const { next, seen } = handling(context, fails(REJECTED));
      const { interceptor } = interceptorOver(new FakeTokens('t-1', 't-2'));
      expect(await intercept(interceptor, context, next)).toBe('done');
      expect(seen).toEqual(['t-1', 't-2']);
    });

    it('does not run a third time', async () => {
      const second = { ...REJECTED, msg: 'second' };
      const tokens = new FakeTokens('t-1', 't-2', 't-3');
      const { context } = invocation({ replay: true });
      const { next, seen } = handling(context, fails(REJECTED), fails(second));
      await expect(intercept(interceptorOver(tokens).interceptor, context, next)).rejects.toBe(second);
      expect(seen).toEqual(['t-1', 't-2']);
      expect(tokens.invalidations).toHaveLength(1);
    });

    it.each([
      ['the token comes back the same', new FakeTokens('t-1', 't-1')],
      ['no other is to be had', new FakeTokens('t-1', unavailable())],
    ])('does not run again when %s', async (_what, tokens) => {
      const { context } = invocation({ replay: true });
      const { next, seen } = handling(context, fails(REJECTED));
      await expect(intercept(interceptorOver(tokens).interceptor, context, next)).rejects.toBe(REJECTED);
      expect(seen).toEqual(['t-1']);
    });

    it('does not run again after it has emitted a value', async () => {
      const tokens = new FakeTokens('t-1', 't-2');
      const { context } = invocation({ replay: true });
      const { next, seen } = handling(context, () =>
        concat(
          of('first'),
          throwError(() => REJECTED),
        ),
      );
      await expect(intercept(interceptorOver(tokens).interceptor, context, next)).rejects.toBe(REJECTED);
      expect(seen).toEqual(['t-1']);
      expect(tokens.invalidations).toHaveLength(1);
    });

    it('does not run again after it has written to the response', async () => {
      const tokens = new FakeTokens('t-1', 't-2');
      const { context, response } = invocation({ replay: true });
      const { next, seen } = handling(context, () => {
        response.headersSent = true;
        return throwError(() => REJECTED);
      });
      await expect(intercept(interceptorOver(tokens).interceptor, context, next)).rejects.toBe(REJECTED);
      expect(seen).toEqual(['t-1']);
      expect(tokens.invalidations).toHaveLength(1);
    });

    it('runs again if Nest has written the headers of an event stream', async () => {
      const { context, response } = invocation({ replay: true });
      Sse()(context.getClass().prototype as object, 'handler', { value: context.getHandler() });
      response.headersSent = true;
      const { next, seen } = handling(context, fails(REJECTED));
      await intercept(interceptorOver(new FakeTokens('t-1', 't-2')).interceptor, context, next);
      expect(seen).toEqual(['t-1', 't-2']);
    });

    it('is recognised by an override of isTokenRejected()', async () => {
      const asked: [unknown, string][] = [];
      class Own extends FeishuAuthInterceptor {
        protected override isTokenRejected(error: unknown, token: string): boolean {
          asked.push([error, token]);
          return true;
        }
      }
      const error = new Error('in its own words');
      const { context } = invocation({ replay: true });
      const { next } = handling(context, fails(error));
      const { interceptor } = interceptorOver(new FakeTokens('t-1', 't-2'), Own);
      expect(await intercept(interceptor, context, next)).toBe('done');
      expect(asked).toEqual([[error, 't-1']]);
    });
  });

  it.each([
    ['of another kind', new Error('of another kind')],
    ['#34 about scopes', { code: 99991672 }],
    ['#34 about the rate limit', { code: 99991400 }],
  ])('an error %s goes on, and the token stays', async (_what, error) => {
    const tokens = new FakeTokens('t-1', 't-2');
    const { context } = invocation({ replay: true });
    const { next, seen } = handling(context, fails(error));
    await expect(intercept(interceptorOver(tokens).interceptor, context, next)).rejects.toBe(error);
    expect(seen).toHaveLength(1);
    expect(tokens.invalidations).toHaveLength(0);
  });

  it('passes on the values of a stream as they arrive', async () => {
    const { context } = invocation({ replay: true });
    const { next } = handling(context, () => concat(of(1), NEVER));
    const stream = await interceptorOver(new FakeTokens('t-1')).interceptor.intercept(context, next);
    expect(await firstValueFrom(stream)).toBe(1);
  });

  describe('without a token', () => {
    const caught = async (tokens: FakeTokens, context: ExecutionContext): Promise<unknown> => {
      const { next, seen } = handling(context);
      const error = await intercept(interceptorOver(tokens).interceptor, context, next).catch(
        (thrown: unknown) => thrown,
      );
      expect(seen).toHaveLength(0);
      return error;
    };
    const failing = (error: Error): FakeTokens => new FakeTokens(error);
    /** Throws synchronously, as TokenService does for a wrong key. */
    const refusing = (error: Error): FakeTokens => {
      const tokens = new FakeTokens('t-1');
      jest.spyOn(tokens, 'handle').mockImplementation(() => {
        throw error;
      });
      return tokens;
    };
    const invalid = new FeishuAuthError('ERR_FEISHU_INVALID_ARGUMENT', 'no tenant key');

    it('HTTP gets 503 with the code only', async () => {
      const cause = unavailable();
      const { context, response } = invocation({});
      const error = (await caught(failing(cause), context)) as HttpException;
      expect(error).toBeInstanceOf(HttpException);
      expect(error.getStatus()).toBe(503);
      expect(error.cause).toBe(cause);
      expect(error.getResponse()).toEqual({
        statusCode: 503,
        message: 'No Feishu token is available',
        error: 'Service Unavailable',
        code: 'ERR_FEISHU_PLATFORM_UNAVAILABLE',
      });
      expect(response.headers).toEqual({});
    });

    it.each([
      [1, '1'],
      [1_000, '1'],
      [1_001, '2'],
      [-5_000, '1'],
    ])('and when to come back: %i ms from now is Retry-After: %s', async (ms, seconds) => {
      jest.useFakeTimers({ now: 1_000_000, doNotFake: ['nextTick', 'queueMicrotask'] });
      try {
        const { context, response } = invocation({});
        await caught(failing(unavailable(new Date(1_000_000 + ms))), context);
        expect(response.headers).toEqual({ 'Retry-After': seconds });
      } finally {
        jest.useRealTimers();
      }
    });

    it('sets no header after the answer has begun', async () => {
      const { context, response } = invocation({});
      response.headersSent = true;
      await caught(failing(unavailable(new Date())), context);
      expect(response.headers).toEqual({});
    });

    it.each([
      ['at once', refusing],
      ['later', failing],
    ])('a tenant key from the request that is refused %s is a 400', async (_when, tokens) => {
      const { context } = invocation({ tenantKey: () => '../other' });
      const error = (await caught(tokens(invalid), context)) as HttpException;
      expect(error.getStatus()).toBe(400);
      expect(error.cause).toBe(invalid);
      expect(error.getResponse()).toMatchObject({ code: 'ERR_FEISHU_INVALID_ARGUMENT' });
    });

    it('a wrong constant tenant key passes on the FeishuAuthError', async () => {
      const { context } = invocation({ tenantKey: '../other' });
      expect(await caught(refusing(invalid), context)).toBe(invalid);
    });

    it('an error of the tenantKey function is passed on', async () => {
      const forbidden = new HttpException('not yours', 403);
      const { context } = invocation({
        tenantKey: () => {
          throw forbidden;
        },
      });
      expect(await caught(new FakeTokens('t-1'), context)).toBe(forbidden);
    });

    it.each(['rpc', 'ws', 'graphql'])('%s gets the FeishuAuthError itself', async (type) => {
      const cause = unavailable(new Date());
      expect(await caught(failing(cause), invocation({}, type).context)).toBe(cause);
      expect(await caught(refusing(invalid), invocation({ tenantKey: () => '' }, type).context)).toBe(
        invalid,
      );
    });

    it('an error from outside this module is passed on', async () => {
      const error = new Error('something else');
      expect(await caught(failing(error), invocation({}).context)).toBe(error);
    });
  });
});
