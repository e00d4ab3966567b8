import { AsyncLocalStorage } from 'node:async_hooks';
import { type Clock } from '../time/clock.js';

/** One handler's work for one event. */
export interface EventJob {
  /** For the log: which handler. */
  readonly name: string;
  run(): unknown;
}

/** @internal */
export interface EventQueueDependencies {
  readonly clock: Clock;
  readonly onDone: (job: EventJob) => void;
  readonly onFailed: (job: EventJob, error: unknown) => void;
  /** It runs for longer than {@link SLOW_MS}: others no longer wait for it. */
  readonly onSlow: (job: EventJob) => void;
  /** There were too many: it will not run. */
  readonly onDropped: (job: EventJob) => void;
}

/** How many handlers run at a time. */
const CONCURRENCY = 32;
/** How many more may wait: an hour of an ordinary app's events. */
const MAX_WAITING = 10_000;
/** A handler that hangs must not keep the others from running. */
export const SLOW_MS = 30_000;

/** Runs handlers, a bounded number at a time, in the order their events came in. */
export class EventQueue {
  private readonly waiting: EventJob[] = [];
  private running = 0;
  private announced = 0;
  private readonly unfinished = new Set<EventJob>();
  private idle: (() => void) | undefined;
  /** Handlers run outside the delivery's async context, or its request would live as long as they do. */
  private readonly runOutside = AsyncLocalStorage.snapshot();

  constructor(private readonly deps: EventQueueDependencies) {}

  /** Handlers that run or wait to. */
  get pending(): number {
    return this.unfinished.size - this.announced;
  }

  /** Something is to be pushed soon: {@link drained} waits for it, until what comes back is called. */
  announce(): () => void {
    const announcement: EventJob = { name: '', run: () => undefined };
    this.unfinished.add(announcement);
    this.announced++;
    return () => {
      this.announced--;
      this.finished(announcement);
    };
  }

  push(job: EventJob): void {
    if (this.waiting.length >= MAX_WAITING) {
      this.deps.onDropped(job);
      return;
    }
    this.unfinished.add(job);
    this.waiting.push(job);
    this.runNext();
  }

  /** Gives what runs and waits `graceMs` to end. */
  async drained(graceMs: number): Promise<void> {
    if (this.unfinished.size === 0) return;
    const over = new AbortController();
    this.idle = () => over.abort();
    await this.deps.clock.sleep(graceMs, over.signal, { ref: true });
  }

  private runNext(): void {
    while (this.running < CONCURRENCY) {
      const job = this.waiting.shift();
      if (!job) return;
      this.running++;
      void this.runOutside(() => this.runOne(job));
    }
  }

  private async runOne(job: EventJob): Promise<void> {
    const { clock, onDone, onFailed, onSlow } = this.deps;
    let isCounted = true;
    const makeWay = (): void => {
      if (!isCounted) return;
      isCounted = false;
      this.running--;
      this.runNext();
    };
    const slow = clock.setTimeout(() => {
      onSlow(job);
      makeWay();
    }, SLOW_MS);
    try {
      await job.run();
      onDone(job);
    } catch (error) {
      onFailed(job, error);
    } finally {
      slow.cancel();
      makeWay();
      this.finished(job);
    }
  }

  private finished(job: EventJob): void {
    this.unfinished.delete(job);
    if (this.unfinished.size === 0) this.idle?.();
  }
}
