import * as fc from 'fast-check';
import { TestClock } from '../../lib/testing/test-clock.js';
import { isFeishuAuthError } from '../../lib/errors/feishu-auth.error.js';
import { PROPERTY_FACTOR, propertyRuns } from '../fixtures/property-runs.js';
import { HOUR, MINUTE } from '../fixtures/renewal.js';
import { type ScriptedAnswer } from '../fixtures/scripted-platform.js';
import { expectNoUnhandledRejections, takeUnhandledRejections } from '../fixtures/unhandled-rejections.js';
import { WatchedFleet, WatchedProcess } from '../fixtures/watched-fleet.js';

expectNoUnhandledRejections();

const KIND = 'tenant';

/** What happens at a moment that the scheduler picks. */
type Move =
  | { do: 'read' }
  | { do: 'peek' }
  | { do: 'read for long' }
  | { do: 'read and give up' }
  | { do: 'refresh' }
  | { do: 'reject'; revoke: boolean }
  | { do: 'reject an older one' }
  | { do: 'close' };

/** What a process holds when the race begins. */
type Beginning = 'nothing' | 'a fresh token' | 'a token due for renewal' | 'a token about to die';

const AGE: Record<Exclude<Beginning, 'nothing'>, number> = {
  'a fresh token': 0,
  'a token due for renewal': 100 * MINUTE,
  'a token about to die': 119.5 * MINUTE,
};

const move = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Move>({ do: 'read' }) },
  { weight: 1, arbitrary: fc.constant<Move>({ do: 'peek' }) },
  { weight: 1, arbitrary: fc.constant<Move>({ do: 'read for long' }) },
  { weight: 1, arbitrary: fc.constant<Move>({ do: 'read and give up' }) },
  { weight: 2, arbitrary: fc.constant<Move>({ do: 'refresh' }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('reject' as const), revoke: fc.boolean() }) },
  { weight: 2, arbitrary: fc.constant<Move>({ do: 'reject an older one' }) },
  { weight: 1, arbitrary: fc.constant<Move>({ do: 'close' }) },
);
/** One actor makes its moves one after the other, without waiting for what comes of them. */
const actor = fc.record({
  p: fc.nat({ max: 1 }),
  moves: fc.noBias(fc.array(move, { minLength: 1, maxLength: 8, size: 'max' })),
});
const cast = fc.array(actor, { minLength: 1, maxLength: 3 });
const beginning = fc.constantFrom<Beginning>(
  'nothing',
  'a fresh token',
  'a token due for renewal',
  'a token about to die',
);
const good: ScriptedAnswer | undefined = undefined;
const answers = fc.array(
  fc.constantFrom<ScriptedAnswer | undefined>(
    good,
    good,
    { status: 503, body: 'upstream' },
    { throws: new TypeError('fetch failed') },
    { body: '<html>' },
  ),
  { maxLength: 8 },
);

/** One race: every step of every process, and every move, is one that the scheduler orders. */
class Race {
  readonly fleet = new WatchedFleet();
  readonly processes: WatchedProcess[];

  constructor(
    private readonly scheduler: fc.Scheduler,
    count: number,
    private readonly start: Beginning,
  ) {
    const { platform } = this.fleet;
    platform.lifetimeMs = 2 * HOUR;
    this.processes = Array.from(
      { length: count },
      (_, index) => new WatchedProcess(this.fleet, `process ${index}`, 'cli_races', 0.5),
    );
  }

  async run(
    actors: readonly { p: number; moves: readonly Move[] }[],
    script: readonly (ScriptedAnswer | undefined)[],
  ): Promise<void> {
    const { machine, platform } = this.fleet;
    if (this.start !== 'nothing') {
      for (const process of this.processes) {
        process.get(KIND);
        await machine.advance(0);
      }
      await machine.advance(AGE[this.start]);
    }
    const remaining = [...script];
    platform.answer = () => remaining.shift();
    for (const process of this.processes) {
      process.gate = (what) => this.scheduler.schedule(Promise.resolve(), `${process.name}, ${what}`);
    }
    for (const { p, moves } of actors) {
      const process = this.processes[p % this.processes.length];
      if (process) void this.act(process, moves);
    }
    await this.untilQuiet();
    platform.answer = undefined;
  }

  /** Everything is closed: no caller waits, no timer is left, no token is returned. */
  async end(): Promise<void> {
    const { fleet } = this;
    for (const process of this.processes) void process.close();
    await this.untilQuiet();
    for (const { name, world, waiting, clock, isClosed } of this.processes) {
      fleet.insist(isClosed && waiting.size === 0, `${name}: callers still wait after closing`);
      fleet.insist(clock.pendingTimers === 0, `${name}: ${clock.pendingTimers} timers left`);
      const late: unknown = await world.tokens.getTenantAccessToken().catch((error: unknown) => error);
      fleet.insist(
        isFeishuAuthError(late, 'ERR_FEISHU_CLOSED'),
        `${name}: a read after closing is not refused`,
      );
      const peeked = world.tokens.handle({ kind: KIND }).peek();
      fleet.insist(peeked === undefined, `${name}: a token is held after closing`);
      const { attempts } = world.tokens.metrics().kinds[KIND].refresh;
      const asked = this.processes.find((process) => process.name === name)?.count('asked', KIND);
      fleet.insist(attempts === asked, `${name}: ${attempts} attempts, and ${asked} requests`);
    }
  }

  /** What was wrong, if anything. */
  async verdict(): Promise<string[]> {
    const { fleet, processes } = this;
    const stored = fleet.stored();
    // Between two processes reading and writing are not one step: what one removes another may have been writing.
    const resurrected = (processes.length === 1 ? processes : [])
      .flatMap((process) => process.rejectedValues())
      .filter((value) => stored.includes(value));
    return [
      ...fleet.violations,
      ...processes.flatMap((process) => process.fromBeforeInvalidation()),
      ...processes.flatMap((process) => process.olderAfterNewer()),
      ...resurrected.map((value) => `${value} was rejected and lies in the store`),
      ...(await fleet.stuckLocks()).map((key) => `${key} was never released`),
      ...takeUnhandledRejections().map((error) => `unhandled: ${String(error)}`),
    ];
  }

  private async act(process: WatchedProcess, moves: readonly Move[]): Promise<void> {
    for (const next of moves) {
      await this.scheduler.schedule(Promise.resolve(), `${process.name}, ${next.do}`);
      this.make(process, next);
    }
  }

  private make(process: WatchedProcess, { do: what, ...details }: Move): void {
    const values = [...new Set(process.handed.map(({ value }) => value).toReversed())];
    switch (what) {
      case 'read':
        return process.get(KIND, { asHandle: true });
      case 'peek':
        return void process.peek(KIND);
      case 'read for long':
        return process.get(KIND, { minValidityMs: 29 * MINUTE });
      case 'read and give up': {
        const controller = new AbortController();
        process.get(KIND, { signal: controller.signal });
        void this.scheduler
          .schedule(Promise.resolve(), `${process.name}, gives up`)
          .then(() => controller.abort(new Error('the caller gave up')));
        return;
      }
      case 'refresh':
        return process.refresh(KIND);
      case 'reject': {
        const [current = 'never-issued'] = values;
        if ('revoke' in details && details.revoke) this.fleet.platform.revoke(current);
        return void process.invalidate(KIND, current);
      }
      case 'reject an older one':
        return void process.invalidate(KIND, values[1] ?? 'never-issued');
      case 'close':
        return void process.close();
    }
  }

  /** Lets the scheduler order all there is; time passes only when nothing else can happen. */
  private async untilQuiet(): Promise<void> {
    const { machine } = this.fleet;
    const step = async (task: () => Promise<void>): Promise<void> => {
      await task();
      await TestClock.settle();
    };
    await TestClock.settle();
    for (let passed = 0; passed < 60_000;) {
      if (this.scheduler.count() > 0) {
        await this.scheduler.waitNext(1, step);
        continue;
      }
      const isQuiet = this.processes.every(
        ({ waiting, closing, isClosed }) => waiting.size === 0 && (closing === undefined || isClosed),
      );
      if (isQuiet) return;
      await machine.advance(50);
      passed += 50;
    }
    throw new Error('not quiet after a minute');
  }
}

describe('concurrent events in every order', () => {
  it.each([
    ['one process', 1, 400],
    ['two processes with one store and one lock', 2, 300],
  ])(
    '#7 #33 #50 %s: one flight a key, no rejected token returned, every caller answered, every lock released',
    async (_, count, usual) => {
      await fc.assert(
        fc.asyncProperty(
          fc.scheduler(),
          beginning,
          cast,
          answers,
          async (scheduler, start, actors, script) => {
            const race = new Race(scheduler, count, start);
            await race.run(actors, script);
            await race.end();
            expect(await race.verdict()).toEqual([]);
          },
        ),
        propertyRuns(usual),
      );
    },
    60_000 * Math.max(1, PROPERTY_FACTOR),
  );
});
