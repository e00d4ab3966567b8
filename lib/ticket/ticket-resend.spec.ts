import { TicketFleet, watch } from '../../test/fixtures/ticket-fleet.js';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { TestClock } from '../testing/test-clock.js';

const MINUTE = 60_000;

describe('the request to send the ticket again', () => {
  let fleet: TicketFleet;
  beforeEach(() => {
    fleet = new TicketFleet();
  });
  afterEach(async () => {
    // oxlint-disable-next-line jest/no-standalone-expect -- holds after each of these
    expect(await fleet.close()).toBe(0);
  });

  it('is sent once a minute, however many callers wait', async () => {
    const tickets = fleet.start();
    const waits = Array.from({ length: 100 }, () => watch(tickets.waitForTicket()));
    await fleet.clock.advance(10_000);
    expect(waits.map(({ outcome }) => outcome)).toEqual(waits.map(() => 'ERR_FEISHU_APP_TICKET_MISSING'));
    expect(fleet.resends).toHaveLength(1);
    watch(tickets.waitForTicket());
    await fleet.clock.advance(10_000);
    expect(fleet.resends).toHaveLength(1);
    await fleet.clock.advance(40_000);
    watch(tickets.waitForTicket());
    await fleet.clock.advance(10_000);
    expect(fleet.resends).toHaveLength(2);
  });

  it('is sent again for a caller that waits longer than a minute', async () => {
    watch(fleet.start().waitForTicket({ timeoutMs: 3 * MINUTE }));
    await fleet.clock.advance(2.5 * MINUTE);
    expect(fleet.resends).toHaveLength(3);
  });

  it('is sent once a minute by all processes that share the lock', async () => {
    for (const tickets of [fleet.start(), fleet.start()]) {
      watch(tickets.waitForTicket());
      await fleet.clock.advance(3_000);
    }
    expect(fleet.resends).toHaveLength(1);
  });

  it('is sent without the lock if the lock fails', async () => {
    fleet.lock.claim = () => Promise.reject(new Error('down'));
    watch(fleet.start().waitForTicket());
    await TestClock.settle();
    expect(fleet.resends).toHaveLength(1);
  });

  it('is sent without the lock if the lock does not answer', async () => {
    fleet.lock.claim = () => new Promise(() => undefined);
    const tickets = fleet.start();
    const wait = watch(tickets.waitForTicket());
    await fleet.clock.advance(500);
    expect(fleet.resends).toHaveLength(1);
    await tickets.set('ticket-1');
    await TestClock.settle();
    expect(wait.outcome).toBe('ticket-1');
  });

  it('lets callers wait on after a transient failure, which is reported', async () => {
    const failure = new FeishuAuthError('ERR_FEISHU_PLATFORM_UNAVAILABLE', 'HTTP 503', { retryable: true });
    fleet.onResend = () => Promise.reject(failure);
    const tickets = fleet.start();
    const wait = watch(tickets.waitForTicket());
    await fleet.clock.advance(1_000);
    expect(wait.outcome).toBeUndefined();
    expect(fleet.resendFailures).toEqual([failure]);
    await tickets.set('ticket-1');
    await TestClock.settle();
    expect(wait.outcome).toBe('ticket-1');
  });

  it.each([[10_000], [0]])(
    'rejects every caller with a permanent failure (timeoutMs %i)',
    async (timeoutMs) => {
      const failure = new FeishuAuthError('ERR_FEISHU_CREDENTIALS_REJECTED', 'wrong secret');
      fleet.onResend = async () => {
        await fleet.clock.sleep(100);
        throw failure;
      };
      const tickets = fleet.start();
      const waits = [1, 2, 3].map(() => watch(tickets.waitForTicket({ timeoutMs })));
      await fleet.clock.advance(100);
      expect(waits.map(({ error }) => error)).toEqual([failure, failure, failure]);
      expect(fleet.resends).toHaveLength(1);
      expect(fleet.resendFailures).toEqual([failure]);
    },
  );
});
