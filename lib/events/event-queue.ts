import { AsyncLocalStorage } from 'node:async_hooks';
import { type Clock } from '../time/clock.js';

/** One handler's work for one event. */
export interface EventJob {
  /** The name of the handler, for the log. */
  readonly name: string;
  run(): unknown;
}

/** Room in the queue for the jobs of one event. */
export interface QueueReservation {
  /** Puts the jobs into the room and ends the reservation. */
  fill(jobs: readonly EventJob[]): void;
  cancel(): void;
}

export interface EventQueueDependencies {
  readonly clock: Clock;
  readonly onDone: (job: EventJob) => void;
  readonly onFailed: (job: EventJob, error: unknown) => void;
  /** The job has been running for {@link SLOW_MS}. */
  readonly onSlow: (job: EventJob) => void;
}

const CONCURRENCY = 32;
/** An hour of an ordinary app's events. */
export const MAX_WAITING = 10_000;
/** After this time the other jobs no longer wait for a job that hangs. */
export const SLOW_MS = 30_000;

/** Runs handlers in the order of their events, a bounded number at a time. */
export class EventQueue {
  private readonly waiting: EventJob[] = [];
  /** Jobs that run or wait, whether or not they count against the concurrency. */
  private readonly unfinished = new Set<EventJob>();
  private readonly reservations = new Set<QueueReservation>();
  private reservedRoom = 0;
  private running = 0;
  private onIdle: (() => void) | undefined;
  /** Handlers run outside the async context of the delivery, or its request would live as long as they do. */
  private readonly runOutside = AsyncLocalStorage.snapshot();

  constructor(private readonly deps: EventQueueDependencies) {}

  /** Jobs that run or wait. */
  get pending(): number {
    return this.unfinished.size;
  }

  /**
   * Keeps room for `count` jobs. {@link drained} waits until the reservation ends.
   *
   * @returns `undefined` if the queue is full
   */
  reserve(count: number): QueueReservation | undefined {
    if (this.waiting.length + this.reservedRoom + count > MAX_WAITING) return undefined;
    this.reservedRoom += count;
    const reservation: QueueReservation = {
      fill: (jobs) => {
        if (!this.reservations.has(reservation)) return;
        for (const job of jobs) this.push(job);
        reservation.cancel();
      },
      cancel: () => {
        if (!this.reservations.delete(reservation)) return;
        this.reservedRoom -= count;
        this.tellIfIdle();
      },
    };
    this.reservations.add(reservation);
    return reservation;
  }

  /**
   * Waits until all jobs ended, `graceMs` at most.
   *
   * @returns how many jobs did not end
   */
  async drained(graceMs: number): Promise<number> {
    if (!this.isIdle()) {
      const over = new AbortController();
      this.onIdle = () => over.abort();
      await this.deps.clock.sleep(graceMs, over.signal, { ref: true });
    }
    return this.pending;
  }

  private push(job: EventJob): void {
    this.unfinished.add(job);
    this.waiting.push(job);
    this.runNext();
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
    const makeRoom = (): void => {
      if (!isCounted) return;
      isCounted = false;
      this.running--;
      this.runNext();
    };
    const slow = clock.setTimeout(() => {
      onSlow(job);
      makeRoom();
    }, SLOW_MS);
    try {
      await job.run();
      onDone(job);
    } catch (error) {
      onFailed(job, error);
    } finally {
      slow.cancel();
      makeRoom();
      this.unfinished.delete(job);
      this.tellIfIdle();
    }
  }

  private isIdle(): boolean {
    return this.unfinished.size === 0 && this.reservations.size === 0;
  }

  private tellIfIdle(): void {
    if (this.isIdle()) this.onIdle?.();
  }
}
