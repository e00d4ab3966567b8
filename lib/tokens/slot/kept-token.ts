import { AsyncLocalStorage } from 'node:async_hooks';
import { deadAtOf, mustAtOf } from '../freshness.js';
import { type HeldToken } from './held-token.js';

/** The promise lives for two hours. It must not keep the async context of the first caller alive. */
const runOutside = AsyncLocalStorage.snapshot();

/** A held token in little memory: windows are computed, and the promise is made for the first caller. */
export class KeptToken implements HeldToken {
  private resolved: Promise<string> | undefined = undefined;

  constructor(
    readonly value: string,
    readonly refreshAt: number,
    readonly expiresAt: number,
    readonly anchor: number,
    readonly lifeMs: number,
    readonly obtainedAt: number,
    readonly source: HeldToken['source'],
  ) {}

  get promise(): Promise<string> {
    return this.resolved ?? this.resolve();
  }

  get mustAt(): number {
    return mustAtOf(this.expiresAt, this.lifeMs);
  }

  get deadAt(): number {
    return deadAtOf(this.expiresAt, this.lifeMs);
  }

  /** A separate method, because a function with a closure allocates at every call. */
  private resolve(): Promise<string> {
    this.resolved = runOutside(() => Promise.resolve(this.value));
    return this.resolved;
  }

  /** The same token, to be renewed at another time. */
  renewedAt(refreshAt: number): KeptToken {
    const { value, expiresAt, anchor, lifeMs, obtainedAt, source } = this;
    return new KeptToken(value, refreshAt, expiresAt, anchor, lifeMs, obtainedAt, source);
  }
}
