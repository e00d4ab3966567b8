import { tracingChannel } from 'node:diagnostics_channel';
import { FEISHU_AUTH_CHANNELS, type RenewalMessage } from '../telemetry/channels.js';
import { type Clock } from '../time/clock.js';
import { type StatusFailure } from './status-snapshot.js';

const KEPT = 10;

/** The latest failed renewals of each instance, the newest first. */
export class RecentFailures {
  readonly #clock: Clock;
  readonly #byInstance = new Map<string, StatusFailure[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(): void {
    tracingChannel(FEISHU_AUTH_CHANNELS.renewal).error.subscribe(this.#onFailure);
  }

  stop(): void {
    tracingChannel(FEISHU_AUTH_CHANNELS.renewal).error.unsubscribe(this.#onFailure);
  }

  of(instance: string): StatusFailure[] {
    return [...(this.#byInstance.get(instance) ?? [])];
  }

  readonly #onFailure = (message: unknown): void => {
    const { instance, kind, errorType, feishuCode, logId, retryAt } = message as RenewalMessage;
    if (errorType === undefined) return;
    const failure: StatusFailure = {
      at: new Date(this.#clock.now()).toISOString(),
      kind,
      code: errorType,
      ...(feishuCode !== undefined && { feishuCode }),
      ...(logId !== undefined && { logId }),
      ...(retryAt !== undefined && { retryAt: retryAt.toISOString() }),
    };
    this.#byInstance.set(instance, [failure, ...this.of(instance)].slice(0, KEPT));
  };
}
