import { type DesignSetup, type TokenDesign } from './design.js';
import { APP, TokenSource } from './token-source.js';

/**
 * (2) One flight a key, in an atomic cell that all waiters share. The sketch kept the cell for ever, and so never
 * renewed anything; here it is emptied when the flight ends, or there would be nothing to measure.
 */
export class SingleFlightDesign implements TokenDesign {
  protected readonly source: TokenSource;
  private readonly cells = new Map<string, Promise<string>>();

  constructor(setup: DesignSetup) {
    this.source = new TokenSource(setup);
  }

  async get(tenantKey: string): Promise<string> {
    return this.source.usable(tenantKey) ?? this.fly(tenantKey);
  }

  lateRenewals(): number {
    return this.source.late;
  }

  async close(): Promise<void> {}

  protected fly(key: string): Promise<string> {
    const underWay = this.cells.get(key);
    if (underWay) return underWay;
    const flight = this.source.fetch(key, () => this.get(APP)).finally(() => this.cells.delete(key));
    this.cells.set(key, flight);
    return flight;
  }
}
