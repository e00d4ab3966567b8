import { type ExecutionContext, HttpException } from '@nestjs/common';
import { jest } from '@jest/globals';
import { FakeTokens } from '../../test/fixtures/fake-tokens.js';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';

import {
  handling,
  intercept,
  interceptorOver,
  invocation,
  unavailable,
} from '../../test/fixtures/interceptor.js';

describe('FeishuAuthInterceptor without a token', () => {
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
    expect(await caught(refusing(invalid), invocation({ tenantKey: () => '' }, type).context)).toBe(invalid);
  });

  it('an error from outside this module is passed on', async () => {
    const error = new Error('something else');
    expect(await caught(failing(error), invocation({}).context)).toBe(error);
  });
});
