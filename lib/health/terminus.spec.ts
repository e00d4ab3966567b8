import { isFeishuAuthError } from '../errors/feishu-auth.error.js';
import { loadTerminus } from './terminus.js';

describe('loadTerminus', () => {
  it('gives the sessions of the installed terminus', async () => {
    const check = await loadTerminus();
    expect(check('feishu').up({ a: 1 })).toEqual({ feishu: { status: 'up', a: 1 } });
  });

  it.each([
    [
      'terminus is not installed',
      () => Promise.reject(new Error("Cannot find package '@nestjs/terminus'")),
      /cannot be loaded.*npm install @nestjs\/terminus@12` with Nest 12.*@11` with Nest 11/,
    ],
    [
      'terminus 10 is installed, which has no HealthIndicatorService',
      () => Promise.resolve({ HealthCheckService: Object }),
      /version of @nestjs\/terminus is not supported.*npm install @nestjs\/terminus@12` with Nest 12/,
    ],
  ])('says what to install when %s', async (_situation, load, message) => {
    const error: unknown = await loadTerminus(load).catch((thrown: unknown) => thrown);
    expect(isFeishuAuthError(error, 'ERR_FEISHU_CONFIG_INVALID')).toBe(true);
    expect(String(error)).toMatch(message);
  });
});
