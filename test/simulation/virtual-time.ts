import { Clock, type ClockTimer } from '../../lib/time/clock.js';
import { TimerHeap, type HeapTimer } from './timer-heap.js';

/** A turn of the event loop for each would cost more than most of them do. */
const TIMERS_A_TURN = 1_000;

/** The one time of a simulated fleet: it jumps from timer to timer. */
export class VirtualTime {
  /** Milliseconds since the simulation began. */
  now = 0;
  private order = 0;
  private readonly heap = new TimerHeap();

  after(delayMs: number, callback: () => void): ClockTimer {
    const timer: HeapTimer = { at: this.now + Math.max(0, delayMs), order: this.order++, callback };
    this.heap.push(timer);
    return { handle: timer, cancel: () => (timer.callback = undefined) };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.after(delayMs, resolve));
  }

  /** Fires everything due until `until`, each with all promises settled that the one before set off. */
  async run(until: number): Promise<void> {
    await settled();
    while ((this.heap.first?.at ?? Infinity) <= until) {
      for (let timer = 0; timer < TIMERS_A_TURN; timer++) setImmediate(() => this.fireNext(until));
      await settled();
    }
    this.now = until;
  }

  private fireNext(until: number): void {
    for (let next = this.heap.first; next && next.at <= until; next = this.heap.first) {
      this.heap.shift();
      if (!next.callback) continue;
      this.now = next.at;
      next.callback();
      return;
    }
  }
}

/** Between two immediates every promise settles that needs no time to pass, and the event loop turns for many at once. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const EPOCH = Date.UTC(2026, 0, 1);

/** One host's clocks: its wall clock is off by a few seconds, its monotonic one began at some other time. */
export class HostClock extends Clock {
  constructor(
    private readonly time: VirtualTime,
    private readonly skewMs: number,
    private readonly upMs: number,
  ) {
    super();
  }

  now(): number {
    return EPOCH + this.time.now + this.skewMs;
  }

  monotonic(): number {
    return this.time.now + this.upMs;
  }

  setTimeout(callback: () => void, delayMs: number): ClockTimer {
    return this.time.after(delayMs, callback);
  }

  setInterval(callback: () => void, periodMs: number): ClockTimer {
    let current: ClockTimer;
    const tick = (): void => {
      current = this.time.after(periodMs, tick);
      callback();
    };
    current = this.time.after(periodMs, tick);
    return { handle: tick, cancel: () => current.cancel() };
  }
}
