import { type FeishuAuthErrorCode } from '../errors/feishu-auth.error.js';
import { isAppTokenRejection, isPermanent, isTokenRejection, meaningOf } from './error-codes.js';

const APP_TYPES = ['self-built', 'store'] as const;

describe('meaningOf', () => {
  it.each<[FeishuAuthErrorCode, number[]]>([
    ['ERR_FEISHU_CREDENTIALS_REJECTED', [10003, 10005, 10014, 10015, 20002, 20048, 99991543]],
    ['ERR_FEISHU_TENANT_REJECTED', [99991665]],
    ['ERR_FEISHU_RATE_LIMITED', [99991400]],
    ['ERR_FEISHU_PLATFORM_UNAVAILABLE', [2200, 1500, 1642, 1663, 1668, 5000, 10101, 10500]],
  ])('%s is the meaning of %j for both app types', (expected, codes) => {
    for (const appType of APP_TYPES) {
      expect(codes.map((code) => meaningOf(code, appType).code)).toEqual(codes.map(() => expected));
    }
  });

  it.each([10012, 99991666])('%i of a store app means a stale ticket', (code) => {
    expect(meaningOf(code, 'store').code).toBe('ERR_FEISHU_APP_TICKET_MISSING');
  });

  it('10013 of a store app means that the tenant has removed the app', () => {
    expect(meaningOf(10013, 'store').code).toBe('ERR_FEISHU_TENANT_REJECTED');
  });

  it.each([10012, 10013, 99991666])('%i of a self-built app means wrong credentials', (code) => {
    expect(meaningOf(code, 'self-built').code).toBe('ERR_FEISHU_CREDENTIALS_REJECTED');
  });

  it('an undocumented code means a temporary fault', () => {
    expect(meaningOf(123_456_789, 'self-built').code).toBe('ERR_FEISHU_PLATFORM_UNAVAILABLE');
    expect(meaningOf(-1, 'store').code).toBe('ERR_FEISHU_PLATFORM_UNAVAILABLE');
  });

  it.each([10003, 10014, 10015, 10012, 99991665, 99991400, 2200, 1])('has a hint for %i', (code) => {
    for (const appType of APP_TYPES) expect(meaningOf(code, appType).hint).toMatch(/\w+ \w+ \w+|too often/);
  });
});

describe('isTokenRejection', () => {
  it('is true for the codes that reject a token', () => {
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
  it('is true for codes about the app token and false for codes about the tenant', () => {
    expect([99991663, 99991664].map(isAppTokenRejection)).toEqual([true, true]);
    expect([99991665, 10012, 0, undefined].map(isAppTokenRejection)).toEqual([false, false, false, false]);
  });
});

describe('isPermanent', () => {
  it('is true for failures that need a change of configuration', () => {
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
