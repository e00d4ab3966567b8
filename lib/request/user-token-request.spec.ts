import { FakeTokens } from '../../test/fixtures/fake-tokens.js';
import { handling, intercept, interceptorOver, invocation } from '../../test/fixtures/interceptor.js';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';

describe("@FeishuAuth({ kind: 'user' })", () => {
  it('gives the handler the token of the user of the request', async () => {
    const tokens = new FakeTokens('u-1');
    const { context } = invocation({ kind: 'user', openId: () => 'ou_a' });
    const { next, seen } = handling(context);
    await intercept(interceptorOver(tokens).interceptor, context, next);
    expect(seen).toEqual(['u-1']);
    expect(tokens.handles).toEqual([{ kind: 'user', openId: 'ou_a' }]);
  });

  it('is HTTP 401 for a request without a user, and the handler does not run', async () => {
    const tokens = new FakeTokens('u-1');
    const { context } = invocation({ kind: 'user', openId: () => undefined });
    const { next, seen } = handling(context);
    const work = (async () => intercept(interceptorOver(tokens).interceptor, context, next))();
    await expect(work).rejects.toMatchObject({ status: 401 });
    expect(seen).toEqual([]);
    expect(tokens.handles).toEqual([]);
  });

  it('is HTTP 401 with the reason for a user who has to log in again', async () => {
    const error = new FeishuAuthError('ERR_FEISHU_REAUTHORIZATION_REQUIRED', 'told', { reason: 'expired' });
    const tokens = new FakeTokens(error);
    const { context } = invocation({ kind: 'user', openId: () => 'ou_a' });
    const work = (async () =>
      intercept(interceptorOver(tokens).interceptor, context, handling(context).next))();
    await expect(work).rejects.toMatchObject({
      status: 401,
      response: { code: 'ERR_FEISHU_REAUTHORIZATION_REQUIRED', reason: 'expired' },
    });
  });
});
