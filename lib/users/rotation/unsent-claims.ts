/** Beyond this a store that fails every write would fill the memory. */
const MAX_KEYS = 10_000;

/**
 * Claims of this process under which nothing was sent. It may take them over at once: their write may have been reported as
 * failed, or their request surely never reached Feishu.
 */
export class UnsentClaims {
  private readonly idsByKey = new Map<string, Set<string>>();

  add(key: string, id: string): void {
    const ids = this.idsByKey.get(key) ?? new Set();
    ids.add(id);
    this.idsByKey.set(key, ids);
    if (this.idsByKey.size <= MAX_KEYS) return;
    const [oldest] = this.idsByKey.keys();
    if (oldest !== undefined) this.idsByKey.delete(oldest);
  }

  has(key: string, id: string): boolean {
    return this.idsByKey.get(key)?.has(id) === true;
  }

  /** Something is sent under a claim of this process, or the record shows that its earlier ones are gone. */
  clear(key: string): void {
    this.idsByKey.delete(key);
  }
}
