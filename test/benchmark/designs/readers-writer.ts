import { type DesignSetup, type TokenDesign } from './design.js';
import { ReadersWriterLock } from './readers-writer-lock.js';
import { APP, TokenSource } from './token-source.js';

/** (1) A readers-writer lock with double check: shared reads, exclusive renewal, and another look after the lock. */
export class ReadersWriterDesign implements TokenDesign {
  private readonly source: TokenSource;
  private readonly lock = new ReadersWriterLock();

  constructor(setup: DesignSetup) {
    this.source = new TokenSource(setup);
  }

  async get(tenantKey: string): Promise<string> {
    await this.lock.lockRead();
    const held = this.source.usable(tenantKey);
    this.lock.unlockRead();
    if (held !== undefined) return held;
    await this.lock.lockWrite();
    try {
      return await this.lookUp(tenantKey);
    } finally {
      this.lock.unlockWrite();
    }
  }

  lateRenewals(): number {
    return this.source.late;
  }

  async close(): Promise<void> {}

  private async lookUp(key: string): Promise<string> {
    return this.source.usable(key) ?? this.source.fetch(key, () => this.lookUp(APP));
  }
}
