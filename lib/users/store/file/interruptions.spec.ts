import { jest } from '@jest/globals';
import * as fc from 'fast-check';
import { type BeforeStep, MemoryDisk } from '../../../../test/fixtures/memory-disk.js';
import { FileUserTokenStore } from '../file-user-token-store.js';

const KEY = 'the login';

jest.setTimeout(60_000);

type Store = FileUserTokenStore;

/** What one process does in a test. The login has the version `version` before, or is absent. */
type Work = (store: Store, version: string | null) => Promise<string | boolean | undefined>;

interface Case {
  name: string;
  /** The value before; `null`: it was deleted; `undefined`: there never was a login. */
  before: string | null | undefined;
  work: Work;
  after: string | undefined;
}

const dueAt = new Date(2_000);
const CASES: Case[] = [
  {
    name: 'the first login',
    before: undefined,
    work: (store) => store.put(KEY, 'created', null, { dueAt }),
    after: 'created',
  },
  {
    name: 'a login after a logout',
    before: null,
    work: (store) => store.put(KEY, 'created', null, { dueAt }),
    after: 'created',
  },
  {
    name: 'a replacement',
    before: 'old',
    work: (store, version) => store.put(KEY, 'replaced', version, { dueAt }),
    after: 'replaced',
  },
  {
    name: 'a replacement without a date',
    before: 'old',
    work: (store, version) => store.put(KEY, 'replaced', version),
    after: 'replaced',
  },
  {
    name: 'a logout',
    before: 'old',
    work: (store, version) => store.delete(KEY, version ?? ''),
    after: undefined,
  },
];

const RIVALS: { does: string; rival: (store: Store, version: string | null) => Promise<void> }[] = [
  {
    does: 'replaces the login three times',
    rival: async (store, version) => {
      let seen: string | null | undefined = version;
      for (const value of ['rival 1', 'rival 2', 'rival']) {
        seen = await store.put(KEY, value, seen, { dueAt: new Date(1_000) });
        if (seen === undefined) return;
      }
    },
  },
  {
    does: 'deletes the login and creates it',
    rival: async (store, version) => {
      const made = version ?? (await store.put(KEY, 'first', null)) ?? '';
      if (await store.delete(KEY, made)) await store.put(KEY, 'rival', null, { dueAt: new Date(1_000) });
    },
  },
];

const storeOn = (disk: MemoryDisk, before?: BeforeStep): Store =>
  new FileUserTokenStore({ directory: '/store' }, disk.operations(before));

/** A disk with the login, and its version. */
async function prepared(before: Case['before']): Promise<{ disk: MemoryDisk; version: string | null }> {
  const disk = new MemoryDisk();
  if (before === undefined) return { disk, version: null };
  const store = storeOn(disk);
  const version = (await store.put(KEY, before ?? 'deleted', null, { dueAt: new Date(1_000) })) ?? null;
  if (before !== null) return { disk, version };
  await store.delete(KEY, version ?? '');
  return { disk, version: null };
}

/** The number of steps that the work of a case takes. */
async function stepsOf({ before, work }: Case): Promise<number> {
  const { disk, version } = await prepared(before);
  let steps = 0;
  await work(
    storeOn(disk, async () => void steps++),
    version,
  );
  return steps;
}

const recordsOn = (disk: MemoryDisk): { name: string; text: string }[] =>
  disk.files('/store/logins').filter(({ name }) => name.endsWith('.json'));

/** The login is listed as due when its record says so, and not otherwise. */
async function expectDueDate(disk: MemoryDisk): Promise<void> {
  const store = storeOn(disk);
  const version = (await store.get(KEY))?.version;
  const record = recordsOn(disk).find(({ name }) => name.startsWith(`${version}.`))?.text ?? '{}';
  const date = (JSON.parse(record) as { dueAt?: number }).dueAt;
  for (const time of [1_000, 2_000]) {
    const listed = await store.dueBefore(new Date(time + 1), 10);
    expect(listed).toEqual(date !== undefined && date <= time ? [KEY] : []);
  }
}

/** The next process reads the login, replaces it and deletes it, and leaves nothing of the one before. */
async function expectUsable(disk: MemoryDisk, values: readonly (string | undefined)[]): Promise<void> {
  const store = storeOn(disk);
  const found = await store.get(KEY);
  expect(values).toContain(found?.value);
  await expectDueDate(disk);
  const version = await store.put(KEY, 'next', found?.version ?? null, { dueAt: new Date(1_000) });
  expect(await store.get(KEY)).toEqual({ value: 'next', version });
  await expectDueDate(disk);
  expect(recordsOn(disk)).toHaveLength(1);
  expect(await store.delete(KEY, version ?? '')).toBe(true);
  expect(recordsOn(disk)).toHaveLength(0);
  await expectDueDate(disk);
}

/** Which versions were written, and which of them replaced or deleted, by all processes of a test. */
class History {
  readonly written: string[] = [];
  readonly ended: string[] = [];

  constructor(before: string | null) {
    if (before !== null) this.written.push(before);
  }

  async put(store: Store, date?: number): Promise<void> {
    const from = (await store.get(KEY))?.version ?? null;
    const to = await store.put(KEY, 'value', from, date === undefined ? {} : { dueAt: new Date(date) });
    if (to === undefined) return;
    this.written.push(to);
    if (from !== null) this.ended.push(from);
  }

  async delete(store: Store): Promise<void> {
    const from = (await store.get(KEY))?.version;
    if (from !== undefined && (await store.delete(KEY, from))) this.ended.push(from);
  }
}

/** Each version was replaced or deleted once, the last one excepted, and nothing else is on the disk. */
async function expectOneSuccessorEach({ written, ended }: History, disk: MemoryDisk): Promise<void> {
  const last = (await storeOn(disk).get(KEY))?.version;
  expect([...ended, ...(last === undefined ? [] : [last])].toSorted()).toEqual(written.toSorted());
  const records = recordsOn(disk);
  expect(records).toHaveLength(last === undefined ? 0 : 1);
  const { dueAt: date } = JSON.parse(records[0]?.text ?? '{}') as { dueAt?: number };
  const markers = disk.files('/store/due').map(({ name }) => Number(name.split('.')[0]));
  // A race may leave a marker too many, which the next list removes.
  expect(markers).toEqual(expect.arrayContaining(date === undefined ? [] : [date]));
  await expectDueDate(disk);
}

interface Action {
  does: string;
  run: (store: Store, history: History) => Promise<unknown>;
}

const PUT: Action = { does: 'replaces the login', run: (store, history) => history.put(store, 2_000) };
const PUT_AS_BEFORE: Action = {
  does: 'replaces the login with the date that it had',
  run: (store, history) => history.put(store, 1_000),
};
const PUT_WITHOUT_DATE: Action = {
  does: 'replaces the login without a date',
  run: (store, history) => history.put(store),
};
const PUT_TWICE: Action = {
  does: 'replaces the login twice',
  run: async (store, history) => {
    await history.put(store, 2_000);
    await history.put(store, 1_000);
  },
};
const DELETE: Action = { does: 'deletes the login', run: (store, history) => history.delete(store) };
const LIST: Action = {
  does: 'lists due logins',
  run: (store) => store.dueBefore(new Date(3_000), 10),
};
const PAIRS: { first: Action; second: Action }[] = [
  { first: PUT, second: PUT },
  { first: PUT, second: PUT_TWICE },
  { first: PUT_WITHOUT_DATE, second: PUT_AS_BEFORE },
  { first: PUT, second: DELETE },
  { first: DELETE, second: PUT_TWICE },
  { first: LIST, second: PUT_TWICE },
  { first: PUT, second: LIST },
];

class Gate {
  open!: () => void;
  readonly isOpen = new Promise<void>((resolve) => (this.open = resolve));
}

/** Runs the first process up to a step, then the second one up to a step, the first one to its end, and the second one. */
async function interleaved(
  first: [step: number, run: (before: BeforeStep) => Promise<unknown>],
  second: [step: number, run: (before: BeforeStep) => Promise<unknown>],
): Promise<{ reached: { first: boolean; second: boolean } }> {
  const reached = { first: false, second: false };
  let [firstLeft, secondLeft] = [first[0], second[0]];
  const firstOver = new Gate();
  const secondStopped = new Gate();
  let secondOver: Promise<unknown> = Promise.resolve();
  const runSecond = (): Promise<unknown> =>
    second[1](async () => {
      if (secondLeft-- !== 0) return;
      reached.second = true;
      secondStopped.open();
      await firstOver.isOpen;
    });
  await first[1](async () => {
    if (firstLeft-- !== 0) return;
    reached.first = true;
    secondOver = runSecond().finally(() => secondStopped.open());
    await secondStopped.isOpen;
  });
  firstOver.open();
  await secondOver;
  return { reached };
}

describe('a process that uses FileUserTokenStore', () => {
  it.each(CASES)(
    'may be killed at any step of $name: the login is as before or as after, and not blocked',
    async (it) => {
      const steps = await stepsOf(it);
      expect(steps).toBeGreaterThan(4);
      for (let step = 0; step < steps; step++) {
        const { disk, version } = await prepared(it.before);
        let left = step;
        const killed = storeOn(disk, async (operation, path) => {
          if (left-- > 0) return;
          // The half of a file, if it was killed while it wrote one.
          if (operation === 'create' && left === -1) disk.create(path, '{"key":');
          throw new Error('killed');
        });
        await it.work(killed, version).catch(() => undefined);
        await expectUsable(disk, [it.before ?? undefined, it.after]);
      }
    },
  );

  it.each(CASES)(
    'may lose its power at any step of $name: the login is as before or as after, and not damaged',
    async (it) => {
      const steps = await stepsOf(it);
      for (let step = 0; step < steps; step++) {
        for (let draw = 0; draw < 8; draw++) {
          const { disk, version } = await prepared(it.before);
          let left = step;
          const dead = storeOn(disk, async () => {
            if (left-- <= 0) throw new Error('no power');
          });
          await it.work(dead, version).catch(() => undefined);
          // Of three changes that were not synced, each combination survives once.
          let change = 0;
          disk.cutPower(() => ((draw >> (change++ % 3)) & 1) === 1);
          await expectUsable(disk, [it.before ?? undefined, it.after]);
        }
      }
    },
  );

  it.each(CASES)('has $name on the disk when it answers', async ({ before, work, after }) => {
    const { disk, version } = await prepared(before);
    await work(storeOn(disk), version);
    disk.cutPower(() => false);
    await expectUsable(disk, [after]);
  });

  it.each(CASES.flatMap((it) => RIVALS.map((rival) => ({ ...it, ...rival }))))(
    'may pause at any step of $name while another $does: one of them wins',
    async ({ rival, ...it }) => {
      const steps = await stepsOf(it);
      for (let step = 0; step < steps; step++) {
        const { disk, version } = await prepared(it.before);
        let left = step;
        let rivalWon = false;
        const paused = storeOn(disk, async () => {
          if (left-- !== 0) return;
          await rival(storeOn(disk), version);
          rivalWon = (await storeOn(disk).get(KEY))?.value === 'rival';
        });
        const answer = await it.work(paused, version);
        const end = await storeOn(disk).get(KEY);
        // The one that was second found the login changed.
        expect(answer !== undefined && answer !== false).toBe(!rivalWon);
        expect(end?.value === 'rival').toBe(rivalWon);
        await expectDueDate(disk);
        expect(recordsOn(disk)).toHaveLength(end === undefined ? 0 : 1);
      }
    },
  );

  it.each(PAIRS)(
    'may pause at any step while it $first.does, go on while another $second.does, and still one of them wins',
    async ({ first, second }) => {
      for (const before of ['old', undefined]) {
        let isOver = false;
        for (let step = 0; !isOver; step++) {
          let isSecondOver = false;
          for (let other = 0; !isSecondOver && !isOver; other++) {
            const { disk, version } = await prepared(before);
            const history = new History(version);
            const { reached } = await interleaved(
              [step, (beforeStep) => first.run(storeOn(disk, beforeStep), history)],
              [other, (beforeStep) => second.run(storeOn(disk, beforeStep), history)],
            );
            [isOver, isSecondOver] = [!reached.first, !reached.second];
            await expectOneSuccessorEach(history, disk);
          }
        }
      }
    },
  );

  it('may race with others in any order: each version has one successor, and no read fails', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 4 }), async (scheduler, processes) => {
        const disk = new MemoryDisk();
        const history = new History(null);
        const run = async (number: number): Promise<void> => {
          const store = storeOn(disk, (operation) => scheduler.schedule(Promise.resolve(), operation));
          for (let round = 0; round < 4; round++) {
            if ((number + round) % 4 === 3) await history.delete(store);
            else await history.put(store, 1_000 * (1 + ((number + round) % 2)));
            await store.dueBefore(new Date(3_000), 10);
          }
        };
        await scheduler.waitFor(Promise.all(Array.from({ length: processes }, (_, i) => run(i))));
        await expectOneSuccessorEach(history, disk);
      }),
      { numRuns: 60, seed: 1 },
    );
  });
});
