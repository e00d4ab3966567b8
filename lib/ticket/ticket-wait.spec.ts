import { TicketFleet, watch } from '../../test/fixtures/ticket-fleet.js';
import { TestClock } from '../testing/test-clock.js';

describe('waitForTicket()', () => {
  let fleet: TicketFleet;
  beforeEach(() => {
    fleet = new TicketFleet();
  });
  afterEach(async () => {
    // oxlint-disable-next-line jest/no-standalone-expect -- holds after each of these
    expect(await fleet.close()).toBe(0);
  });

  it('returns a known ticket at once and sends no request', async () => {
    const tickets = fleet.start();
    await tickets.set('ticket-1');
    expect(await tickets.waitForTicket()).toBe('ticket-1');
    expect(fleet.resends).toEqual([]);
  });

  it('asks Feishu to send the ticket again, and returns it as soon as it is set', async () => {
    const tickets = fleet.start();
    const wait = watch(tickets.waitForTicket());
    await fleet.clock.advance(2_345);
    expect(fleet.resends).toHaveLength(1);
    expect(wait.outcome).toBeUndefined();
    await tickets.set('ticket-1');
    await TestClock.settle();
    expect(wait.outcome).toBe('ticket-1');
  });

  it('returns the ticket although Feishu has not answered the request for it', async () => {
    fleet.onResend = () => new Promise(() => undefined);
    const tickets = fleet.start();
    const wait = watch(tickets.waitForTicket());
    await fleet.clock.advance(100);
    await tickets.set('ticket-1');
    await TestClock.settle();
    expect(wait.outcome).toBe('ticket-1');
  });

  it('finds a ticket that another process was given within a second', async () => {
    const [waiting, given] = [fleet.start(), fleet.start()];
    const wait = watch(waiting.waitForTicket());
    await fleet.clock.advance(2_100);
    await given.set('ticket-1');
    await fleet.clock.advance(1_000);
    expect(wait.outcome).toBe('ticket-1');
  });

  it.each([[1_500], [undefined]])('gives up after timeoutMs (%p), 10 s by default', async (timeoutMs) => {
    const wait = watch(fleet.start().waitForTicket(timeoutMs === undefined ? {} : { timeoutMs }));
    await fleet.clock.advance((timeoutMs ?? 10_000) - 1);
    expect(wait.outcome).toBeUndefined();
    await fleet.clock.advance(1);
    expect(wait.error).toMatchObject({
      code: 'ERR_FEISHU_APP_TICKET_MISSING',
      retryable: true,
      message: expect.stringContaining('AppTicketService.set()'),
    });
  });

  it.each<[string, (fleet: TicketFleet) => void]>([
    ['Feishu', (it) => void (it.onResend = () => new Promise(() => undefined))],
    ['the lock', (it) => void (it.lock.claim = () => new Promise(() => undefined))],
  ])('gives up in time when %s does not answer', async (_, hang) => {
    hang(fleet);
    const wait = watch(fleet.start().waitForTicket({ timeoutMs: 300 }));
    await fleet.clock.advance(300);
    expect(wait.outcome).toBe('ERR_FEISHU_APP_TICKET_MISSING');
    await fleet.clock.advance(10_000);
  });

  it('asks once and does not wait with a timeout of 0', async () => {
    const wait = watch(fleet.start().waitForTicket({ timeoutMs: 0 }));
    await TestClock.settle();
    expect(wait.outcome).toBe('ERR_FEISHU_APP_TICKET_MISSING');
    expect(fleet.resends).toHaveLength(1);
  });

  it('returns a ticket that arrives during the request with a timeout of 0', async () => {
    const tickets = fleet.start();
    fleet.onResend = () => tickets.set('ticket-1');
    expect(await tickets.waitForTicket({ timeoutMs: 0 })).toBe('ticket-1');
  });

  it('rejects with the reason of an abort, for that caller alone', async () => {
    const tickets = fleet.start();
    const controller = new AbortController();
    const reason = new Error('gave up');
    const [one, other] = [
      watch(tickets.waitForTicket({ signal: controller.signal })),
      watch(tickets.waitForTicket()),
    ];
    await fleet.clock.advance(500);
    controller.abort(reason);
    await TestClock.settle();
    expect(one.error).toBe(reason);
    expect(other.outcome).toBeUndefined();
    await tickets.set('ticket-1');
    await TestClock.settle();
    expect(other.outcome).toBe('ticket-1');
  });

  it('sends no request if the signal is aborted already', async () => {
    const reason = new Error('gave up');
    const wait = watch(fleet.start().waitForTicket({ signal: AbortSignal.abort(reason) }));
    await TestClock.settle();
    expect(wait.error).toBe(reason);
    expect(fleet.resends).toEqual([]);
  });

  it('does not abort the request with the caller that started it', async () => {
    let signal: AbortSignal | undefined;
    fleet.onResend = (it) => {
      signal = it;
      return new Promise(() => undefined);
    };
    const controller = new AbortController();
    const wait = watch(fleet.start().waitForTicket({ signal: controller.signal }));
    await fleet.clock.advance(10);
    controller.abort();
    await TestClock.settle();
    expect(wait.outcome).toBe('another error');
    expect(signal?.aborted).toBe(false);
  });

  it('ends with its request to Feishu when the application closes', async () => {
    let signal: AbortSignal | undefined;
    fleet.onResend = (it) => {
      signal = it;
      return new Promise((_, reject) => it.addEventListener('abort', () => reject(it.reason as Error)));
    };
    const tickets = fleet.start();
    const wait = watch(tickets.waitForTicket());
    await fleet.clock.advance(500);
    tickets.close();
    await TestClock.settle();
    expect(wait.outcome).toBe('ERR_FEISHU_CLOSED');
    expect(signal?.aborted).toBe(true);
    expect(fleet.resendFailures).toEqual([]);
    await expect(tickets.waitForTicket()).rejects.toMatchObject({ code: 'ERR_FEISHU_CLOSED' });
  });

  it.each([[Number.NaN], [Infinity], [-1], [2 ** 31], ['300'], [null], [{}]])(
    'C5 refuses %p as timeoutMs, at once',
    async (timeoutMs) => {
      const wait = watch(fleet.start().waitForTicket({ timeoutMs: timeoutMs as number }));
      await TestClock.settle();
      expect(wait.error).toMatchObject({
        code: 'ERR_FEISHU_INVALID_ARGUMENT',
        message: expect.stringContaining('timeoutMs'),
      });
      expect(fleet.resends).toEqual([]);
    },
  );

  it('C5 accepts the longest timeout that a timer can hold', async () => {
    const tickets = fleet.start();
    const wait = watch(tickets.waitForTicket({ timeoutMs: 2 ** 31 - 1 }));
    await fleet.clock.advance(1_000);
    await tickets.set('ticket-1');
    await TestClock.settle();
    expect(wait.outcome).toBe('ticket-1');
  });
});
