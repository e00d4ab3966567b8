import { setTimeout as pause } from 'node:timers/promises';
import { type Board } from './board.js';
import { type Replica } from './fleet.js';
import { type Rule, rulesOf } from './rules.js';
import { PLATFORM_LATENCY_MS, type Stage, TENANT_TOKEN } from './stage.js';
import { SETTLE_MS, tallyOf, type Trouble } from './tally.js';

const REPLICAS = 3;
const STEADY_ROTATIONS = 2;
const FROZEN_MS = 5_000;
const DOWN_MS = 1_000;
const COLD_START_LIMIT_MS = 10_000;
/** Beyond the life of a token, what else it may take until all share one: waiting for a lock, and the store's pause. */
const SHARING_SLACK_MS = 10_000;

export interface ShowOptions {
  readonly lifeSeconds: number;
  readonly signal: AbortSignal;
}

/** What happens to the fleet, one thing after the other. */
export class Show {
  private readonly lifeMs: number;
  private readonly signal: AbortSignal;
  private readonly troubles: Trouble[] = [];
  private coldCalls = 0;
  private slowestWithoutRedisMs = 0;
  private shared = 0;
  private sharings = 0;

  constructor(
    private readonly stage: Stage,
    private readonly board: Board,
    { lifeSeconds, signal }: ShowOptions,
  ) {
    this.lifeMs = lifeSeconds * 1_000;
    this.signal = signal;
  }

  /** The totals, and whether they are what they should be. */
  async run(): Promise<Rule[]> {
    await this.coldStart();
    await this.steady();
    await this.killLockHolder();
    await this.freezeRedis();
    await this.restartRedis();
    this.board.stop();
    const { stage, lifeMs, troubles, coldCalls, slowestWithoutRedisMs } = this;
    return rulesOf(stage.fleet, {
      size: REPLICAS,
      coldCalls,
      tally: tallyOf(stage.platformCalls.slice(coldCalls), lifeMs, troubles),
      slowestWithoutRedisMs,
      sharedAfter: { done: this.shared, of: this.sharings },
    });
  }

  private async coldStart(): Promise<void> {
    const { board, stage } = this;
    board.heading(`1. Cold start: ${REPLICAS} processes want a token at once, and there is none yet`);
    const replicas = await stage.fleet.add(REPLICAS);
    board.show(stage.fleet);
    for (const replica of replicas) replica.startReading();
    const isShared = await this.share(0, COLD_START_LIMIT_MS);
    this.coldCalls = stage.platformCalls.length;
    this.tell(isShared, `All have the same token, for ${calls(this.coldCalls)} to the platform.`);
  }

  private async steady(): Promise<void> {
    this.board.heading('2. Steady reads: one of them renews for all');
    const before = this.stage.platformCalls.length;
    let isShared = true;
    for (let rotation = 0; rotation < STEADY_ROTATIONS; rotation++) {
      isShared = (await this.share(Date.now())) && isShared;
    }
    const since = this.stage.platformCalls.length - before;
    this.tell(isShared, `All have had ${STEADY_ROTATIONS} more tokens, for ${calls(since)}.`);
  }

  private async killLockHolder(): Promise<void> {
    const { board, stage, lifeMs } = this;
    const { fleet, platform } = stage;
    board.heading('3. The platform hangs, and who holds the lock meanwhile is killed (SIGKILL)');
    const before = stage.platformCalls.length;
    const from = Date.now();
    const hang = platform.faults.add({ path: TENANT_TOKEN, times: 1, kind: 'hang' });
    let holder: Replica | undefined;
    await fleet.until(() => {
      holder = hang.hits > 0 ? fleet.alive.find(({ report }) => report.isAsking) : undefined;
      return holder !== undefined;
    }, lifeMs + SHARING_SLACK_MS);
    hang.remove();
    if (!holder) throw new Error('nobody renewed the token');
    await holder.kill();
    const killedAt = Date.now();
    board.say(`   ${holder.name} is dead. Its lock lives on for up to 3 s; another one takes its place.`);
    const [successor] = await fleet.add(1);
    successor?.startReading();
    const isShared = await this.share(killedAt);
    this.troubles.push({ what: 'lock holder killed', from, to: Date.now() });
    this.tell(
      isShared,
      `All have a new token, for ${calls(stage.platformCalls.length - before)}, the one that hung included.`,
    );
  }

  private async freezeRedis(): Promise<void> {
    const { board, stage, signal } = this;
    board.heading(`4. Redis is frozen for ${FROZEN_MS / 1_000} seconds (SIGSTOP)`);
    await this.troubleRedis(async () => {
      stage.redis.freeze();
      await pause(FROZEN_MS, undefined, { signal });
      stage.redis.thaw();
    });
  }

  private async restartRedis(): Promise<void> {
    const { board, stage, signal } = this;
    board.heading('5. Redis is killed, and started again with nothing in it');
    await this.troubleRedis(async () => {
      await stage.redis.kill();
      await pause(DOWN_MS, undefined, { signal });
      await stage.redis.start();
    });
  }

  private async troubleRedis(trouble: () => Promise<void>): Promise<void> {
    const { board, stage } = this;
    const before = stage.platformCalls.length;
    stage.fleet.startLap();
    const from = Date.now();
    await trouble();
    const to = Date.now();
    this.troubles.push({ what: 'redis', from, to });
    const slowestMs = stage.fleet.lapSlowestMs;
    this.slowestWithoutRedisMs = Math.max(this.slowestWithoutRedisMs, slowestMs);
    board.say(`   Redis is back. Meanwhile the slowest read took ${slowestMs.toFixed(1)} ms.`);
    // Only what is fetched after the last pause of a store that did not answer is sure to be shared at once.
    const isShared = await this.share(to + SETTLE_MS, SETTLE_MS + this.lifeMs + SHARING_SLACK_MS);
    const since = stage.platformCalls.length - before;
    this.tell(isShared, `All share one token again, after ${calls(since)} in all; nothing was restarted.`);
  }

  /** Whether all come to hold one token, fetched after `since`. */
  private async share(since: number, limitMs = this.lifeMs + SHARING_SLACK_MS): Promise<boolean> {
    this.sharings++;
    const isShared = await this.stage.fleet.until(() => this.stage.fleet.sharesOneToken(since), limitMs);
    if (isShared) this.shared++;
    return isShared;
  }

  private tell(isShared: boolean, text: string): void {
    this.board.say(`   ${isShared ? '' : 'NOT in time: '}${text}`);
    this.board.snapshot();
  }
}

export function introduction(lifeSeconds: number): string {
  return `nestjs-feishu-auth: ${REPLICAS} processes behind one Redis behave as one.
The platform is an emulator in this process. Its tokens live ${lifeSeconds} s (Feishu's: 2 hours),
and it takes ${PLATFORM_LATENCY_MS} ms to hand one out.`;
}

function calls(count: number): string {
  return count === 1 ? '1 call' : `${count} calls`;
}
