import { FeishuAuthError } from '../../errors/feishu-auth.error.js';
import { withSignal } from '../../time/deadline.js';
import { type Clock, type ClockTimer } from '../../time/clock.js';
import { type HeldToken } from '../slot/held-token.js';

/**
 * How a flight ends, short of failing. `contended`: another process has the renewal under way, nobody waits here.
 * `superseded`: an invalidation came between; who waits looks again.
 */
export type FlightEnd = { readonly token: HeldToken } | 'contended' | 'superseded';

const SUPERSEDED = 'superseded';

/** What a flight is for. */
export interface FlightPurpose {
  /** Asked for explicitly: what the store holds is no answer. */
  readonly explicit?: boolean;
  /** Begins only when this flight, which it replaces, has let go of everything. */
  readonly after?: TokenFlight | undefined;
}

/** What the owner of a flight does, and is told. */
export interface FlightPlan {
  /** The flight itself: resolves as soon as callers can go on. */
  body(flight: TokenFlight): Promise<FlightEnd>;
  /** Told before any caller goes on. */
  landed(flight: TokenFlight, end: FlightEnd): void;
  /** Told before any caller goes on; what it returns is the error they all get. */
  failed(flight: TokenFlight, error: unknown): FeishuAuthError;
}

/** One renewal of one slot that all its callers share. */
export class TokenFlight {
  /** Whether a caller waits for it. Once true it stays so. */
  blocking = false;
  /** What goes on after callers went on: writing to the store, releasing the lock. */
  aftermath: Promise<unknown> = Promise.resolve();
  /** Settles with the flight's end. Handled, so that a failure nobody waits for is no unhandled rejection. */
  readonly outcome: Promise<FlightEnd>;
  /** Settles when everything of it is through, its aftermath included. Never rejects. */
  readonly settled: Promise<void>;
  private readonly controller = new AbortController();
  private deadline: ClockTimer | undefined;

  constructor(
    readonly generation: number,
    readonly purpose: FlightPurpose,
    private readonly clock: Clock,
    private readonly deadlineMs: number,
    plan: FlightPlan,
  ) {
    const work = Promise.resolve().then(() => plan.body(this));
    this.outcome = withSignal(work, this.signal).then(
      (end) => {
        plan.landed(this, end);
        return end;
      },
      (error: unknown) => {
        if (error !== SUPERSEDED) throw plan.failed(this, error);
        plan.landed(this, SUPERSEDED);
        return SUPERSEDED;
      },
    );
    this.outcome.catch(() => undefined);
    this.settled = this.finish(work);
  }

  /** Aborted when the flight is over before its time: superseded, out of time, or closed. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** From now on a caller waits: it may wait for locks, retries what is transient, and has a deadline. */
  makeBlocking(): void {
    if (this.blocking) return;
    this.blocking = true;
    this.deadline = this.clock.setTimeout(() => this.abort(this.outOfTime()), this.deadlineMs, { ref: true });
  }

  /** Ends the flight now: with `reason` as its failure, or as superseded. */
  abort(reason: FeishuAuthError | typeof SUPERSEDED): void {
    this.controller.abort(reason);
  }

  private async finish(work: Promise<unknown>): Promise<void> {
    await this.outcome.catch(() => undefined);
    this.deadline?.cancel();
    await work.catch(() => undefined);
    await this.aftermath.catch(() => undefined);
  }

  private outOfTime(): FeishuAuthError {
    return new FeishuAuthError(
      'ERR_FEISHU_PLATFORM_UNAVAILABLE',
      `no token within ${this.deadlineMs} ms: the platform, the store or a custom fetch does not answer`,
      { retryable: true },
    );
  }
}
