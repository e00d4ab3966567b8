import { FeishuAuthError, isFeishuAuthError } from '../errors/feishu-auth.error.js';
import { type Clock } from '../time/clock.js';
import { type Renewal } from '../tokens/renewal/renewal.js';
import { type TokenAcceptance } from '../tokens/renewal/token-acceptance.js';
import { type FlightEnd, type TokenFlight } from '../tokens/renewal/token-flight.js';
import { type HeldToken } from '../tokens/slot/held-token.js';
import { type TokenSlot } from '../tokens/slot/token-slot.js';
import { fingerprintOf } from '../tokens/slot/value-fingerprint.js';
import { type TokenObserver } from '../tokens/token-observer.js';
import { type LoginRecord, type LoginTokens } from './record/login-record.js';
import { type LoginNeed } from './rotation/login-need.js';
import { type LoginRotator, type UsableLogin } from './rotation/login-rotator.js';

/** @internal */
export interface UserRenewalDependencies {
  readonly rotator: LoginRotator;
  readonly acceptance: TokenAcceptance;
  readonly observer: TokenObserver;
  readonly clock: Clock;
}

/** Renews user access tokens: adopts what the store of logins has, or rotates the login. The slot's key is the login's. */
export class UserRenewal implements Renewal {
  constructor(private readonly deps: UserRenewalDependencies) {}

  async fly(slot: TokenSlot, flight: TokenFlight): Promise<FlightEnd> {
    const isExplicit = flight.purpose.trigger === 'refresh';
    const end = await this.deps.rotator.renew(slot.key, this.need(slot, flight, isExplicit));
    flight.signal.throwIfAborted();
    if (end !== 'busy') return { token: this.accept(slot, end) };
    if (!flight.blocking) return 'contended';
    const held = slot.usable();
    if (held) return { token: held };
    // Asked for explicitly, in a process that holds none: the stored one, which is not to be renewed now.
    const stored = isExplicit
      ? await this.deps.rotator.renew(slot.key, this.need(slot, flight, false))
      : 'busy';
    flight.signal.throwIfAborted();
    if (stored === 'busy') throw unknownOutcome();
    return { token: this.accept(slot, stored) };
  }

  /** The store of logins keeps the value: the forced flight replaces it there. */
  withdraw(): Promise<void> {
    return Promise.resolve();
  }

  private need(slot: TokenSlot, flight: TokenFlight, isExplicit: boolean): LoginNeed {
    const { acceptance, observer, clock } = this.deps;
    let outdated = isExplicit ? slot.kept?.value : undefined;
    return {
      take: ({ tokens }: LoginRecord) => {
        if (!tokens) return false;
        if (isExplicit) outdated ??= tokens.access;
        if (tokens.access === outdated) return false;
        const { access, accessExpiresAt, accessLifeMs, obtainedAt } = tokens;
        const record = { secret: access, expiresAt: accessExpiresAt, lifeMs: accessLifeMs, obtainedAt };
        const isTaken = acceptance.fromStore(slot, record) !== undefined;
        if (isTaken) observer.adopted(slot.kind);
        return isTaken;
      },
      isServed: (tokens: LoginTokens) =>
        slot.usable() !== undefined ||
        (clock.now() < tokens.accessExpiresAt &&
          !slot.isRejected(fingerprintOf(tokens.access)) &&
          isExplicit),
      isWaitedFor: () => flight.blocking,
      signal: flight.signal,
    };
  }

  private accept(slot: TokenSlot, { grant }: UsableLogin): HeldToken {
    const { acceptance, observer } = this.deps;
    if (grant) {
      observer.missed(slot.kind);
      const { accessToken: value, accessLifeMs: expireMs, startedAt, startedMonotonic } = grant;
      try {
        return acceptance.fromPlatform(slot, { value, expireMs, startedAt, startedMonotonic }).token;
      } catch (error) {
        // It is stored, and another read adopts it: the token that is held ends later, so it stays.
        if (!isFeishuAuthError(error) || !slot.usable()) throw error;
      }
    }
    const held = slot.usable();
    if (held) return held;
    throw new FeishuAuthError(
      'ERR_FEISHU_PLATFORM_UNAVAILABLE',
      'the new token ended before it could be used',
      {
        retryable: true,
      },
    );
  }
}

/** What a caller gets for a user's token without the option `users`. */
export class UsersNotConfigured implements Renewal {
  fly(): Promise<never> {
    return Promise.reject(
      new FeishuAuthError(
        'ERR_FEISHU_CONFIG_INVALID',
        'there are no user logins: set the option users: { store } of FeishuAuthModule',
      ),
    );
  }

  withdraw(): Promise<void> {
    return Promise.resolve();
  }
}

function unknownOutcome(): FeishuAuthError {
  return new FeishuAuthError(
    'ERR_FEISHU_PLATFORM_UNAVAILABLE',
    "the outcome of the login's last renewal is unknown: it is not renewed again for now",
    { retryable: true },
  );
}
