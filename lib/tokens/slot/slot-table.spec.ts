import { slotOf, tokenOf } from '../../../test/fixtures/token-slots.js';
import { TestClock } from '../../testing/test-clock.js';
import { SlotTable } from './slot-table.js';
import { type TokenFlight } from '../renewal/token-flight.js';
import { type TokenSlot } from './token-slot.js';

describe('SlotTable', () => {
  let clock: TestClock;
  beforeEach(() => {
    clock = new TestClock();
  });

  /** Slots of as many tenants, each read a second after the one before, added in order. */
  async function fill(table: SlotTable, count: number): Promise<TokenSlot[]> {
    const slots: TokenSlot[] = [];
    for (let i = 0; i < count; i++) {
      await clock.advance(1_000);
      const slot = slotOf(clock, `t${i}`);
      slot.hold(tokenOf(clock, `token-${i}`));
      slots.push(slot);
      table.add(slot);
    }
    return slots;
  }
  const keysOf = (table: SlotTable) => [...table].map(({ query }) => query.tenantKey);

  it('finds what was added, by kind and tenant', () => {
    const table = new SlotTable(10);
    const [app, own, tenant] = [slotOf(clock, undefined, 'app'), slotOf(clock), slotOf(clock, 'a')];
    for (const slot of [app, own, tenant]) table.add(slot);
    expect(table.find('app', undefined)).toBe(app);
    expect(table.find('tenant', undefined)).toBe(own);
    expect(table.find('tenant', 'a')).toBe(tenant);
    expect(table.find('tenant', 'b')).toBeUndefined();
    expect(table.size).toBe(3);
    expect([...table]).toEqual([app, own, tenant]);
  });

  it('lets go of what is removed: it holds nothing any more, and its handles can tell', () => {
    const table = new SlotTable(10);
    for (const slot of [slotOf(clock, undefined, 'app'), slotOf(clock, 'a')]) {
      slot.hold(tokenOf(clock, 'token'));
      table.add(slot);
      table.remove(slot);
      expect(slot.detached).toBe(true);
      expect(slot.kept).toBeUndefined();
      expect(slot.readFresh()).toBeUndefined();
    }
    expect(table.size).toBe(0);
  });

  it('does not remove the successor of what is removed twice', () => {
    const table = new SlotTable(10);
    const [first, successor] = [slotOf(clock, 'a'), slotOf(clock, 'a')];
    table.add(first);
    table.remove(first);
    table.add(successor);
    table.remove(first);
    expect(table.find('tenant', 'a')).toBe(successor);
    expect(successor.detached).toBe(false);
  });

  it('holds as many as it may, and lets nothing go before', async () => {
    const table = new SlotTable(32);
    await fill(table, 32);
    expect(table.size).toBe(32);
  });

  it('lets the least recently read go first, a few at a time, and never the newcomer', async () => {
    const table = new SlotTable(32);
    const slots = await fill(table, 32);
    await clock.advance(1_000);
    slots[0]?.readFresh();
    const newcomer = slotOf(clock, 'new');
    newcomer.readAt = -Infinity;
    table.add(newcomer);
    expect(table.size).toBe(30);
    expect(keysOf(table)).toEqual(['t0', ...slots.slice(4).map(({ query }) => query.tenantKey), 'new']);
    expect(slots.slice(1, 4).every(({ detached }) => detached)).toBe(true);
  });

  it('never lets go of the app token', async () => {
    const table = new SlotTable(2);
    const app = slotOf(clock, undefined, 'app');
    table.add(app);
    await fill(table, 20);
    expect(table.find('app', undefined)).toBe(app);
    expect(table.size).toBe(2);
  });

  it.each<[string, (slot: TokenSlot) => void]>([
    ['a flight', (slot) => void (slot.flight = {} as TokenFlight)],
    ['a failure', (slot) => void (slot.failFastUntil = clock.monotonic() + 100_000)],
    [
      'a rejection',
      (slot) => void (slot.rejected = { fingerprint: 'f', until: clock.monotonic() + 100_000 }),
    ],
    [
      'a confirmation',
      (slot) => void (slot.confirmed = { fingerprint: 'f', until: clock.monotonic() + 100_000 }),
    ],
  ])('keeps a slot with %s to remember', async (_, pin) => {
    const table = new SlotTable(8);
    const [oldest] = await fill(table, 1);
    if (oldest) pin(oldest);
    await fill(table, 8);
    expect(table.find('tenant', 't0')).toBeDefined();
  });

  it('forgets a failure once it is over', async () => {
    const table = new SlotTable(8);
    const [oldest] = await fill(table, 1);
    if (oldest) oldest.failFastUntil = clock.monotonic() + 1_000;
    await clock.advance(1_001);
    const others = Array.from({ length: 8 }, (__, i) => slotOf(clock, `u${i}`));
    for (const slot of others) table.add(slot);
    expect(oldest?.detached).toBe(true);
    expect(table.size).toBe(8);
  });

  it('bounds what it remembers of failures too: made-up tenant keys must not fill the memory', () => {
    const table = new SlotTable(8);
    for (let i = 0; i < 1_000; i++) {
      const slot = slotOf(clock, `made-up-${i}`);
      slot.failFastUntil = Infinity;
      table.add(slot);
    }
    expect(table.size).toBeLessThanOrEqual(16);
  });

  it('keeps even then what has a flight', () => {
    const table = new SlotTable(4);
    const flying = slotOf(clock, 'flying');
    flying.flight = {} as TokenFlight;
    table.add(flying);
    for (let i = 0; i < 100; i++) {
      const slot = slotOf(clock, `made-up-${i}`);
      slot.failFastUntil = Infinity;
      table.add(slot);
    }
    expect(table.find('tenant', 'flying')).toBe(flying);
  });
});
