import { randomUUID } from 'node:crypto';
import { FeishuAuthError } from '../../errors/feishu-auth.error.js';
import { type ReauthorizationReason } from '../../errors/reauthorization-reason.js';
import { type OAuthFailure } from '../../platform/oauth/oauth-failure.js';
import { type UserTokenGrant } from '../../platform/oauth/oauth-grants.js';
import { type Clock } from '../../time/clock.js';
import { withDeadline, withSignal } from '../../time/deadline.js';
import { type RandomSource } from '../../time/random-source.js';
import { reauthorizationRequired } from '../reauthorization.js';
import {
  endLogin,
  type LoginClaim,
  type LoginRecord,
  type LoginTokens,
  type UncertainOutcome,
} from '../record/login-record.js';
import { type LoginStore, type StoredLogin } from '../record/login-store.js';
import { type UserCounters } from '../user-counters.js';
import { type AppPause } from './app-pause.js';
import { type ClaimWatch } from './claim-watch.js';
import { exchanged } from './exchanged-login.js';
import { type LoginCommits } from './login-commits.js';
import { type LoginExchange } from './login-exchange.js';
import { type LoginNeed } from './login-need.js';
import { type RotationJournal } from './rotation-journal.js';
import { UnsentClaims } from './unsent-claims.js';

/** Between two looks at a login that another process has claimed. */
const FIRST_LOOK_MS = 50;
const LONGEST_LOOK_MS = 1_000;
/** Keep-alive leaves a login alone for so long after an attempt that failed. */
const REST_MS = 10 * 60_000;
/** Of those under which a refresh token was sent without an answer, the last ones are on record. */
const MAX_CLAIMS = 8;

/** @internal */
export interface LoginRotatorOptions {
  readonly store: LoginStore;
  readonly exchange: LoginExchange;
  readonly commits: LoginCommits;
  readonly journal: RotationJournal | undefined;
  readonly claims: ClaimWatch;
  readonly pause: AppPause;
  readonly counters: UserCounters;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly claimMs: number;
  /** Makes tokens worthless at Feishu that no record has. Never rejects. */
  readonly discard: (tokens: LoginTokens) => Promise<void>;
}

/** A login that gives a token now. */
export interface UsableLogin {
  readonly login: LoginRecord;
  /** Present if this process has just exchanged the refresh token for it. */
  readonly grant?: UserTokenGrant;
}

/** `busy`: there is nothing to do now, or another process does it. */
export type RotationEnd = UsableLogin | 'busy';

/** A login with a refresh token, claimed by this process. */
interface ClaimedLogin {
  readonly key: string;
  readonly login: LoginRecord & { readonly tokens: LoginTokens & { readonly refresh: string } };
  readonly claim: LoginClaim;
  readonly version: string;
  /** Both clocks before the claim was written: a machine that slept must not think that it has time left. */
  readonly startedAt: number;
  readonly startedMonotonic: number;
}

/**
 * Rotates logins: the exchange of a single-use refresh token for the next one, once a generation, in a fleet whose processes
 * crash and pause, with a store and a network that fail.
 *
 * The record is the lock. A claim is written into it by compare-and-set before the exchange, which is at once the exclusive
 * right, the note that an exchange may happen, and the proof that the store takes writes. The result is committed over the
 * generation that was exchanged, also if the record was written in between. See `docs/user-tokens.md` for what follows from a crash at
 * each step.
 */
export class LoginRotator {
  readonly #options: LoginRotatorOptions;
  /** The rotations of this process, by key. A caller that gives up ends none of them. */
  readonly #running = new Map<string, Promise<RotationEnd | 'again'>>();
  readonly #unsent = new UnsentClaims();
  #isClosed = false;

  constructor(options: LoginRotatorOptions) {
    this.#options = options;
  }

  /**
   * What `need` takes: the login as it is stored, or after a rotation.
   *
   * @throws FeishuAuthError `ERR_FEISHU_REAUTHORIZATION_REQUIRED` if the login has ended;
   * `ERR_FEISHU_USER_STORE_UNAVAILABLE` if it cannot be read or claimed; or why Feishu did not exchange the refresh token
   */
  async renew(key: string, need: LoginNeed): Promise<RotationEnd> {
    const { clock, random } = this.#options;
    for (let pause = FIRST_LOOK_MS; ;) {
      need.signal.throwIfAborted();
      const end = await this.step(key, need);
      if (end === 'again') continue;
      if (end !== 'claimed') return end;
      if (!need.isWaitedFor()) return 'busy';
      await clock.sleep(pause * (0.5 + random.next()), need.signal, { ref: true });
      pause = Math.min(2 * pause, LONGEST_LOOK_MS);
    }
  }

  /** Starts no more rotations, and gives those under way `graceMs` to end. */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    const ended = Promise.allSettled(this.#running.values());
    await withDeadline(this.#options.clock, ended, graceMs, () => undefined, { ref: true }).catch(
      () => undefined,
    );
  }

  /** @returns `claimed` while another process has the login; `again` if it has changed */
  private async step(key: string, need: LoginNeed): Promise<RotationEnd | 'again' | 'claimed'> {
    const { store, commits, claims, pause } = this.#options;
    const running = this.#running.get(key);
    if (running) return withSignal(running, need.signal);
    if (commits.uncommittedOf(key)) return this.serveUncommitted(key, need);

    const stored = await withSignal(store.read(key), need.signal);
    if (!stored) throw this.ended('absent');
    const { login } = stored;
    if (login.ended) throw reauthorizationRequired(login.ended.reason, login.ended);
    if (!login.tokens) throw this.ended('absent');
    if (need.take(login)) return { login };
    if (!isRenewable(login)) {
      if (need.isServed(login.tokens)) return 'busy';
      throw this.ended('no-refresh-token');
    }

    const { claim } = login;
    const isOwn = claim !== undefined && this.#unsent.has(key, claim.id);
    if (claim && !isOwn && !claims.isOver(key, claim)) return 'claimed';
    const doubt = doubtOf(login, isOwn);
    if (doubt) {
      const end = await this.resolveDoubt(key, stored, doubt, need);
      if (end) return end;
    }
    pause.throwIfActive();
    return this.start(key, { ...stored, login }, doubt, need);
  }

  /** The store does not know the newest generation: no other one can be made before it does. */
  private async serveUncommitted(key: string, need: LoginNeed): Promise<RotationEnd | 'again'> {
    const { commits } = this.#options;
    const login = commits.uncommittedOf(key);
    if (login && need.take(login)) return { login };
    if ((await withSignal(commits.retry(key), need.signal)) !== 'uncommitted') return 'again';
    if (login?.tokens && need.isServed(login.tokens)) return 'busy';
    throw new FeishuAuthError(
      'ERR_FEISHU_USER_STORE_UNAVAILABLE',
      'the login cannot be renewed before users.store has taken its newest tokens, which it does not',
      { retryable: true },
    );
  }

  /** A refresh token was sent, and what came of it is unknown. `undefined`: it may be sent once more. */
  private async resolveDoubt(
    key: string,
    { login, version }: StoredLogin,
    doubt: UncertainOutcome,
    need: LoginNeed,
  ): Promise<RotationEnd | 'again' | undefined> {
    const { journal, commits, counters, store, clock } = this.#options;
    const found = await journal?.find(key, doubt.claims, login.generation);
    if (found) {
      const outcome = await commits.commit(key, found.claimId, found.exchanged, version);
      if (outcome === 'stored') counters.journalRecovered++;
      return 'again';
    }
    if (doubt.refusal) {
      const { code: feishuCode, reason } = doubt.refusal;
      const ended = endLogin(login, { reason, at: clock.now(), feishuCode });
      if ((await store.write(key, ended, version)) === undefined) return 'again';
      throw this.ended(reason, { feishuCode });
    }
    return login.tokens && need.isServed(login.tokens) ? 'busy' : undefined;
  }

  private start(
    key: string,
    stored: StoredLogin & Pick<ClaimedLogin, 'login'>,
    doubt: UncertainOutcome | undefined,
    need: LoginNeed,
  ): Promise<RotationEnd | 'again'> {
    const other = this.#running.get(key);
    if (other) return withSignal(other, need.signal);
    if (this.#isClosed) throw new FeishuAuthError('ERR_FEISHU_CLOSED', 'the application has been closed');
    const rotation = this.rotate(key, stored, doubt).finally(() => {
      this.#running.delete(key);
    });
    rotation.catch(() => undefined);
    this.#running.set(key, rotation);
    return withSignal(rotation, need.signal);
  }

  private async rotate(
    key: string,
    stored: StoredLogin & Pick<ClaimedLogin, 'login'>,
    doubt: UncertainOutcome | undefined,
  ): Promise<RotationEnd | 'again'> {
    const { exchange, commits, counters, pause, discard } = this.#options;
    const claimed = await this.claim(key, stored, doubt);
    if (!claimed) return 'again';
    const { login, claim, version } = claimed;
    const end = await exchange.run(
      login.tokens.refresh,
      () => this.remainingMs(claimed),
      () => this.#unsent.clear(key),
    );
    if (!('grant' in end)) {
      pause.note(end.failure);
      return this.afterFailure(claimed, doubt, end);
    }
    pause.end();
    counters.rotations++;
    const renewed = exchanged(login, end.grant, randomUUID());
    const outcome = await commits.commit(key, claim.id, renewed, version);
    if (outcome !== 'yielded') return { login: renewed.next, grant: end.grant };
    // A new login or a logout came first: it stays, and no record has these tokens.
    counters.claimsLost++;
    if (renewed.next.tokens) await discard(renewed.next.tokens);
    return 'again';
  }

  private async claim(
    key: string,
    { login, version }: StoredLogin & Pick<ClaimedLogin, 'login'>,
    doubt: UncertainOutcome | undefined,
  ): Promise<ClaimedLogin | undefined> {
    const { store, clock, claims, claimMs } = this.#options;
    const [startedAt, startedMonotonic] = [clock.now(), clock.monotonic()];
    const claim: LoginClaim = { id: randomUUID(), at: startedAt, ms: claimMs };
    // A write that is reported as failed may have happened.
    this.#unsent.add(key, claim.id);
    const claimed = await store.write(
      key,
      { ...login, claim, uncertain: doubt, restUntil: undefined },
      version,
    );
    if (claimed === undefined) return undefined;
    claims.began(key, claim, startedMonotonic);
    return { key, login, claim, version: claimed, startedAt, startedMonotonic };
  }

  private async afterFailure(
    claimed: ClaimedLogin,
    doubt: UncertainOutcome | undefined,
    { failure, isDoubtful }: { failure: OAuthFailure; isDoubtful: boolean },
  ): Promise<'again'> {
    const { counters, clock } = this.#options;
    const { claim, key } = claimed;
    const { fate, meaning, feishuCode, logId } = failure;
    const claimIds = [claim.id, ...(doubt?.claims ?? [])].slice(0, MAX_CLAIMS);
    const uncertain: UncertainOutcome = { since: claim.at, ...doubt, claims: claimIds };
    if (fate === 'unknown') {
      counters.uncertain++;
      await this.leave(claimed, (login) => ({ ...withoutClaim(login), uncertain }));
      throw failure;
    }
    counters.failed++;
    if (fate === 'spent') return this.end(claimed, 'outcome-lost', failure);
    if (meaning?.reaction === 'user-blocked')
      return this.end(claimed, meaning.reason ?? 'user-disabled', failure);
    if (meaning?.reaction === 'login-over') {
      const reason = meaning.reason ?? 'revoked';
      if (!doubt && !isDoubtful) return this.end(claimed, reason, failure);
      const refusal = {
        code: feishuCode ?? 0,
        reason: reason === 'expired' ? reason : ('outcome-lost' as const),
      };
      // The holder of the new tokens, if there is one, has until the end of the claim to commit them.
      await this.leave(claimed, (login) => ({ ...login, claim, uncertain: { ...uncertain, refusal } }));
      throw waitsForOther(new Date(clock.now() + this.remainingMs(claimed)), feishuCode, logId);
    }
    if (fate === 'not-sent') this.#unsent.add(key, claim.id);
    const restUntil = clock.now() + REST_MS;
    await this.leave(claimed, (login) => ({ ...withoutClaim(login), uncertain: doubt, restUntil }));
    throw failure;
  }

  /** Feishu refuses this generation for good. It ends, unless another writer has moved on. */
  private async end(
    claimed: ClaimedLogin,
    reason: ReauthorizationReason,
    { feishuCode, logId }: OAuthFailure,
  ): Promise<'again'> {
    const at = this.#options.clock.now();
    const isOurs = await this.leave(claimed, (login) => endLogin(login, { reason, at, feishuCode, logId }));
    if (isOurs) throw this.ended(reason, { feishuCode, logId });
    this.#options.counters.claimsLost++;
    return 'again';
  }

  /**
   * Changes the record as long as it has the claim; then the claim is not needed any more. Writes that do not concern the
   * claim do not matter. If the store fails, the claim runs out by itself.
   *
   * @returns false if another writer took the login over
   */
  private async leave(
    { key, claim, version, login }: ClaimedLogin,
    change: (login: LoginRecord) => LoginRecord,
  ): Promise<boolean> {
    const { store } = this.#options;
    try {
      let current: StoredLogin = { login: { ...login, claim }, version };
      while ((await store.write(key, change(current.login), current.version)) === undefined) {
        const found = await store.read(key);
        if (found?.login.claim?.id !== claim.id || found.login.generation !== login.generation) return false;
        current = found;
      }
    } catch {
      // Said by what follows: the next look at the login fails as well, or finds the claim.
    }
    return true;
  }

  /** How long this process may still act under its claim, by the clock that is further. */
  private remainingMs({ claim, startedAt, startedMonotonic }: ClaimedLogin): number {
    const { clock } = this.#options;
    return claim.ms - Math.max(clock.now() - startedAt, clock.monotonic() - startedMonotonic);
  }

  private ended(
    reason: ReauthorizationReason,
    details?: { readonly feishuCode?: number | undefined; readonly logId?: string | undefined },
  ): FeishuAuthError {
    this.#options.counters.reauthorizations[reason]++;
    return reauthorizationRequired(reason, details);
  }
}

function isRenewable(login: LoginRecord): login is ClaimedLogin['login'] {
  return login.tokens?.refresh !== undefined;
}

/** The doubt about the login's refresh token: on record, or because a claim ran out without a result. */
function doubtOf(login: LoginRecord, isOwnClaim: boolean): UncertainOutcome | undefined {
  const { claim, uncertain } = login;
  if (!claim || isOwnClaim) return uncertain;
  const before = uncertain?.claims.filter((id) => id !== claim.id) ?? [];
  return { since: claim.at, ...uncertain, claims: [claim.id, ...before] };
}

function withoutClaim({ claim: _claim, ...login }: LoginRecord): LoginRecord {
  return login;
}

function waitsForOther(
  retryAt: Date,
  feishuCode: number | undefined,
  logId: string | undefined,
): FeishuAuthError {
  return new FeishuAuthError(
    'ERR_FEISHU_PLATFORM_UNAVAILABLE',
    'Feishu refuses the refresh token, and another process may hold the new tokens: waiting for it to store them',
    { retryable: true, retryAt, feishuCode, logId },
  );
}
