import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';
import { FakeStore, fail, hang } from '../../test/fixtures/fake-store.js';
import { STORE_TIMEOUT_MS, TICKET_KEY, TicketFleet } from '../../test/fixtures/ticket-fleet.js';
import { TestClock } from '../testing/test-clock.js';

const MINUTE = 60_000;
const DAY = 86_400_000;

describe('AppTickets', () => {
  let fleet: TicketFleet;
  beforeEach(() => {
    fleet = new TicketFleet();
  });
  afterEach(async () => {
    // oxlint-disable-next-line jest/no-standalone-expect -- holds after each of these
    expect(await fleet.close()).toBe(0);
  });

  /** Puts a store that can hang and fail under the fleet. */
  function withFakeStore(): FakeStore {
    const store = new FakeStore(fleet.clock);
    fleet.cache = store.bare;
    return store;
  }

  describe('set() and current()', () => {
    it('has no ticket at first', async () => {
      const tickets = fleet.start();
      expect(await tickets.current()).toBeUndefined();
      expect(tickets.hasTicket()).toBe(false);
      expect(fleet.resends).toEqual([]);
    });

    it('keeps a ticket that was set, for as long as the application lives', async () => {
      const tickets = fleet.start();
      await tickets.set('ticket-1');
      expect(tickets.hasTicket()).toBe(true);
      await fleet.clock.advance(60 * DAY);
      expect(await tickets.current()).toBe('ticket-1');
    });

    it('returns the newest ticket', async () => {
      const tickets = fleet.start();
      await tickets.set('ticket-1');
      await fleet.clock.advance(1);
      await tickets.set('ticket-2');
      expect(await tickets.current()).toBe('ticket-2');
    });

    it('returns the latest ticket that was set although the wall clock was set back', async () => {
      const tickets = fleet.start();
      await tickets.set('ticket-1');
      fleet.clock.jumpWall(-60 * MINUTE);
      await tickets.set('ticket-2');
      expect(await tickets.current()).toBe('ticket-2');
      expect(await fleet.start().current()).toBe('ticket-2');
    });

    it('finds the ticket in the shared store after a restart', async () => {
      await fleet.start().set('ticket-1');
      const restarted = fleet.start();
      expect(restarted.hasTicket()).toBe(false);
      expect(await restarted.current()).toBe('ticket-1');
      expect(restarted.hasTicket()).toBe(true);
    });

    it('takes over a newer ticket that another process was given', async () => {
      const [one, other] = [fleet.start(), fleet.start()];
      await one.set('ticket-1');
      await fleet.clock.advance(1_000);
      await other.set('ticket-2');
      expect(await one.current()).toBe('ticket-2');
    });

    it('keeps its ticket when the store has an older one', async () => {
      const [one, late] = [fleet.start(), fleet.start()];
      await one.set('ticket-2');
      fleet.clock.jumpWall(-MINUTE);
      await late.set('ticket-1');
      expect(await one.current()).toBe('ticket-2');
    });

    it('keeps a ticket that the store refuses to take', async () => {
      const tickets = fleet.start();
      fleet.cache.set = () => Promise.reject(new Error('down'));
      fleet.cache.get = () => Promise.reject(new Error('down'));
      await tickets.set('ticket-1');
      expect(await tickets.current()).toBe('ticket-1');
    });

    it('calls its listeners for each ticket, and not when it closes', async () => {
      const tickets = fleet.start();
      let calls = 0;
      tickets.onTicket(() => calls++);
      await tickets.set('ticket-1');
      expect(calls).toBe(1);
      tickets.close();
      expect(calls).toBe(1);
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
    ])('refuses %j as a ticket', async (wrong) => {
      const tickets = fleet.start();
      await tickets.set('ticket-1');
      const set = tickets.set(wrong as string);
      await expect(set).rejects.toMatchObject({ code: 'ERR_FEISHU_INVALID_ARGUMENT', retryable: false });
      expect(await tickets.current()).toBe('ticket-1');
    });

    it('accepts a ticket of 1024 characters', async () => {
      const tickets = fleet.start();
      await tickets.set('x'.repeat(1_024));
      expect(await tickets.current()).toHaveLength(1_024);
    });

    it('refuses to set a ticket and to wait for one in a self-built app', async () => {
      const tickets = fleet.start('self-built');
      const refused = { code: 'ERR_FEISHU_INVALID_ARGUMENT', message: expect.stringContaining("'store'") };
      await expect(tickets.set('ticket-1')).rejects.toMatchObject(refused);
      await expect(tickets.waitForTicket()).rejects.toMatchObject(refused);
      expect(await tickets.current()).toBeUndefined();
      expect(fleet.resends).toEqual([]);
    });
  });

  describe('a ticket that Feishu refuses', () => {
    it('is dropped, not taken from the store again, and replaced by another', async () => {
      const tickets = fleet.start();
      await tickets.set('ticket-1');
      tickets.refuse('ticket-1');
      expect(tickets.hasTicket()).toBe(false);
      expect(await tickets.current()).toBeUndefined();
      await tickets.set('ticket-2');
      expect(await tickets.current()).toBe('ticket-2');
    });

    it('does not take a newer ticket with it', async () => {
      const tickets = fleet.start();
      await tickets.set('ticket-1');
      await tickets.set('ticket-2');
      tickets.refuse('ticket-1');
      expect(await tickets.current()).toBe('ticket-2');
    });

    it('is used again after Feishu pushed it again', async () => {
      const tickets = fleet.start();
      await tickets.set('ticket-1');
      tickets.refuse('ticket-1');
      await tickets.set('ticket-1');
      expect(await tickets.current()).toBe('ticket-1');
    });

    it('gives way to a ticket that another process was given', async () => {
      const [one, other] = [fleet.start(), fleet.start()];
      await one.set('ticket-1');
      await fleet.clock.advance(1_000);
      await other.set('ticket-2');
      one.refuse('ticket-1');
      expect(await one.current()).toBe('ticket-2');
    });

    it('is replaced in the store by a ticket that was sent earlier', async () => {
      const tickets = fleet.start();
      await tickets.set('refused');
      tickets.refuse('refused');
      await tickets.receive('another', fleet.clock.now() - 1_000);
      expect(await tickets.current()).toBe('another');
      expect(await fleet.start().current()).toBe('another');
    });
  });

  describe('the shared store', () => {
    it('A4 is given the ticket by the next sweep if it was down when the ticket arrived', async () => {
      const store = withFakeStore();
      const tickets = fleet.start();
      store.break(fail);
      await tickets.receive('ticket-1', fleet.clock.now());
      expect(store.size).toBe(0);
      store.recover();
      await tickets.shareAgain();
      expect(await fleet.start().current()).toBe('ticket-1');
      const { writes } = store;
      await tickets.shareAgain();
      expect(store.writes).toBe(writes);
    });

    it('A4 is given the ticket by the next look into it, when nothing sweeps', async () => {
      const store = withFakeStore();
      const tickets = fleet.start();
      store.break(fail);
      await tickets.set('ticket-1');
      store.recover();
      await tickets.current();
      await TestClock.settle();
      expect(await fleet.start().current()).toBe('ticket-1');
    });

    it('A4 keeps a newer ticket that another process stored while this one could not', async () => {
      const store = withFakeStore();
      const [one, other] = [fleet.start(), fleet.start()];
      store.break(fail);
      await one.set('ticket-1');
      store.recover();
      await fleet.clock.advance(1_000);
      await other.set('ticket-2');
      await one.shareAgain();
      expect(await one.current()).toBe('ticket-2');
      expect(await fleet.start().current()).toBe('ticket-2');
    });

    it('A5 keeps the ticket longer than the default TTL of the cache', async () => {
      fleet.cache = createCache({ stores: [new Keyv()], ttl: 5 * MINUTE });
      const ttls: unknown[] = [];
      const set = fleet.cache.set.bind(fleet.cache);
      fleet.cache.set = (key, value, ttl) => {
        ttls.push(ttl);
        return set(key, value, ttl);
      };
      await fleet.start().set('ticket-1');
      expect(ttls).toEqual([30 * DAY]);
    });

    it('A6 ends with the newer of two tickets when the first read of the store is slow', async () => {
      const store = withFakeStore();
      const tickets = fleet.start();
      let answer!: (value: undefined) => void;
      store.onGet = () => new Promise((resolve) => (answer = resolve));
      const first = tickets.set('older');
      await fleet.clock.advance(10);
      store.recover();
      const second = tickets.set('newer');
      await TestClock.settle();
      answer(undefined);
      await Promise.all([first, second]);
      expect(store.value(TICKET_KEY)).toMatchObject({ secret: 'newer' });
      expect(await fleet.start().current()).toBe('newer');
    });

    it('A6 ends with the newer of two tickets when the first write to the store is slow', async () => {
      const store = withFakeStore();
      const tickets = fleet.start();
      let written!: () => void;
      store.onSet = (key, value) =>
        new Promise<void>((resolve) => {
          written = () => {
            store.put(key, value);
            resolve();
          };
        });
      const first = tickets.set('older');
      await fleet.clock.advance(10);
      store.recover();
      const second = tickets.set('newer');
      await TestClock.settle();
      written();
      await Promise.all([first, second]);
      expect(store.value(TICKET_KEY)).toMatchObject({ secret: 'newer' });
    });

    it('A7 delays set() by one deadline at most when it does not answer', async () => {
      const store = withFakeStore();
      const tickets = fleet.start();
      store.break(hang);
      const before = fleet.clock.monotonic();
      let tookMs = Infinity;
      const set = tickets.set('ticket-1').then(() => (tookMs = fleet.clock.monotonic() - before));
      expect(tickets.held()).toBe('ticket-1');
      await fleet.clock.advance(2 * STORE_TIMEOUT_MS);
      await set;
      expect(tookMs).toBeLessThanOrEqual(STORE_TIMEOUT_MS);
    });

    it('A7 delays set() by one deadline at most when it reads but does not write', async () => {
      const store = withFakeStore();
      const tickets = fleet.start();
      store.onGet = async () => {
        await fleet.clock.sleep(STORE_TIMEOUT_MS - 10);
        return undefined;
      };
      store.onSet = hang;
      const before = fleet.clock.monotonic();
      let tookMs = Infinity;
      const set = tickets.set('ticket-1').then(() => (tookMs = fleet.clock.monotonic() - before));
      await fleet.clock.advance(2 * STORE_TIMEOUT_MS);
      await set;
      expect(tookMs).toBeLessThanOrEqual(STORE_TIMEOUT_MS);
    });
  });
});
