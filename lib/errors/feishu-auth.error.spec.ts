import { inspect } from 'node:util';
import { FeishuAuthError, isFeishuAuthError } from './feishu-auth.error.js';

const SECRET = 'the-secret-of-the-app';

describe('FeishuAuthError', () => {
  it('is an Error with a code and a name', () => {
    const error = new FeishuAuthError('ERR_FEISHU_CLOSED', 'closed');
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'FeishuAuthError', code: 'ERR_FEISHU_CLOSED', message: 'closed' });
    expect(String(error)).toBe('FeishuAuthError: closed');
    expect(error.stack).toContain('feishu-auth.error.spec');
  });

  it('is not retryable by default and has no unknown fields', () => {
    const bare = new FeishuAuthError('ERR_FEISHU_CLOSED', 'closed', {
      retryAt: undefined,
      feishuCode: undefined,
      logId: undefined,
      cause: undefined,
    });
    expect(bare.retryable).toBe(false);
    expect(Object.keys(bare).toSorted()).toEqual(['code', 'name', 'retryable']);
    expect('cause' in bare).toBe(false);
  });

  it('has the given details', () => {
    const retryAt = new Date();
    const details = { retryable: true, retryAt, feishuCode: 99991400, logId: '2026' };
    expect(new FeishuAuthError('ERR_FEISHU_RATE_LIMITED', 'too often', details)).toMatchObject(details);
  });

  it('keeps only name, message and code of its cause', () => {
    const request = { body: { app_secret: SECRET } };
    const cause = Object.assign(new TypeError('fetch failed'), {
      code: 'ECONNRESET',
      request,
      config: request,
    });
    const error = new FeishuAuthError('ERR_FEISHU_PLATFORM_UNAVAILABLE', 'the request failed', { cause });
    expect(error.cause).toMatchObject({ name: 'TypeError', message: 'fetch failed', code: 'ECONNRESET' });
    expect(error.cause).not.toBe(cause);
    for (const text of [inspect(error, { depth: 9, showHidden: true }), JSON.stringify(error), error.stack]) {
      expect(text).not.toContain(SECRET);
    }
  });
});

describe('isFeishuAuthError', () => {
  const error = new FeishuAuthError('ERR_FEISHU_CLOSED', 'closed');

  it('recognises errors of this module and their code', () => {
    expect(isFeishuAuthError(error)).toBe(true);
    expect(isFeishuAuthError(error, 'ERR_FEISHU_CLOSED')).toBe(true);
    expect(isFeishuAuthError(error, 'ERR_FEISHU_RATE_LIMITED')).toBe(false);
  });

  it('recognises errors of a second copy of this package', () => {
    const brand = Symbol.for('nestjs-feishu-auth:error');
    const foreign = Object.assign(new Error('closed'), { [brand]: true, code: 'ERR_FEISHU_CLOSED' });
    expect(isFeishuAuthError(foreign, 'ERR_FEISHU_CLOSED')).toBe(true);
  });

  it.each([
    [undefined],
    [null],
    ['ERR_FEISHU_CLOSED'],
    [{ code: 'ERR_FEISHU_CLOSED', name: 'FeishuAuthError' }],
    [Object.assign(new Error('closed'), { code: 'ERR_FEISHU_CLOSED' })],
  ])('does not take %p for one', (other) => {
    expect(isFeishuAuthError(other)).toBe(false);
    expect(isFeishuAuthError(other, 'ERR_FEISHU_CLOSED')).toBe(false);
  });
});
