import { Clock, type ClockTimer } from '../../lib/time/clock.js';
import { TimerHeap, type HeapTimer } from './timer-heap.js';

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
    for (let next = this.heap.first; next && next.at <= until; next = this.heap.first) {
      this.heap.shift();
      const { callback } = next;
      if (!callback) continue;
      this.now = next.at;
      callback();
      await settled();
    }
    this.now = until;
  }
}

/** One turn of the event loop: by then every promise has settled that needs no time to pass. */
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
