import { FeishuAuthError } from '../../errors/feishu-auth.error.js';
import { type Clock, type ClockTimer } from '../../time/clock.js';
import { withSignal } from '../../time/deadline.js';
import { type HeldToken } from '../slot/held-token.js';

/**
 * How a flight ends without an error. `contended`: another process renews the token, and no caller waits here.
 * `superseded`: an invalidation came in between; callers that wait look again.
 */
export type FlightEnd = { readonly token: HeldToken } | 'contended' | 'superseded';

const SUPERSEDED = 'superseded';

/**
 * Why a flight starts. `read`: a caller waits for a token. `background`: ahead of time. `refresh`: a caller asked for a
 * renewal, so that the token in the store is no answer. `invalidation`: an API rejected the held token.
 */
export type FlightTrigger = 'read' | 'background' | 'refresh' | 'invalidation';

export interface FlightPurpose {
  readonly trigger: FlightTrigger;
  /** The superseded flight. This one begins when that one has released everything. */
  readonly after?: TokenFlight | undefined;
}

/** What the owner of a flight does, and is told. */
export interface FlightPlan {
  /** The flight itself. It resolves as soon as callers can go on. */
  body(flight: TokenFlight): Promise<FlightEnd>;
  /** Told before any caller goes on. */
  landed(flight: TokenFlight, end: FlightEnd): void;
  /** Told before any caller goes on. @returns the error for all callers */
  failed(flight: TokenFlight, error: unknown): FeishuAuthError;
}

/** One renewal of one slot. All callers of the slot share it. */
export class TokenFlight {
  /** Whether a caller waits. Once true, it stays true. */
  blocking = false;
  /** What goes on after callers went on: the store is written, the lock released. */
  aftermath: Promise<unknown> = Promise.resolve();
  /** Settles with the flight's end. Its rejection is handled, also if no caller waits. */
  readonly outcome: Promise<FlightEnd>;
  /** Settles when everything is over, the aftermath included. Never rejects. */
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

  /** Aborted when the flight ends early: superseded, out of time, or closed. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** A caller waits from now on: the flight may wait for the lock, retries transient failures, and has a deadline. */
  makeBlocking(): void {
    if (this.blocking) return;
    this.blocking = true;
    this.deadline = this.clock.setTimeout(() => this.abort(this.outOfTime()), this.deadlineMs, { ref: true });
  }

  /** Ends the flight now: it fails with `reason`, or is superseded. */
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
      `no token within ${this.deadlineMs} ms: Feishu, the store or a custom fetch did not answer in time`,
      { retryable: true },
    );
  }
}
