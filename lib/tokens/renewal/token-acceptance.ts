import { createHash } from 'node:crypto';
import { FeishuAuthError } from '../../errors/feishu-auth.error.js';
import { type TokenGrant } from '../../platform/token-grants.js';
import { type StoredSecret } from '../../store/record-store.js';
import { type Clock } from '../../time/clock.js';
import { type RandomSource } from '../../time/random-source.js';
import { nextAttemptAfterNoop, tokenTime, windowsOf } from '../freshness.js';
import { type HeldToken } from '../slot/held-token.js';
import { KeptToken } from '../slot/kept-token.js';
import { type TokenSlot } from '../slot/token-slot.js';
import { fingerprintOf } from '../slot/value-fingerprint.js';
import { type TokenObserver } from '../token-observer.js';

/** For how long a value that Feishu returned again after its rejection cannot be rejected once more. */
const CONFIRMED_MS = 60_000;

/** Decides which token a slot holds next, of those that the store has and that Feishu grants. */
export class TokenAcceptance {
  /** Makes the draw of a token's windows repeatable in this process, and different in another one. */
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
   * Adopts the stored token. It replaces a held token only if it has another value and is not due for renewal itself. A
   * later end does not count: each process computes a slightly different end for the same token, and a process that
   * adopts it again and again would never renew.
   */
  fromStore(slot: TokenSlot, stored: StoredSecret): HeldToken | undefined {
    const { secret, obtainedAt, expiresAt, lifeMs } = stored;
    if (expiresAt === undefined || lifeMs === undefined) return undefined;
    // The held value, dead or alive, is not news. After the wall clock was set back, its record would revive it.
    if (slot.kept?.value === secret) return undefined;
    const now = this.clock.now();
    const fingerprint = fingerprintOf(secret);
    // `now + lifeMs`: the writer's clock may be fast.
    const endsAt = Math.min(expiresAt, now + lifeMs, slot.knownEnd(fingerprint));
    const origin = { anchor: now - this.clock.monotonic(), obtainedAt, source: 'store' as const };
    const token = this.toHeld(slot, secret, endsAt, lifeMs, origin);
    if (now >= token.deadAt || slot.isRejected(fingerprint)) return undefined;
    if (slot.usable() && now >= token.refreshAt) return undefined;
    this.hold(slot, token);
    return token;
  }

  /**
   * Accepts the token that Feishu granted. `isNoop`: it has the value that is held, or that was rejected just before.
   *
   * @throws FeishuAuthError `ERR_FEISHU_PLATFORM_UNAVAILABLE` for a token that has already expired, as after the machine
   * slept; `ERR_FEISHU_MALFORMED_RESPONSE` for a token that ends before the held one
   */
  fromPlatform(slot: TokenSlot, grant: TokenGrant): { token: HeldToken; isNoop: boolean } {
    const held = slot.usable();
    if (held?.value === grant.value) return { token: this.confirmHeld(slot, held, grant), isNoop: true };
    const anchor = grant.startedAt - grant.startedMonotonic;
    const origin = { anchor, obtainedAt: grant.startedAt, source: 'platform' as const };
    const before = slot.kept?.value === grant.value ? slot.kept : undefined;
    // For a token that was held before, `expire` is the rest of its life.
    const lifeMs = before?.lifeMs ?? grant.expireMs;
    const token = this.toHeld(slot, grant.value, grant.startedAt + grant.expireMs, lifeMs, origin);
    if (this.timeOf(token) >= token.deadAt) throw alreadyExpired();
    if (held && token.expiresAt - token.anchor < held.expiresAt - held.anchor) throw endsSooner();
    const isNoop = this.confirmRejected(slot, grant.value) || before !== undefined;
    this.hold(slot, token);
    return { token, isNoop };
  }

  private confirmHeld(slot: TokenSlot, held: HeldToken, grant: TokenGrant): HeldToken {
    const anchor = grant.startedAt - grant.startedMonotonic;
    // The earlier of both ends by the monotonic clock: the wall clock may have been set in between.
    const endsAt = Math.min(held.expiresAt - held.anchor, grant.startedMonotonic + grant.expireMs) + anchor;
    const origin = { anchor, obtainedAt: held.obtainedAt, source: 'platform' as const };
    const same = this.toHeld(slot, held.value, endsAt, held.lifeMs, origin);
    const postponed = nextAttemptAfterNoop(same.expiresAt, this.timeOf(same));
    // Not after `deadAt`: before `refreshAt`, reads check nothing else.
    const token = same.renewedAt(Math.min(Math.max(same.refreshAt, postponed), same.deadAt));
    this.hold(slot, token);
    return token;
  }

  /** Feishu returned the value that an API rejected: the token was not the problem. */
  private confirmRejected(slot: TokenSlot, value: string): boolean {
    const { rejected } = slot;
    if (rejected === undefined || rejected.fingerprint !== fingerprintOf(value)) return false;
    slot.confirm(rejected.fingerprint, this.clock.monotonic() + CONFIRMED_MS);
    return true;
  }

  private hold(slot: TokenSlot, token: HeldToken): void {
    if (slot.kept && !slot.usable()) this.observer.renewedLate(slot.kind);
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

  /** In [0, 1), always the same for this process, key and token. */
  private draw(key: string, value: string): number {
    const digest = createHash('sha256').update(`${this.drawSeed}\n${key}\n${value}`).digest();
    return digest.readUInt32BE(0) / 2 ** 32;
  }

  private timeOf(token: HeldToken): number {
    return tokenTime(this.clock.now(), this.clock.monotonic(), token.anchor);
  }
}

function alreadyExpired(): FeishuAuthError {
  const message = 'Feishu returned an already expired token; the next attempt asks again';
  return new FeishuAuthError('ERR_FEISHU_PLATFORM_UNAVAILABLE', message, { retryable: true });
}

function endsSooner(): FeishuAuthError {
  const message = 'Feishu returned a token that ends before the held one; the held one stays in use';
  return new FeishuAuthError('ERR_FEISHU_MALFORMED_RESPONSE', message, { retryable: true });
}
