import { type EmulatorClock } from './emulator-clock.js';

interface Task {
  /** When, by the emulator's clock, in epoch milliseconds. */
  readonly at: number;
  readonly run: (at: number) => void;
}

/**
 * What the platform does later, by its own clock: `advance` runs what falls due at once and in order, real time does so
 * as it passes.
 *
 * @internal
 */
export class EmulatorSchedule {
  private readonly tasks = new Set<Task>();
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(private readonly clock: EmulatorClock) {
    clock.onAdvance(() => this.runDue());
  }

  /** @returns what calls it off */
  at(time: number, run: (at: number) => void): () => void {
    const task: Task = { at: time, run };
    if (!this.isStopped) this.tasks.add(task);
    this.arm();
    return () => void this.tasks.delete(task);
  }

  stop(): void {
    this.isStopped = true;
    this.tasks.clear();
    clearTimeout(this.timer);
  }

  private runDue(): void {
    for (let next = this.next(); next && next.at <= this.clock.now(); next = this.next()) {
      this.tasks.delete(next);
      next.run(next.at);
    }
    this.arm();
  }

  private next(): Task | undefined {
    let next: Task | undefined;
    for (const task of this.tasks) if (!next || task.at < next.at) next = task;
    return next;
  }

  private arm(): void {
    clearTimeout(this.timer);
    const next = this.next();
    if (!next || this.isStopped) return;
    // A clock that is frozen gets there by `advance` alone, so a timer that fires too early waits again.
    const delayMs = Math.min(Math.max(next.at - this.clock.now(), 50), 60_000);
    this.timer = setTimeout(() => this.runDue(), delayMs).unref();
  }
}
