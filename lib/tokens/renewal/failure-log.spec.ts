import { slotOf } from '../../../test/fixtures/token-slots.js';
import { FeishuAuthError, type FeishuAuthErrorCode } from '../../errors/feishu-auth.error.js';
import { TestClock } from '../../testing/test-clock.js';
import { ThrottledLog, type ModuleLogger } from '../../time/throttled-log.js';
import { FailureLog } from './failure-log.js';

const error = (
  code: FeishuAuthErrorCode = 'ERR_FEISHU_PLATFORM_UNAVAILABLE',
  logId?: string,
): FeishuAuthError => new FeishuAuthError(code, 'POST /x: HTTP 503', { logId });

describe('FailureLog', () => {
  let clock: TestClock;
  let lines: string[];
  let log: FailureLog;

  beforeEach(() => {
    clock = new TestClock();
    lines = [];
    const say = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
    const logger = { log: say('log'), warn: say('warn'), error: say('error') };
    log = new FailureLog(new ThrottledLog(logger, clock));
  });

  it('logs which token failed, with code, message and log id', () => {
    log.failed(slotOf(clock, 'tenant_a'), error('ERR_FEISHU_PLATFORM_UNAVAILABLE', '2026-a'));
    log.failed(slotOf(clock, undefined, 'app'), error('ERR_FEISHU_RATE_LIMITED'));
    expect(lines).toEqual([
      'warn tenant_access_token of tenant_a: ERR_FEISHU_PLATFORM_UNAVAILABLE: POST /x: HTTP 503 [log id 2026-a]',
      'warn app_access_token: ERR_FEISHU_RATE_LIMITED: POST /x: HTTP 503',
    ]);
  });

  it('logs rejected credentials as an error, because only a human can fix them', () => {
    log.failed(slotOf(clock), error('ERR_FEISHU_CREDENTIALS_REJECTED'));
    expect(lines[0]).toMatch(/^error tenant_access_token: ERR_FEISHU_CREDENTIALS_REJECTED/);
  });

  it('logs a failure that goes on only once', async () => {
    const slot = slotOf(clock);
    for (let i = 0; i < 100; i++) {
      log.failed(slot, error());
      await clock.advance(5_000);
    }
    expect(lines).toHaveLength(1);
  });

  it('logs again when the code of the failure changes', () => {
    const slot = slotOf(clock);
    log.failed(slot, error('ERR_FEISHU_PLATFORM_UNAVAILABLE'));
    log.failed(slot, error('ERR_FEISHU_CREDENTIALS_REJECTED'));
    expect(lines).toHaveLength(2);
  });

  it('logs the recovery once, and only after a failure', () => {
    const slot = slotOf(clock, 'tenant_a');
    log.succeeded(slot);
    expect(lines).toEqual([]);
    log.failed(slot, error());
    log.succeeded(slot);
    log.succeeded(slot);
    expect(lines.slice(1)).toEqual(['log tenant_access_token of tenant_a: renewed again']);
  });

  it('logs one line a minute for tenants that fail alike, with the number of the others', async () => {
    for (let i = 0; i < 1_000; i++) log.failed(slotOf(clock, `t${i}`), error());
    expect(lines).toHaveLength(1);
    await clock.advance(59_999);
    log.failed(slotOf(clock, 'early'), error());
    expect(lines).toHaveLength(1);
    await clock.advance(1);
    log.failed(slotOf(clock, 'late'), error());
    expect(lines[1]).toMatch(/^warn tenant_access_token of late: .* \(and 1000 more like it\)$/);
  });

  it('logs the recovery of many tenants once', () => {
    const slots = Array.from({ length: 100 }, (_, i) => slotOf(clock, `t${i}`));
    for (const slot of slots) log.failed(slot, error());
    for (const slot of slots) log.succeeded(slot);
    expect(lines).toHaveLength(2);
  });

  it('logs each code and each kind of token apart', () => {
    log.failed(slotOf(clock, 'a'), error('ERR_FEISHU_PLATFORM_UNAVAILABLE'));
    log.failed(slotOf(clock, 'b'), error('ERR_FEISHU_TENANT_REJECTED'));
    log.failed(slotOf(clock, undefined, 'app'), error('ERR_FEISHU_PLATFORM_UNAVAILABLE'));
    expect(lines).toHaveLength(3);
  });

  it('counts the minute by the monotonic clock', () => {
    log.failed(slotOf(clock, 'a'), error());
    clock.jumpWall(3_600_000);
    log.failed(slotOf(clock, 'b'), error());
    expect(lines).toHaveLength(1);
  });

  it('logs once a minute that the request for the ticket failed', async () => {
    log.resendFailed(error('ERR_FEISHU_CREDENTIALS_REJECTED'));
    log.resendFailed(error('ERR_FEISHU_CREDENTIALS_REJECTED'));
    await clock.advance(60_000);
    log.resendFailed(new Error('a foreign message, which may hold anything'));
    expect(lines).toEqual([
      'warn app_ticket: the request to send it again failed: ERR_FEISHU_CREDENTIALS_REJECTED: POST /x: HTTP 503',
      'warn app_ticket: the request to send it again failed: unexpected error (and 1 more like it)',
    ]);
  });

  it("does not throw when the host's logger throws", () => {
    const fail = (): never => {
      throw new Error('disk full');
    };
    const broken: ModuleLogger = { log: fail, warn: fail, error: fail };
    const slot = slotOf(clock);
    const quiet = new FailureLog(new ThrottledLog(broken, clock));
    expect(() => {
      quiet.failed(slot, error('ERR_FEISHU_CREDENTIALS_REJECTED'));
      quiet.succeeded(slot);
      quiet.resendFailed(error());
    }).not.toThrow();
  });
});
