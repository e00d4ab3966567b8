import { type DesignSetup, type TokenDesign } from './design.js';
import { Mutex } from './mutex.js';
import { APP, TokenSource } from './token-source.js';

/** (0) One exclusive mutex for everything, held across lookup and HTTP: what the plan set out to replace. */
export class ExclusiveMutexDesign implements TokenDesign {
  private readonly source: TokenSource;
  private readonly mutex = new Mutex();

  constructor(setup: DesignSetup) {
    this.source = new TokenSource(setup);
  }

  async get(tenantKey: string): Promise<string> {
    await this.mutex.lock();
    try {
      return await this.lookUp(tenantKey);
    } finally {
      this.mutex.unlock();
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
