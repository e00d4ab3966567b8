import { type FeishuAuthErrorCode } from '../errors/feishu-auth.error.js';
import { isAppTokenRejection, isPermanent, isTokenRejection, meaningOf } from './error-codes.js';

const APP_TYPES = ['self-built', 'store'] as const;

describe('meaningOf', () => {
  it.each<[FeishuAuthErrorCode, number[]]>([
    ['ERR_FEISHU_CREDENTIALS_REJECTED', [10003, 10005, 10014, 10015, 20002, 20048, 99991543]],
    ['ERR_FEISHU_TENANT_REJECTED', [99991665]],
    ['ERR_FEISHU_RATE_LIMITED', [99991400]],
    ['ERR_FEISHU_PLATFORM_UNAVAILABLE', [2200, 1500, 1642, 1663, 1668, 5000, 10101, 10500]],
  ])('is %s for %j, whatever the app', (expected, codes) => {
    for (const appType of APP_TYPES) {
      expect(codes.map((code) => meaningOf(code, appType).code)).toEqual(codes.map(() => expected));
    }
  });

  it.each([10012, 99991666])('takes %i for a stale ticket of a store app', (code) => {
    expect(meaningOf(code, 'store').code).toBe('ERR_FEISHU_APP_TICKET_MISSING');
  });

  it('takes 10013 for a tenant of a store app that is gone', () => {
    expect(meaningOf(10013, 'store').code).toBe('ERR_FEISHU_TENANT_REJECTED');
  });

  it.each([10012, 10013, 99991666])(
    'blames the credentials for %i, which a self-built app cannot have',
    (code) => {
      expect(meaningOf(code, 'self-built').code).toBe('ERR_FEISHU_CREDENTIALS_REJECTED');
    },
  );

  it('takes a code that nobody knows for a passing one', () => {
    expect(meaningOf(123_456_789, 'self-built').code).toBe('ERR_FEISHU_PLATFORM_UNAVAILABLE');
    expect(meaningOf(-1, 'store').code).toBe('ERR_FEISHU_PLATFORM_UNAVAILABLE');
  });

  it.each([10003, 10014, 10015, 10012, 99991665, 99991400, 2200, 1])('says what to do about %i', (code) => {
    for (const appType of APP_TYPES) expect(meaningOf(code, appType).hint).toMatch(/\w+ \w+ \w+|too often/);
  });
});

describe('isTokenRejection', () => {
  it('is true for what another token may mend', () => {
    expect([99991663, 99991664].map(isTokenRejection)).toEqual([true, true]);
  });

  it.each([0, 99991661, 99991672, 99991679, 99991400, 230002, '99991663', undefined, null, {}])(
    'is false for %p',
    (code) => {
      expect(isTokenRejection(code)).toBe(false);
    },
  );
});

describe('isAppTokenRejection', () => {
  it('is about the app token that a tenant grant was given, and not about the tenant', () => {
    expect([99991663, 99991664].map(isAppTokenRejection)).toEqual([true, true]);
    expect([99991665, 10012, 0, undefined].map(isAppTokenRejection)).toEqual([false, false, false, false]);
  });
});

describe('isPermanent', () => {
  it('is about what needs a human', () => {
    expect(isPermanent('ERR_FEISHU_CREDENTIALS_REJECTED')).toBe(true);
    expect(isPermanent('ERR_FEISHU_TENANT_REJECTED')).toBe(true);
    for (const code of [
      'ERR_FEISHU_PLATFORM_UNAVAILABLE',
      'ERR_FEISHU_RATE_LIMITED',
      'ERR_FEISHU_MALFORMED_RESPONSE',
      'ERR_FEISHU_APP_TICKET_MISSING',
    ] as const) {
      expect(isPermanent(code)).toBe(false);
    }
  });
});
