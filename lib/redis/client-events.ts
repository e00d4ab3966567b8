import { type RedisLockClient } from './redis-lock-client.js';

/** What a client emits, heard once for each client: a listener for each lock would look like a leak to Node. */
export class ClientEvents {
  /** Why the client is not connected: its last `error` since it was ready. */
  lastError: unknown;
  /** Whether the client was ready at some time. */
  wasReady = false;
  /** Whether the application closed the client. */
  hasEnded = false;
  private readonly waiting = new Set<() => void>();

  private constructor(client: RedisLockClient) {
    // Without a listener an `error` event ends the process.
    client.on('error', (error?: unknown) => {
      this.lastError = error;
    });
    client.on('ready', () => {
      this.lastError = undefined;
      this.wasReady = true;
      this.hasEnded = false;
      for (const wake of [...this.waiting]) wake();
    });
    client.on('end', () => {
      this.hasEnded = true;
    });
  }

  static of(client: RedisLockClient): ClientEvents {
    const known = eventsOf.get(client);
    if (known) return known;
    const events = new ClientEvents(client);
    eventsOf.set(client, events);
    return events;
  }

  /** Calls back at the next `ready`. @returns stops listening */
  onReady(callback: () => void): () => void {
    this.waiting.add(callback);
    return () => this.waiting.delete(callback);
  }
}

const eventsOf = new WeakMap<RedisLockClient, ClientEvents>();
