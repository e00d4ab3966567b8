import { outage, slotOf, SOME_FLIGHT, tokenOf } from '../../../test/fixtures/token-slots.js';
import { TestClock } from '../../testing/test-clock.js';
import { SlotTable } from './slot-table.js';
import { type TokenSlot } from './token-slot.js';

const APP = { kind: 'app', identity: '' } as const;
const tenant = (identity: string) => ({ kind: 'tenant', identity }) as const;

describe('SlotTable', () => {
  let clock: TestClock;
  beforeEach(() => {
    clock = new TestClock();
  });

  const tableOf = (maxTokens: number): SlotTable =>
    new SlotTable(maxTokens, ({ kind, identity }) => slotOf(clock, identity, kind));

  /** The slots of `count` tenants, each read a second after the one before. */
  async function fill(table: SlotTable, count: number): Promise<TokenSlot[]> {
    const slots: TokenSlot[] = [];
    for (let i = 0; i < count; i++) {
      await clock.advance(1_000);
      const slot = table.obtain(tenant(`t${i}`));
      slot.hold(tokenOf(clock, `token-${i}`));
      slots.push(slot);
    }
    return slots;
  }
  const identitiesIn = (table: SlotTable): string[] => [...table].map(({ identity }) => identity);

  it('makes a slot at the first query and returns it to the next', () => {
    const table = tableOf(10);
    const [app, own, ofTenant] = [APP, tenant(''), tenant('a')].map((query) => table.obtain(query));
    expect(table.obtain(APP)).toBe(app);
    expect(table.find('app', '')).toBe(app);
    expect(table.find('tenant', '')).toBe(own);
    expect(table.find('tenant', 'a')).toBe(ofTenant);
    expect(table.find('tenant', 'b')).toBeUndefined();
    expect(table.size).toBe(3);
    expect([...table]).toEqual([app, own, ofTenant]);
  });

  it('detaches a removed slot, which then holds no token', () => {
    const table = tableOf(10);
    for (const query of [APP, tenant('a')]) {
      const slot = table.obtain(query);
      slot.hold(tokenOf(clock, 'token'));
      table.remove(slot);
      expect(slot.detached).toBe(true);
      expect(slot.kept).toBeUndefined();
      expect(slot.readFresh()).toBeUndefined();
    }
    expect(table.size).toBe(0);
  });

  it('keeps the successor when a slot is removed twice', () => {
    const table = tableOf(10);
    const first = table.obtain(tenant('a'));
    table.remove(first);
    const successor = table.successorOf(first);
    expect(successor).not.toBe(first);
    table.remove(first);
    expect(table.find('tenant', 'a')).toBe(successor);
    expect(successor.detached).toBe(false);
    expect(table.successorOf(successor)).toBe(successor);
    expect(table.size).toBe(1);
  });

  it('evicts nothing up to maxTokens', async () => {
    const table = tableOf(32);
    await fill(table, 32);
    expect(table.size).toBe(32);
  });

  it('evicts the least recently read slots in a batch, and not the new one', async () => {
    const table = tableOf(32);
    const slots = await fill(table, 32);
    await clock.advance(1_000);
    slots[0]?.readFresh();
    table.obtain(tenant('new')).markUnread();
    expect(table.size).toBe(30);
    expect(identitiesIn(table)).toEqual(['t0', ...slots.slice(4).map(({ identity }) => identity), 'new']);
    expect(slots.slice(1, 4).every(({ detached }) => detached)).toBe(true);
  });

  it('does not evict the tokens of the app itself', async () => {
    const table = tableOf(2);
    const [app, own] = [table.obtain(APP), table.obtain(tenant(''))];
    await fill(table, 20);
    expect(table.find('app', '')).toBe(app);
    expect(table.find('tenant', '')).toBe(own);
    expect(table.size).toBe(3);
  });

  it.each<[string, (slot: TokenSlot) => void]>([
    ['has a flight', (slot) => slot.beginFlight(SOME_FLIGHT)],
    [
      'fails fast',
      (slot) => {
        slot.drop();
        slot.failed(outage(clock, 100_000), true, 0);
      },
    ],
    ['has a rejected value', (slot) => slot.reject('f', clock.monotonic() + 100_000)],
    ['has a confirmed value', (slot) => slot.confirm('f', clock.monotonic() + 100_000)],
  ])('does not evict a slot that %s', async (_, pin) => {
    const table = tableOf(8);
    const [oldest] = await fill(table, 1);
    if (oldest) pin(oldest);
    await fill(table, 8);
    expect(table.find('tenant', 't0')).toBeDefined();
  });

  it('evicts a slot whose failure is over', async () => {
    const table = tableOf(8);
    const oldest = table.obtain(tenant('oldest'));
    oldest.failed(outage(clock, 1_000), true, 0);
    await clock.advance(1_001);
    for (let i = 0; i < 8; i++) table.obtain(tenant(`u${i}`));
    expect(oldest.detached).toBe(true);
    expect(table.size).toBe(8);
  });

  it('keeps at most twice maxTokens when invented tenant keys fail', () => {
    const table = tableOf(8);
    for (let i = 0; i < 1_000; i++) {
      table.obtain(tenant(`invented-${i}`)).failed(outage(clock, 1e9), true, 0);
    }
    expect(table.size).toBeLessThanOrEqual(16);
  });

  it('does not evict a slot with a flight among failing ones', () => {
    const table = tableOf(4);
    const flying = table.obtain(tenant('flying'));
    flying.beginFlight(SOME_FLIGHT);
    for (let i = 0; i < 100; i++) {
      table.obtain(tenant(`invented-${i}`)).failed(outage(clock, 1e9), true, 0);
    }
    expect(table.find('tenant', 'flying')).toBe(flying);
  });

  it('holds nothing after it is closed', async () => {
    const table = tableOf(8);
    const [slot] = await fill(table, 3);
    table.close();
    expect(slot?.detached).toBe(true);
    expect(table.closed).toBe(true);
    expect(table.obtain(tenant('late')).identity).toBe('late');
    expect(table.size).toBe(0);
  });
});
