import { type CallHandler, Sse } from '@nestjs/common';
import { concat, firstValueFrom, from, NEVER, type Observable, of, throwError } from 'rxjs';
import { FakeTokens } from '../../test/fixtures/fake-tokens.js';
import { FeishuAuthInterceptor } from './feishu-auth.interceptor.js';
import { type FeishuAuthRequestOptions } from './feishu-auth.metadata.js';
import { requestTokenOf } from './request-token.js';

import {
  fails,
  handling,
  intercept,
  interceptorOver,
  invocation,
  unavailable,
} from '../../test/fixtures/interceptor.js';
const REJECTED = { code: 99991663, msg: 'Invalid access token' };

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
});
