import { TicketFleet } from '../../test/fixtures/ticket-fleet.js';
import { TestClock } from '../testing/test-clock.js';
import { type AppTickets } from './app-tickets.js';

const HOUR = 3_600_000;

describe('a ticket that an event brings', () => {
  let fleet: TicketFleet;
  beforeEach(() => {
    fleet = new TicketFleet();
  });

  it('replaces another by the time it was sent, not by the time it arrives', async () => {
    const { clock } = fleet;
    const tickets = fleet.start();
    await tickets.receive('second', clock.now() - HOUR);
    await tickets.receive('first', clock.now() - 2 * HOUR);
    expect(await tickets.current()).toBe('second');
    await tickets.receive('third', clock.now());
    expect(await tickets.current()).toBe('third');
  });

  it('replaces the ticket of the store by the time it was sent, in each process', async () => {
    const { clock } = fleet;
    const [a, b] = [fleet.start(), fleet.start()];
    await a.receive('second', clock.now() - HOUR);
    await b.receive('first', clock.now() - 2 * HOUR);
    expect(await a.current()).toBe('second');
    expect(await b.current()).toBe('second');
    expect(await fleet.start().current()).toBe('second');
  });

  it('ends waits in this process at once, and in another process within a second', async () => {
    const { clock } = fleet;
    const [here, there] = [fleet.start(), fleet.start()];
    const woken: string[] = [];
    const wait = (name: string, tickets: AppTickets): Promise<unknown> =>
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

  it('replaces a ticket whose time was far in the future', async () => {
    const { clock } = fleet;
    const tickets = fleet.start();
    await tickets.receive('wrong-clock', clock.now() + 1_000 * HOUR);
    await clock.advance(HOUR);
    await tickets.receive('right', clock.now());
    expect(await tickets.current()).toBe('right');
    expect(await fleet.start().current()).toBe('right');
  });

  it('replaces a ticket that Feishu refused, although it was sent earlier', async () => {
    const tickets = fleet.start();
    await tickets.set('refused');
    tickets.refuse('refused');
    await tickets.receive('another', fleet.clock.now() - 1_000);
    expect(await tickets.current()).toBe('another');
    expect(await fleet.start().current()).toBe('another');
  });

  it.each([[undefined], [5], [''], ['with space'], ['x'.repeat(1_025)]])(
    'is refused if it is %j',
    async (ticket) => {
      const tickets = fleet.start();
      await expect(tickets.receive(ticket, fleet.clock.now())).rejects.toMatchObject({
        code: 'ERR_FEISHU_INVALID_ARGUMENT',
      });
      expect(tickets.hasTicket()).toBe(false);
    },
  );
});
