import { channel, tracingChannel, type Channel, type TracingChannel } from 'node:diagnostics_channel';
import { type FeishuAuthErrorCode } from '../errors/feishu-auth.error.js';
import { type TokenKind } from '../tokens/access-token.js';

/**
 * Names of the `node:diagnostics_channel` channels. `renewal` and `request` are tracing channels; the others carry
 * single messages.
 *
 * @publicApi
 */
export const FEISHU_AUTH_CHANNELS = {
  renewal: 'nestjs-feishu-auth:renewal',
  request: 'nestjs-feishu-auth:request',
  wait: 'nestjs-feishu-auth:wait',
  rotation: 'nestjs-feishu-auth:rotation',
  invalidation: 'nestjs-feishu-auth:invalidation',
  breaker: 'nestjs-feishu-auth:breaker',
} as const;

/**
 * One renewal, from its start to its end. The same object is published at each step; the last fields are set when the
 * renewal ends. `start` is published in the async context of the caller, the end outside of it.
 *
 * @publicApi
 */
export interface RenewalMessage {
  /** `'default'`, or the name of the instance. */
  readonly instance: string;
  readonly kind: TokenKind;
  /** Why the renewal started: a read that waits, work ahead of time, `refresh()`, or a rejected token. */
  readonly trigger: 'read' | 'background' | 'refresh' | 'invalidation';
  /** `contended`: another process has the renewal under way. `superseded`: the token was invalidated in between. */
  outcome?: 'renewed' | 'contended' | 'superseded' | 'failed';
  /** Where the token came from. Present when the outcome is `renewed`. */
  source?: 'store' | 'platform';
  /** Present when the outcome is `failed`. */
  errorType?: FeishuAuthErrorCode;
  /** Feishu's own code, if Feishu answered with one. */
  feishuCode?: number;
  /** The id under which Feishu's support finds the request. */
  logId?: string;
  /** When the next attempt may start. */
  retryAt?: Date;
  durationMs?: number;
}

/**
 * One request to Feishu for a token.
 *
 * @publicApi
 */
export interface TokenRequestMessage {
  readonly instance: string;
  readonly kind: TokenKind;
  /** `noop`: Feishu returned the token that was held already. */
  readonly result: 'success' | 'noop' | 'failure';
  /** Present when the result is `failure`. */
  readonly errorType?: FeishuAuthErrorCode;
  readonly durationMs: number;
}

/**
 * A caller has waited for a renewal, which succeeded or failed.
 *
 * @publicApi
 */
export interface TokenWaitMessage {
  readonly instance: string;
  readonly kind: TokenKind;
  readonly durationMs: number;
}

/**
 * One rotation of a user's login.
 *
 * @publicApi
 */
export interface RotationMessage {
  readonly instance: string;
  readonly result: 'success' | 'uncommitted' | 'uncertain' | 'claim_lost' | 'journal_recovered' | 'failure';
  /** Present when the result is `failure`. */
  readonly errorType?: FeishuAuthErrorCode;
}

/**
 * An API rejected the token that was held.
 *
 * @publicApi
 */
export interface InvalidationMessage {
  readonly instance: string;
  readonly kind: TokenKind;
}

/**
 * The circuit breaker of the shared store changed its state.
 *
 * @publicApi
 */
export interface BreakerMessage {
  readonly instance: string;
  readonly state: 'closed' | 'open' | 'half-open';
}

/** Publishes what one instance does. Without a subscriber a call costs one comparison and builds no message. */
export class TelemetryChannels {
  readonly #instance: string;
  readonly #renewal: TracingChannel<string, RenewalMessage> = tracingChannel(FEISHU_AUTH_CHANNELS.renewal);
  readonly #request: TracingChannel<string, TokenRequestMessage> = tracingChannel(
    FEISHU_AUTH_CHANNELS.request,
  );
  readonly #wait: Channel = channel(FEISHU_AUTH_CHANNELS.wait);
  readonly #rotation: Channel = channel(FEISHU_AUTH_CHANNELS.rotation);
  readonly #invalidation: Channel = channel(FEISHU_AUTH_CHANNELS.invalidation);
  readonly #breaker: Channel = channel(FEISHU_AUTH_CHANNELS.breaker);

  constructor(instance: string) {
    this.#instance = instance;
  }

  /** Returns the message to complete with `renewalEnded`, or `undefined` without a subscriber. */
  renewalStarted(started: Pick<RenewalMessage, 'kind' | 'trigger'>): RenewalMessage | undefined {
    if (!this.#renewal.hasSubscribers) return undefined;
    const message: RenewalMessage = { instance: this.#instance, ...started };
    this.#renewal.start.publish(message);
    this.#renewal.end.publish(message);
    return message;
  }

  renewalEnded(
    message: RenewalMessage | undefined,
    ended: Required<Pick<RenewalMessage, 'outcome' | 'durationMs'>> &
      Pick<RenewalMessage, 'source' | 'errorType' | 'feishuCode' | 'logId' | 'retryAt'>,
  ): void {
    if (message === undefined) return;
    Object.assign(message, ended);
    if (ended.outcome === 'failed') this.#renewal.error.publish(message);
    this.#renewal.asyncStart.publish(message);
    this.#renewal.asyncEnd.publish(message);
  }

  requested(message: Omit<TokenRequestMessage, 'instance'>): void {
    const { start, end, error, asyncStart, asyncEnd, hasSubscribers } = this.#request;
    if (!hasSubscribers) return;
    const published: TokenRequestMessage = { instance: this.#instance, ...message };
    start.publish(published);
    end.publish(published);
    if (published.result === 'failure') error.publish(published);
    asyncStart.publish(published);
    asyncEnd.publish(published);
  }

  waited(message: Omit<TokenWaitMessage, 'instance'>): void {
    if (this.#wait.hasSubscribers) this.#wait.publish({ instance: this.#instance, ...message });
  }

  rotated(message: Omit<RotationMessage, 'instance'>): void {
    if (this.#rotation.hasSubscribers) this.#rotation.publish({ instance: this.#instance, ...message });
  }

  invalidated(message: Omit<InvalidationMessage, 'instance'>): void {
    if (this.#invalidation.hasSubscribers)
      this.#invalidation.publish({ instance: this.#instance, ...message });
  }

  breakerChanged(message: Omit<BreakerMessage, 'instance'>): void {
    if (this.#breaker.hasSubscribers) this.#breaker.publish({ instance: this.#instance, ...message });
  }
}
