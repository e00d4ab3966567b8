import { isFeishuAuthError } from '../../errors/feishu-auth.error.js';
import { type Clock } from '../../time/clock.js';
import { type LoginRecord } from '../record/login-record.js';
import { type LoginStore } from '../record/login-store.js';
import { type ExchangedLogin } from './exchanged-login.js';
import { type RotationJournal } from './rotation-journal.js';

/** Between two attempts to store what the store did not take. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 30_000;
/** Once the application closes, time is short. */
const LONGEST_PAUSE_AT_CLOSE_MS = 1_000;
/** A store that reports so many lost races in a row is broken. */
const MAX_RACES = 100;

/**
 * - `stored`: the store has the new generation.
 * - `yielded`: another generation is there, such as a new login or a logout. It stays.
 * - `uncommitted`: the store does not answer. This process keeps the new generation, and goes on trying.
 */
export type CommitOutcome = 'stored' | 'yielded' | 'uncommitted';

/** @internal */
export interface LoginCommitsOptions {
  readonly store: LoginStore;
  readonly journal: RotationJournal | undefined;
  readonly clock: Clock;
  readonly log: { warn(message: string): void; error(message: string): void; log(message: string): void };
  /** Told when the store has refused what this process kept, and served: it must not be served any more. */
  readonly onYield: (key: string, login: LoginRecord) => void;
}

interface Pending {
  readonly exchanged: ExchangedLogin;
  readonly claimId: string;
  readonly since: number;
  /** The attempt under way: all that want one share it. */
  attempt: Promise<CommitOutcome> | undefined;
}

/**
 * Stores what exchanges brought. It commits by generation, because the new refresh token is the only live one: a claim or a
 * mark on the generation that was exchanged is overwritten, and any other generation stays.
 */
export class LoginCommits {
  readonly #options: LoginCommitsOptions;
  readonly #pending = new Map<string, Pending>();
  readonly #closing = new AbortController();

  constructor(options: LoginCommitsOptions) {
    this.#options = options;
  }

  /** How many logins have new tokens that the store has not taken. */
  get uncommitted(): number {
    return this.#pending.size;
  }

  /** The login of which the store does not know the newest generation. */
  uncommittedOf(key: string): LoginRecord | undefined {
    return this.#pending.get(key)?.exchanged.next;
  }

  /** @param version of the record with the claim, which saves reading it again */
  async commit(
    key: string,
    claimId: string,
    exchanged: ExchangedLogin,
    version: string | undefined,
  ): Promise<CommitOutcome> {
    const { journal } = this.#options;
    // At the same time as the store: the first that answers protects the tokens from a crash.
    const journalled = journal?.write(key, claimId, exchanged);
    const outcome = await this.attempt(key, exchanged, version);
    if (outcome === 'uncommitted') this.keep(key, claimId, exchanged);
    else void journalled?.then(() => journal?.remove(key, claimId));
    return outcome;
  }

  /** One attempt now, for a caller who needs the login committed. */
  async retry(key: string): Promise<CommitOutcome> {
    const pending = this.#pending.get(key);
    return pending ? this.retryPending(key, pending) : 'stored';
  }

  /** Goes on trying for at most `graceMs`, then says what could not be stored. */
  async close(graceMs: number): Promise<void> {
    const { clock, log } = this.#options;
    const endsAt = clock.monotonic() + graceMs;
    this.#closing.abort();
    await Promise.all([...this.#pending].map(([key, pending]) => this.flush(key, pending, endsAt)));
    if (this.#pending.size === 0) return;
    const users = [...this.#pending.values()].map(({ exchanged }) => exchanged.next.user.openId);
    log.error(
      `${users.length} logins were renewed and could not be stored before the application closed; unless the journal has their tokens, these users have to log in again: ${users.join(', ')}`,
    );
  }

  private keep(key: string, claimId: string, exchanged: ExchangedLogin): void {
    const { clock, log } = this.#options;
    const pending = { exchanged, claimId, since: clock.monotonic(), attempt: undefined };
    this.#pending.set(key, pending);
    if (this.#pending.size === 1) {
      log.warn(
        'the new tokens of a login could not be stored: they are served from memory and stored once users.store answers',
      );
    }
    void this.keepTrying(key, pending);
  }

  private async keepTrying(key: string, pending: Pending): Promise<void> {
    const { clock } = this.#options;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      await clock.sleep(pause, this.#closing.signal);
      if (this.#closing.signal.aborted || this.#pending.get(key) !== pending) return;
      if ((await this.retryPending(key, pending)) !== 'uncommitted') return;
    }
  }

  private async flush(key: string, pending: Pending, endsAt: number): Promise<void> {
    const { clock } = this.#options;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_AT_CLOSE_MS)) {
      if ((await this.retryPending(key, pending)) !== 'uncommitted') return;
      if (clock.monotonic() + pause >= endsAt) return;
      await clock.sleep(pause, undefined, { ref: true });
    }
  }

  private retryPending(key: string, pending: Pending): Promise<CommitOutcome> {
    pending.attempt ??= this.attemptPending(key, pending).finally(() => {
      pending.attempt = undefined;
    });
    return pending.attempt;
  }

  private async attemptPending(key: string, pending: Pending): Promise<CommitOutcome> {
    const { journal, log, clock, onYield } = this.#options;
    const outcome = await this.attempt(key, pending.exchanged, undefined);
    if (outcome === 'uncommitted') return outcome;
    if (this.#pending.get(key) === pending) this.#pending.delete(key);
    void journal?.remove(key, pending.claimId);
    if (outcome === 'yielded') onYield(key, pending.exchanged.next);
    if (this.#pending.size === 0) {
      const seconds = Math.round((clock.monotonic() - pending.since) / 1_000);
      log.log(`users.store answers again: every login is stored, the last one after ${seconds} s`);
    }
    return outcome;
  }

  private async attempt(
    key: string,
    { base, next }: ExchangedLogin,
    version: string | undefined,
  ): Promise<CommitOutcome> {
    const { store } = this.#options;
    try {
      let expected = version;
      for (let races = 0; races < MAX_RACES; races++) {
        if (expected !== undefined && (await store.write(key, next, expected)) !== undefined) return 'stored';
        const found = await store.read(key);
        // A write that was reported as failed may have happened, and another process may have used the journal.
        if (found?.login.generation === next.generation) return 'stored';
        if (found?.login.generation !== base) return 'yielded';
        expected = found.version;
      }
      return 'uncommitted';
    } catch (error) {
      if (isFeishuAuthError(error)) return 'uncommitted';
      throw error;
    }
  }
}
