/**
 * Of many dated items that pass by, the earliest `limit`, in order. Holds at most twice as many.
 *
 * @internal
 */
export class Earliest<T> {
  private candidates: { at: number; item: T }[] = [];

  constructor(private readonly limit: number) {}

  offer(at: number, item: T): void {
    this.candidates.push({ at, item });
    if (this.candidates.length >= 2 * this.limit) this.cut();
  }

  items(): T[] {
    this.cut();
    return this.candidates.map(({ item }) => item);
  }

  private cut(): void {
    this.candidates = this.candidates.toSorted((a, b) => a.at - b.at).slice(0, this.limit);
  }
}
