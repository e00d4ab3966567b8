/**
 * The emulated platform's own clock: real time plus what a test has added. Nothing of the application moves with it,
 * as nothing of an application moves with Feishu's clock.
 *
 * @publicApi
 */
export class EmulatorClock {
  private offsetMs = 0;
  private frozenAt: number | undefined;
  private readonly listeners: (() => void)[] = [];

  /** The platform's time, in epoch milliseconds. */
  now(): number {
    return (this.frozenAt ?? Date.now()) + this.offsetMs;
  }

  /**
   * Lets time pass at Feishu: tokens grow older at once, and what becomes due is sent (see `emulator.events`).
   *
   * @param ms milliseconds, 0 or more: a platform's clock does not go back
   */
  advance(ms: number): void {
    if (!Number.isFinite(ms) || ms < 0)
      throw new RangeError(`cannot advance by ${ms} ms: 0 or more, and finite`);
    this.offsetMs += ms;
    for (const listener of this.listeners) listener();
  }

  /** Calls back after every {@link advance}. @internal */
  onAdvance(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** From here on time passes only by {@link advance}, so that `expire` comes out to the second. */
  freeze(): void {
    this.frozenAt ??= Date.now();
  }
}
