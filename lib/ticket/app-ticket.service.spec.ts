import { type TokenCache } from '../store/token-cache.js';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { InProcessRefreshLock } from '../lock/in-process-refresh-lock.js';
import { type RefreshLock } from '../lock/refresh-lock.js';
import { MemoryCache } from '../store/memory-cache.js';
import { RecordStore } from '../store/record-store.js';
import { SharedStore } from '../store/shared-store.js';
import { TestClock } from '../testing/test-clock.js';
import { AppTicketService } from './app-ticket.service.js';
import { type AppType } from '../platform/app-type.js';

const KEY = 'feishu-auth:v1:{open.feishu.cn:cli_a:0123456789ab:app_ticket}';
const MINUTE = 60_000;

describe('AppTicketService', () => {
  let clock: TestClock;
  let cache: TokenCache;
  let lock: RefreshLock;
  /** When the platform was asked to send the ticket again, on the monotonic clock. */
  let resends: number[];
  let onResend: (signal: AbortSignal) => Promise<void>;
  let failures: unknown[];
  let services: AppTicketService[];

  beforeEach(() => {
    clock = new TestClock();
    cache = new MemoryCache(10, clock);
    lock = new InProcessRefreshLock({ clock });
    resends = [];
    onResend = () => Promise.resolve();
    failures = [];
    services = [];
  });
  afterEach(async () => {
    for (const service of services) service.close();
    await TestClock.settle();
    // oxlint-disable-next-line jest/no-standalone-expect -- holds after each of these
    expect(clock.pendingTimers).toBe(0);
  });

  /** What one process has; all share the cache and the lock. */
  function start(appType: AppType = 'store'): AppTicketService {
    const service = new AppTicketService({
      appType,
      key: KEY,
      records: new RecordStore(new SharedStore(cache, clock, 250), undefined),
      grants: {
        resendAppTicket: (signal) => {
          resends.push(clock.monotonic());
          return onResend(signal);
        },
      },
      lock,
      clock,
      onResendFailed: (error) => failures.push(error),
    });
    services.push(service);
    return service;
  }

  /** How a wait ended: the ticket, or the error's code. */
  interface Wait {
    outcome?: string;
    error?: unknown;
  }
  function watch(waiting: Promise<string>): Wait {
    const wait: Wait = {};
    waiting.then(
      (ticket) => (wait.outcome = ticket),
      (error: unknown) => {
        wait.error = error;
        wait.outcome = error instanceof FeishuAuthError ? error.code : 'another error';
      },
    );
    return wait;
  }

  describe('set and current', () => {
    it('has none at first', async () => {
      const tickets = start();
      expect(await tickets.current()).toBeUndefined();
      expect(tickets.hasTicket()).toBe(false);
      expect(resends).toEqual([]);
    });

    it('has what was set, for as long as the application lives', async () => {
      const tickets = start();
      await tickets.set('ticket-1');
      expect(tickets.hasTicket()).toBe(true);
      await clock.advance(30 * 86_400_000);
      expect(await tickets.current()).toBe('ticket-1');
    });

    it('has the newest', async () => {
      const tickets = start();
      await tickets.set('ticket-1');
      await clock.advance(1);
      await tickets.set('ticket-2');
      expect(await tickets.current()).toBe('ticket-2');
    });

    it('survives a restart through the shared store', async () => {
      await start().set('ticket-1');
      const restarted = start();
      expect(restarted.hasTicket()).toBe(false);
      expect(await restarted.current()).toBe('ticket-1');
      expect(restarted.hasTicket()).toBe(true);
    });

    it('takes over a newer one that another process was given', async () => {
      const [one, other] = [start(), start()];
      await one.set('ticket-1');
      await clock.advance(1_000);
      await other.set('ticket-2');
      expect(await one.current()).toBe('ticket-2');
    });

    it('keeps its own where the store has an older one', async () => {
      const [one, late] = [start(), start()];
      await one.set('ticket-2');
      clock.jumpWall(-MINUTE);
      await late.set('ticket-1');
      expect(await one.current()).toBe('ticket-2');
    });

    it('has what was set even where the store does not take it', async () => {
      const tickets = start();
      cache.set = () => Promise.reject(new Error('down'));
      cache.get = () => Promise.reject(new Error('down'));
      await tickets.set('ticket-1');
      expect(await tickets.current()).toBe('ticket-1');
    });

    it('tells its listeners, and nobody when it closes', async () => {
      const tickets = start();
      let told = 0;
      tickets.onTicket(() => told++);
      await tickets.set('ticket-1');
      expect(told).toBe(1);
      tickets.close();
      expect(told).toBe(1);
    });

    it.each<[unknown]>([
      [''],
      [' '],
      ['ticket 1'],
      ['ticket-1\n'],
      ['ticket\0'],
      ['tické'],
      ['x'.repeat(1_025)],
      [undefined],
      [null],
      [42],
      [['ticket-1']],
    ])('refuses %j for a ticket', async (wrong) => {
      const tickets = start();
      await tickets.set('ticket-1');
      const set = tickets.set(wrong as string);
      await expect(set).rejects.toMatchObject({ code: 'ERR_FEISHU_INVALID_ARGUMENT', retryable: false });
      expect(await tickets.current()).toBe('ticket-1');
    });

    it('takes the longest there may be', async () => {
      const tickets = start();
      await tickets.set('x'.repeat(1_024));
      expect(await tickets.current()).toHaveLength(1_024);
    });
  });

  describe('of a self-built app', () => {
    it('refuses to set one and to wait for one, and has none', async () => {
      const tickets = start('self-built');
      const refused = { code: 'ERR_FEISHU_INVALID_ARGUMENT', message: expect.stringContaining("'store'") };
      await expect(tickets.set('ticket-1')).rejects.toMatchObject(refused);
      await expect(tickets.waitForTicket()).rejects.toMatchObject(refused);
      expect(await tickets.current()).toBeUndefined();
      expect(resends).toEqual([]);
    });
  });

  describe('waitForTicket', () => {
    it('gives at once what there is, and asks for nothing', async () => {
      const tickets = start();
      await tickets.set('ticket-1');
      expect(await tickets.waitForTicket()).toBe('ticket-1');
      expect(resends).toEqual([]);
    });

    it('asks for it again, and gives it as soon as it is set', async () => {
      const tickets = start();
      const wait = watch(tickets.waitForTicket());
      await clock.advance(2_345);
      expect(resends).toHaveLength(1);
      expect(wait.outcome).toBeUndefined();
      await tickets.set('ticket-1');
      await TestClock.settle();
      expect(wait.outcome).toBe('ticket-1');
    });

    it('does not wait for the platform to answer when the ticket is there', async () => {
      onResend = () => new Promise(() => undefined);
      const tickets = start();
      const wait = watch(tickets.waitForTicket());
      await clock.advance(100);
      await tickets.set('ticket-1');
      await TestClock.settle();
      expect(wait.outcome).toBe('ticket-1');
    });

    it('finds within a second what another process was given', async () => {
      const [waiting, given] = [start(), start()];
      const wait = watch(waiting.waitForTicket());
      await clock.advance(2_100);
      await given.set('ticket-1');
      await clock.advance(1_000);
      expect(wait.outcome).toBe('ticket-1');
    });

    it.each([[1_500], [undefined]])('gives up after %p ms, 10 s if not told', async (timeoutMs) => {
      const wait = watch(start().waitForTicket(timeoutMs === undefined ? {} : { timeoutMs }));
      await clock.advance((timeoutMs ?? 10_000) - 1);
      expect(wait.outcome).toBeUndefined();
      await clock.advance(1);
      expect(wait.error).toMatchObject({
        code: 'ERR_FEISHU_APP_TICKET_MISSING',
        retryable: true,
        message: expect.stringContaining('AppTicketService.set()'),
      });
    });

    it.each<[string, () => void]>([
      ['the platform', () => void (onResend = () => new Promise(() => undefined))],
      ['the lock', () => void (lock.acquire = () => new Promise(() => undefined))],
    ])('gives up in time as well when %s does not answer', async (_, hang) => {
      hang();
      const wait = watch(start().waitForTicket({ timeoutMs: 300 }));
      await clock.advance(300);
      expect(wait.outcome).toBe('ERR_FEISHU_APP_TICKET_MISSING');
      await clock.advance(10_000);
    });

    it('with a timeout of 0 asks once and does not wait for the ticket', async () => {
      const wait = watch(start().waitForTicket({ timeoutMs: 0 }));
      await TestClock.settle();
      expect(wait.outcome).toBe('ERR_FEISHU_APP_TICKET_MISSING');
      expect(resends).toHaveLength(1);
    });

    it('with a timeout of 0 takes the ticket that came while it asked', async () => {
      const tickets = start();
      onResend = () => tickets.set('ticket-1');
      expect(await tickets.waitForTicket({ timeoutMs: 0 })).toBe('ticket-1');
    });

    it('ends at the abort, with its reason, for this caller alone', async () => {
      const tickets = start();
      const controller = new AbortController();
      const reason = new Error('gave up');
      const [one, other] = [
        watch(tickets.waitForTicket({ signal: controller.signal })),
        watch(tickets.waitForTicket()),
      ];
      await clock.advance(500);
      controller.abort(reason);
      await TestClock.settle();
      expect(one.error).toBe(reason);
      expect(other.outcome).toBeUndefined();
      await tickets.set('ticket-1');
      await TestClock.settle();
      expect(other.outcome).toBe('ticket-1');
    });

    it('does not even ask when the signal is aborted already', async () => {
      const reason = new Error('gave up');
      const wait = watch(start().waitForTicket({ signal: AbortSignal.abort(reason) }));
      await TestClock.settle();
      expect(wait.error).toBe(reason);
      expect(resends).toEqual([]);
    });

    it("lets the request for it go on after its first caller's abort", async () => {
      let signal: AbortSignal | undefined;
      onResend = (it) => {
        signal = it;
        return new Promise(() => undefined);
      };
      const controller = new AbortController();
      const wait = watch(start().waitForTicket({ signal: controller.signal }));
      await clock.advance(10);
      controller.abort();
      await TestClock.settle();
      expect(wait.outcome).toBe('another error');
      expect(signal?.aborted).toBe(false);
    });

    it('ends when the application closes, and so does the request to the platform', async () => {
      let signal: AbortSignal | undefined;
      onResend = (it) => {
        signal = it;
        return new Promise((_, reject) => it.addEventListener('abort', () => reject(it.reason as Error)));
      };
      const tickets = start();
      const wait = watch(tickets.waitForTicket());
      await clock.advance(500);
      tickets.close();
      await TestClock.settle();
      expect(wait.outcome).toBe('ERR_FEISHU_CLOSED');
      expect(signal?.aborted).toBe(true);
      expect(failures).toEqual([]);
      await expect(tickets.waitForTicket()).rejects.toMatchObject({ code: 'ERR_FEISHU_CLOSED' });
    });
  });

  describe('asking the platform to send it again', () => {
    it('happens once a minute however many wait', async () => {
      const tickets = start();
      const waits = Array.from({ length: 100 }, () => watch(tickets.waitForTicket()));
      await clock.advance(10_000);
      expect(waits.map(({ outcome }) => outcome)).toEqual(waits.map(() => 'ERR_FEISHU_APP_TICKET_MISSING'));
      expect(resends).toHaveLength(1);
      watch(tickets.waitForTicket());
      await clock.advance(10_000);
      expect(resends).toHaveLength(1);
      await clock.advance(40_000);
      watch(tickets.waitForTicket());
      await clock.advance(10_000);
      expect(resends).toHaveLength(2);
    });

    it('happens again for who waits longer than a minute', async () => {
      watch(start().waitForTicket({ timeoutMs: 3 * MINUTE }));
      await clock.advance(2.5 * MINUTE);
      expect(resends).toHaveLength(3);
    });

    it('happens once a minute for all processes that share the lock', async () => {
      for (const tickets of [start(), start()]) {
        watch(tickets.waitForTicket());
        await clock.advance(3_000);
      }
      expect(resends).toHaveLength(1);
    });

    it('happens without the lock where that fails', async () => {
      lock.acquire = () => Promise.reject(new Error('down'));
      watch(start().waitForTicket());
      await TestClock.settle();
      expect(resends).toHaveLength(1);
    });

    it('happens without a lock that does not answer', async () => {
      lock.acquire = () => new Promise(() => undefined);
      const tickets = start();
      const wait = watch(tickets.waitForTicket());
      await clock.advance(500);
      expect(resends).toHaveLength(1);
      await tickets.set('ticket-1');
      await TestClock.settle();
      expect(wait.outcome).toBe('ticket-1');
    });

    it('leaves callers waiting when it fails for a passing reason, and tells it', async () => {
      const failure = new FeishuAuthError('ERR_FEISHU_PLATFORM_UNAVAILABLE', 'HTTP 503', { retryable: true });
      onResend = () => Promise.reject(failure);
      const tickets = start();
      const wait = watch(tickets.waitForTicket());
      await clock.advance(1_000);
      expect(wait.outcome).toBeUndefined();
      expect(failures).toEqual([failure]);
      await tickets.set('ticket-1');
      await TestClock.settle();
      expect(wait.outcome).toBe('ticket-1');
    });

    it.each([[10_000], [0]])('tells everybody why none will come, within %i ms', async (timeoutMs) => {
      const failure = new FeishuAuthError('ERR_FEISHU_CREDENTIALS_REJECTED', 'wrong secret');
      onResend = async () => {
        await clock.sleep(100);
        throw failure;
      };
      const tickets = start();
      const waits = [1, 2, 3].map(() => watch(tickets.waitForTicket({ timeoutMs })));
      await clock.advance(100);
      expect(waits.map(({ error }) => error)).toEqual([failure, failure, failure]);
      expect(resends).toHaveLength(1);
      expect(failures).toEqual([failure]);
    });
  });

  describe('a ticket that the platform refuses', () => {
    it('is dropped, not taken from the store again, and replaced by another', async () => {
      const tickets = start();
      await tickets.set('ticket-1');
      tickets.refuse('ticket-1');
      expect(tickets.hasTicket()).toBe(false);
      expect(await tickets.current()).toBeUndefined();
      const wait = watch(tickets.waitForTicket());
      await clock.advance(100);
      expect(resends).toHaveLength(1);
      await tickets.set('ticket-2');
      await TestClock.settle();
      expect(wait.outcome).toBe('ticket-2');
    });

    it('does not take with it a newer one', async () => {
      const tickets = start();
      await tickets.set('ticket-1');
      await tickets.set('ticket-2');
      tickets.refuse('ticket-1');
      expect(await tickets.current()).toBe('ticket-2');
    });

    it('counts again once it was pushed again', async () => {
      const tickets = start();
      await tickets.set('ticket-1');
      tickets.refuse('ticket-1');
      await tickets.set('ticket-1');
      expect(await tickets.current()).toBe('ticket-1');
    });

    it('gives way to the one that another process was given', async () => {
      const [one, other] = [start(), start()];
      await one.set('ticket-1');
      await clock.advance(1_000);
      await other.set('ticket-2');
      one.refuse('ticket-1');
      expect(await one.current()).toBe('ticket-2');
    });
  });
});
