import { createHash } from 'node:crypto';
import { FeishuAuthError } from '../../errors/feishu-auth.error.js';
import { type TokenGrant } from '../../platform/token-grants.js';
import { type StoredSecret } from '../../store/record-store.js';
import { type Clock } from '../../time/clock.js';
import { type RandomSource } from '../../time/random-source.js';
import { nextAttemptAfterNoop, tokenTime, windowsOf } from '../freshness.js';
import { type HeldToken } from '../slot/held-token.js';
import { KeptToken } from '../slot/kept-token.js';
import { type TokenObserver } from '../token-observer.js';
import { type TokenSlot } from '../slot/token-slot.js';
import { fingerprintOf } from '../slot/value-fingerprint.js';

/** How long a value that the platform handed out again after its rejection is not rejected once more. */
const CONFIRMED_MS = 60_000;

/** Decides which token a slot holds next: what the store has and what the platform grants both come through here. */
export class TokenAcceptance {
  /** Makes the draw of a token's windows the same each time in this process, and another in the next. */
  private readonly drawSeed: string;

  constructor(
    private readonly clock: Clock,
    random: RandomSource,
    private readonly aheadMs: readonly [min: number, max: number],
    private readonly observer: TokenObserver,
  ) {
    this.drawSeed = String(random.next());
  }

  /**
   * Takes over what the store holds. In place of a held token only another value that is not due for renewal itself;
   * never "what ends later", because the same token computed by another process ends a little later.
   */
  fromStore(slot: TokenSlot, stored: StoredSecret): HeldToken | undefined {
    const { secret, obtainedAt, expiresAt, lifeMs } = stored;
    if (expiresAt === undefined || lifeMs === undefined) return undefined;
    // The value held here is no news, dead or alive: with the wall clock set back, its record would revive it.
    if (slot.kept?.value === secret) return undefined;
    const now = this.clock.now();
    // A writer whose clock is fast must not make a token live longer than any does.
    const fingerprint = fingerprintOf(secret);
    const endsAt = Math.min(expiresAt, now + lifeMs, slot.knownEnd(fingerprint));
    const origin = { anchor: now - this.clock.monotonic(), obtainedAt, source: 'store' as const };
    const token = this.toHeld(slot, secret, endsAt, lifeMs, origin);
    if (now >= token.deadAt || slot.isRejected(fingerprint)) return undefined;
    if (slot.usable() && now >= token.refreshAt) return undefined;
    this.hold(slot, token);
    return token;
  }

  /**
   * Takes what the platform granted. `isNoop`: it is the very token that was held, or rejected a moment ago.
   *
   * @throws FeishuAuthError `ERR_FEISHU_PLATFORM_UNAVAILABLE` for a token whose life was over when it came, as after a
   * machine slept; `ERR_FEISHU_MALFORMED_RESPONSE` for one that ends before the one held
   */
  fromPlatform(slot: TokenSlot, grant: TokenGrant): { token: HeldToken; isNoop: boolean } {
    const held = slot.usable();
    if (held?.value === grant.value) return { token: this.confirmHeld(slot, held, grant), isNoop: true };
    const anchor = grant.startedAt - grant.startedMonotonic;
    const origin = { anchor, obtainedAt: grant.startedAt, source: 'platform' as const };
    const before = slot.kept?.value === grant.value ? slot.kept : undefined;
    // What remains of a token that was held before is not its whole life.
    const lifeMs = before?.lifeMs ?? grant.expireMs;
    const token = this.toHeld(slot, grant.value, grant.startedAt + grant.expireMs, lifeMs, origin);
    if (this.timeOf(token) >= token.deadAt) throw cameTooLate();
    if (held && token.expiresAt - token.anchor < held.expiresAt - held.anchor) {
      throw endsSooner();
    }
    const isNoop = this.confirmRejected(slot, grant.value) || before !== undefined;
    this.hold(slot, token);
    return { token, isNoop };
  }

  private confirmHeld(slot: TokenSlot, held: HeldToken, grant: TokenGrant): HeldToken {
    const anchor = grant.startedAt - grant.startedMonotonic;
    // The earlier of the two ends, by the monotonic clock: the wall clock may have been set in between.
    const endsAt = Math.min(held.expiresAt - held.anchor, grant.startedMonotonic + grant.expireMs) + anchor;
    const origin = { anchor, obtainedAt: held.obtainedAt, source: 'platform' as const };
    const same = this.toHeld(slot, held.value, endsAt, held.lifeMs, origin);
    const postponed = nextAttemptAfterNoop(same.expiresAt, this.timeOf(same));
    // Not past its dead line: till `refreshAt` reads look at nothing else.
    const token = same.renewedAt(Math.min(Math.max(same.refreshAt, postponed), same.deadAt));
    this.hold(slot, token);
    return token;
  }

  /** The platform stands by a value that an API rejected: the token was never the problem. */
  private confirmRejected(slot: TokenSlot, value: string): boolean {
    if (slot.rejected === undefined || slot.rejected.fingerprint !== fingerprintOf(value)) return false;
    const until = this.clock.monotonic() + CONFIRMED_MS;
    slot.confirmed = { fingerprint: slot.rejected.fingerprint, until };
    slot.rejected = undefined;
    return true;
  }

  private hold(slot: TokenSlot, token: HeldToken): void {
    if (slot.kept && !slot.usable()) this.observer.renewedLate(slot.query.kind);
    slot.hold(token);
  }

  private toHeld(
    slot: TokenSlot,
    value: string,
    expiresAt: number,
    lifeMs: number,
    origin: Pick<HeldToken, 'anchor' | 'obtainedAt' | 'source'>,
  ): KeptToken {
    const { refreshAt } = windowsOf(expiresAt, lifeMs, this.aheadMs, this.draw(slot.key, value));
    const { anchor, obtainedAt, source } = origin;
    return new KeptToken(value, refreshAt, expiresAt, anchor, lifeMs, obtainedAt, source);
  }

  /** In [0, 1): the same for this process, key and token however often it is asked for. */
  private draw(key: string, value: string): number {
    const digest = createHash('sha256').update(`${this.drawSeed}\n${key}\n${value}`).digest();
    return digest.readUInt32BE(0) / 2 ** 32;
  }

  private timeOf(token: HeldToken): number {
    return tokenTime(this.clock.now(), this.clock.monotonic(), token.anchor);
  }
}

function cameTooLate(): FeishuAuthError {
  const message = 'the token that the platform granted had no life left when it came';
  return new FeishuAuthError('ERR_FEISHU_PLATFORM_UNAVAILABLE', message, { retryable: true });
}

function endsSooner(): FeishuAuthError {
  const message = 'the token that the platform granted ends sooner than the one that is held';
  return new FeishuAuthError('ERR_FEISHU_MALFORMED_RESPONSE', message, { retryable: true });
}
