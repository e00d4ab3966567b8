import { type TokenCache } from '../store/token-cache.js';
import { InProcessRefreshLock } from '../lock/in-process-refresh-lock.js';
import { MemoryCache } from '../store/memory-cache.js';
import { RecordStore } from '../store/record-store.js';
import { SharedStore } from '../store/shared-store.js';
import { TestClock } from '../testing/test-clock.js';
import { AppTicketService } from './app-ticket.service.js';

const KEY = 'feishu-auth:v1:{open.feishu.cn:cli_a:0123456789ab:app_ticket}';
const HOUR = 3_600_000;

describe('tickets that come by events', () => {
  let clock: TestClock;
  let cache: TokenCache;
  beforeEach(() => {
    clock = new TestClock();
    cache = new MemoryCache(10, clock);
  });

  /** What one process has; all share the cache. */
  function start(): AppTicketService {
    return new AppTicketService({
      appType: 'store',
      key: KEY,
      records: new RecordStore(new SharedStore(cache, clock, 250), undefined),
      grants: { resendAppTicket: () => Promise.resolve() },
      lock: new InProcessRefreshLock({ clock }),
      clock,
      onResendFailed: () => undefined,
    });
  }

  it('overwrite each other by the time they were sent, not by the time they come', async () => {
    const tickets = start();
    await tickets.receive('second', clock.now() - HOUR);
    await tickets.receive('first', clock.now() - 2 * HOUR);
    expect(await tickets.current()).toBe('second');
    await tickets.receive('third', clock.now());
    expect(await tickets.current()).toBe('third');
  });

  it('do so in the store too, whichever process they come to', async () => {
    const [a, b] = [start(), start()];
    await a.receive('second', clock.now() - HOUR);
    await b.receive('first', clock.now() - 2 * HOUR);
    expect(await a.current()).toBe('second');
    expect(await b.current()).toBe('second');
    expect(await start().current()).toBe('second');
  });

  it('wake who waits in this process at once, and in another within a second', async () => {
    const [here, there] = [start(), start()];
    const woken: string[] = [];
    const wait = (name: string, tickets: AppTicketService): Promise<unknown> =>
      tickets.waitForTicket().then((ticket) => woken.push(`${name} ${ticket}`));
    const waits = [wait('here', here), wait('there', there)];
    await TestClock.settle();
    await clock.advance(300);
    await here.receive('t', clock.now());
    await TestClock.settle();
    expect(woken).toEqual(['here t']);
    await clock.advance(1_000);
    expect(woken).toEqual(['here t', 'there t']);
    await Promise.all(waits);
  });

  it('are not kept away by one that came out of a future', async () => {
    const tickets = start();
    await tickets.receive('of-a-clock-gone-wrong', clock.now() + 1_000 * HOUR);
    await clock.advance(HOUR);
    await tickets.receive('right', clock.now());
    expect(await tickets.current()).toBe('right');
    expect(await start().current()).toBe('right');
  });

  it('take the place of one that the platform refused, whatever its time', async () => {
    const tickets = start();
    await tickets.set('refused');
    tickets.refuse('refused');
    await tickets.receive('another', clock.now() - 1_000);
    expect(await tickets.current()).toBe('another');
    expect(await start().current()).toBe('another');
  });

  it.each([[undefined], [5], [''], ['with space'], ['x'.repeat(1_025)]])(
    'are no ticket: %j',
    async (ticket) => {
      const tickets = start();
      await expect(tickets.receive(ticket, clock.now())).rejects.toMatchObject({
        code: 'ERR_FEISHU_INVALID_ARGUMENT',
      });
      expect(tickets.hasTicket()).toBe(false);
    },
  );
});
