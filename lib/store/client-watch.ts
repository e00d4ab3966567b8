/** The part of a node-redis or ioredis client that tells how it is connected. */
export interface WatchedClient {
  readonly isOpen: boolean;
  readonly isReady?: boolean;
  on(event: 'error' | 'ready' | 'end', listener: (error?: unknown) => void): unknown;
}

const watches = new WeakMap<WatchedClient, ClientWatch>();

/** Listens to a client once, however many users it has: a listener for each would look like a leak to Node. */
export class ClientWatch {
  /** Why the client is not connected: its last `error` since it was ready. */
  lastError: unknown;
  readonly #client: WatchedClient;
  readonly #waiting = new Set<() => void>();
  #wasOpen: boolean;
  #hasEnded = false;

  private constructor(client: WatchedClient) {
    this.#client = client;
    this.#wasOpen = client.isOpen;
    // Without a listener an `error` event ends the process.
    client.on('error', (error?: unknown) => {
      this.lastError = error;
    });
    client.on('ready', () => {
      this.lastError = undefined;
      this.#wasOpen = true;
      this.#hasEnded = false;
      for (const wake of [...this.#waiting]) wake();
    });
    client.on('end', () => {
      this.#hasEnded = true;
    });
  }

  static of(client: WatchedClient): ClientWatch {
    const known = watches.get(client);
    if (known) return known;
    const watch = new ClientWatch(client);
    watches.set(client, watch);
    return watch;
  }

  /**
   * Whether the application closed the client. Connecting it again would keep a process alive that is about to end. A
   * client that lost its connection and gave up is not closed.
   */
  isClosed(): boolean {
    if (this.#client.isOpen) {
      this.#wasOpen = true;
      return false;
    }
    return this.#hasEnded || (this.#wasOpen && this.lastError === undefined);
  }

  /** Calls back at the next `ready`. @returns stops listening */
  onReady(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }
}
