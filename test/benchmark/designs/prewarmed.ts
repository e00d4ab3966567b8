import { type DesignSetup } from './design.js';
import { SingleFlightDesign } from './single-flight.js';

/** Of a token's life: an hour of two, and 15 minutes. */
const INTERVAL_SHARE = 1 / 2;
const THRESHOLD_SHARE = 15 / 120;

/** (3) Single flight, and once an hour a look in the background for what has less than 15 minutes left. */
export class PrewarmedDesign extends SingleFlightDesign {
  private readonly timer: { cancel(): void };

  constructor({ clock, lifetimeMs, ...setup }: DesignSetup) {
    super({ clock, lifetimeMs, ...setup });
    this.timer = clock.setInterval(
      () => this.prewarm(THRESHOLD_SHARE * lifetimeMs),
      INTERVAL_SHARE * lifetimeMs,
    );
  }

  override async close(): Promise<void> {
    this.timer.cancel();
  }

  private prewarm(thresholdMs: number): void {
    for (const key of this.source.endingWithin(thresholdMs)) void this.fly(key).catch(() => undefined);
  }
}
