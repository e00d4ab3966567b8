import { isFeishuAuthError } from '../../errors/feishu-auth.error.js';
import { type Clock } from '../../time/clock.js';
import { withDeadline } from '../../time/deadline.js';
import { type RandomSource } from '../../time/random-source.js';
import { openIdOf, type LoginOwner } from '../record/login-key.js';
import { type LoginRecord } from '../record/login-record.js';
import { type LoginStore } from '../record/login-store.js';
import { type LoginRotator } from '../rotation/login-rotator.js';

/** The due logins that one sweep reads. Each process takes some of them by chance, so that they spread. */
const PAGE = 200;
/** The logins that one sweep of one process renews: Feishu takes 50 requests a second from all processes of an app. */
const PER_SWEEP = 25;
const CONCURRENCY = 4;
/** The sweep of the other tokens waits for this one. */
const DEADLINE_MS = 20_000;

/** @internal */
export interface KeepAliveDependencies {
  readonly owner: LoginOwner;
  readonly store: LoginStore;
  readonly rotator: LoginRotator;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly warn: (message: string) => void;
}

/** Renews logins whose refresh token ends soon, and removes records of logins that ended long ago. */
export class KeepAlive {
  readonly #deps: KeepAliveDependencies;

  constructor(deps: KeepAliveDependencies) {
    this.#deps = deps;
  }

  /** Never rejects: what is not renewed now is due at the next sweep as well. */
  async sweep(): Promise<void> {
    const { store, clock, owner, warn } = this.#deps;
    try {
      const due = (await store.due(clock.now(), PAGE)).filter((key) => openIdOf(owner, key) !== undefined);
      const keys = this.shuffled(due).slice(0, PER_SWEEP).values();
      let isStopped = false;
      const renewNext = async (): Promise<void> => {
        for (const key of keys) {
          if (isStopped) return;
          isStopped ||= await this.look(key);
        }
      };
      const renewed = Promise.all(Array.from({ length: CONCURRENCY }, renewNext));
      // An exchange that hangs goes on by itself.
      await withDeadline(clock, renewed, DEADLINE_MS, () => undefined).catch(() => {
        isStopped = true;
      });
    } catch (error) {
      const why = isFeishuAuthError(error) ? `${error.code}: ${error.message}` : 'unexpectedly';
      warn(`keep-alive: a sweep failed; the next one tries again. ${why}`);
    }
  }

  /** @returns whether the sweep should end, because the next login would fail for the same reason */
  private async look(key: string): Promise<boolean> {
    const { store, clock, rotator } = this.#deps;
    try {
      const found = await store.read(key);
      // Another process may have renewed it since the list was read, or the user may have logged out.
      if (!found || !store.isDue(found.login, clock.now())) return false;
      if (found.login.tokens?.refresh === undefined) {
        await store.remove(key, found.version);
        return false;
      }
      await rotator.renew(key, {
        take: ({ generation }: LoginRecord) => generation !== found.login.generation,
        isServed: ({ accessExpiresAt }) => clock.now() < accessExpiresAt,
        isWaitedFor: () => false,
        signal: new AbortController().signal,
      });
      return false;
    } catch (error) {
      if (!isFeishuAuthError(error)) return false;
      return ['ERR_FEISHU_RATE_LIMITED', 'ERR_FEISHU_CREDENTIALS_REJECTED', 'ERR_FEISHU_CLOSED'].includes(
        error.code,
      );
    }
  }

  private shuffled(keys: readonly string[]): string[] {
    const { random } = this.#deps;
    return keys
      .map((key) => ({ key, at: random.next() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ key }) => key);
  }
}
