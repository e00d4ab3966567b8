import { AsyncLocalStorage } from 'node:async_hooks';
import { deadAtOf, mustAtOf } from '../freshness.js';
import { type HeldToken } from './held-token.js';

/** A promise that is kept for two hours must not keep the async context of whoever happened to be first as long. */
const runOutside = AsyncLocalStorage.snapshot();

/** A token in as little memory as it takes: what can be worked out is, and the promise is made for the first who asks. */
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

  /** Apart, because whatever has a closure in it puts something on the heap at every call. */
  private resolve(): Promise<string> {
    this.resolved = runOutside(() => Promise.resolve(this.value));
    return this.resolved;
  }

  /** The same, renewed at another time. */
  renewedAt(refreshAt: number): KeptToken {
    const { value, expiresAt, anchor, lifeMs, obtainedAt, source } = this;
    return new KeptToken(value, refreshAt, expiresAt, anchor, lifeMs, obtainedAt, source);
  }
}
