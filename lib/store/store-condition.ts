import { type OperationKind } from './store-operation.js';

interface Failure {
  readonly kind: OperationKind;
  readonly key: string;
  readonly reason: string;
  /** The store answered that it does not do this. */
  readonly isRefusal: boolean;
  readonly inARow: number;
}

/** One failure may be chance. */
const FAILURES_TO_REPORT = 3;
const MAX_FAILURES = 100;

/**
 * What does not work at the store, by key and kind of operation: reads may work while writes are refused, and in a
 * cluster one node may be down while the others answer.
 */
export class StoreCondition {
  private readonly failures = new Map<string, Failure>();

  /** The oldest problem; `undefined` while the store works. A refusal is a problem at once, anything else after three. */
  get problem(): string | undefined {
    const [first] = this.problems();
    return first && `${first.kind}s fail: ${first.reason}`;
  }

  /** What to try again, to find out whether the store works by now. */
  problems(): Failure[] {
    return [...this.failures.values()].filter(
      ({ inARow, isRefusal }) => isRefusal || inARow >= FAILURES_TO_REPORT,
    );
  }

  succeeded(kind: OperationKind, key: string): void {
    this.failures.delete(`${kind} ${key}`);
  }

  failed(kind: OperationKind, key: string, reason: string, isRefusal: boolean): void {
    const id = `${kind} ${key}`;
    const inARow = (this.failures.get(id)?.inARow ?? 0) + 1;
    if (this.failures.size >= MAX_FAILURES && !this.failures.has(id)) this.forgetOldest();
    this.failures.set(id, { kind, key, reason, isRefusal, inARow });
  }

  private forgetOldest(): void {
    const [oldest] = this.failures.keys();
    if (oldest !== undefined) this.failures.delete(oldest);
  }
}
