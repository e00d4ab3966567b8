import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import {
  type DeviceAuthorization,
  type OAuthGrants,
  type UserTokenGrant,
} from '../platform/oauth/oauth-grants.js';
import { OAuthFailure } from '../platform/oauth/oauth-failure.js';
import { type Clock } from '../time/clock.js';
import { withSignal } from '../time/deadline.js';
import { type FeishuUser } from '../users/feishu-user.js';

const SLOW_DOWN_MS = 5_000;
const MAX_INTERVAL_MS = 60_000;
/** After a poll that brought no answer. */
const TROUBLE_MS = 1_000;

/**
 * A login of a machine without a browser. Show the user `userCode` and `verificationUri` (or `verificationUriComplete`, as a
 * link or a QR code), and wait.
 *
 * @publicApi
 */
export interface FeishuDeviceLogin {
  /** What the user types in at `verificationUri`. */
  readonly userCode: string;
  readonly verificationUri: string;
  /** The same with the code in it, if Feishu offers it. */
  readonly verificationUriComplete?: string;
  /** Until when the user can agree. */
  readonly expiresAt: Date;
  /**
   * Asks Feishu, as often as it allows, until the user has decided. The login is stored by then. May be called again, also
   * after a signal ended the waiting.
   *
   * @throws FeishuAuthError `ERR_FEISHU_LOGIN_REJECTED` if the user denied it, or the time ran out
   * @throws FeishuAuthError `ERR_FEISHU_CREDENTIALS_REJECTED`, `ERR_FEISHU_USER_STORE_UNAVAILABLE`, `ERR_FEISHU_CLOSED`
   * @throws the reason of `signal`
   */
  wait(options?: { signal?: AbortSignal }): Promise<FeishuUser>;
}

/** @internal */
export interface DeviceLoginOptions {
  readonly grants: Pick<OAuthGrants, 'pollDevice'>;
  readonly clock: Clock;
  readonly complete: (grant: UserTokenGrant) => Promise<FeishuUser>;
  /** Aborted when the application closes. */
  readonly closing: AbortSignal;
}

/** Asks whether the user has decided, while a caller waits. */
export class DeviceLogin {
  readonly #options: DeviceLoginOptions;
  readonly #deviceCode: string;
  readonly #expiresAt: number;
  #intervalMs: number;
  #waiting = 0;
  /** The polling that is under way, or its end. */
  #polling: Promise<FeishuUser> | undefined;
  #unwatched = new AbortController();

  constructor(authorization: DeviceAuthorization, expiresAt: number, options: DeviceLoginOptions) {
    this.#options = options;
    this.#deviceCode = authorization.deviceCode;
    this.#intervalMs = authorization.intervalMs;
    this.#expiresAt = expiresAt;
  }

  async wait({ signal }: { signal?: AbortSignal } = {}): Promise<FeishuUser> {
    signal?.throwIfAborted();
    const polling = (this.#polling ??= this.poll());
    this.#waiting += 1;
    try {
      return await (signal ? withSignal(polling, signal) : polling);
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#unwatched.abort();
    }
  }

  private async poll(): Promise<FeishuUser> {
    const { clock, closing, complete } = this.#options;
    this.#unwatched = new AbortController();
    const stop = AbortSignal.any([this.#unwatched.signal, closing]);
    for (;;) {
      await clock.sleep(this.#intervalMs, stop, { ref: true });
      if (closing.aborted) throw new FeishuAuthError('ERR_FEISHU_CLOSED', 'the application was closed');
      // The next wait() goes on from here.
      if (stop.aborted) throw this.paused();
      if (clock.now() >= this.#expiresAt) throw expired();
      const grant = await this.ask();
      // Also when no caller waits any more: the device code is used up.
      if (grant) return complete(grant);
    }
  }

  private paused(): Error {
    this.#polling = undefined;
    return new Error('nobody waits for this login');
  }

  /** `undefined`: not yet. */
  private async ask(): Promise<UserTokenGrant | undefined> {
    try {
      return await this.#options.grants.pollDevice(this.#deviceCode);
    } catch (error) {
      if (!(error instanceof OAuthFailure)) throw error;
      switch (error.oauthError) {
        case 'authorization_pending':
          return undefined;
        case 'slow_down':
          this.slowDown(SLOW_DOWN_MS);
          return undefined;
        case 'access_denied':
          throw refused('the user denied the login', error);
        case 'expired_token':
        case 'invalid_grant':
          throw expired(error);
        default:
          if (!error.retryable) throw error;
          this.slowDown(TROUBLE_MS);
          return undefined;
      }
    }
  }

  private slowDown(byMs: number): void {
    this.#intervalMs = Math.min(this.#intervalMs + byMs, MAX_INTERVAL_MS);
  }
}

function expired(cause?: OAuthFailure): FeishuAuthError {
  return refused('the time to confirm the login ran out, or its answer was lost: start another one', cause);
}

function refused(message: string, cause?: OAuthFailure): FeishuAuthError {
  return new FeishuAuthError('ERR_FEISHU_LOGIN_REJECTED', `device login: ${message}`, {
    feishuCode: cause?.feishuCode,
    logId: cause?.logId,
  });
}
