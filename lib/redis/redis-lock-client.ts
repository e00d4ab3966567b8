/**
 * The part of a node-redis client that {@link RedisUserTokenStore} uses. `createClient()`, `createClientPool()`,
 * `createSentinel()` and `createCluster()` of `@redis/client` have it; an ioredis client has it behind a small adapter.
 * Declared here, so that you choose the version of the client.
 *
 * @publicApi
 */
export interface RedisScriptClient {
  /** `true` from `connect()` until the client is closed. */
  readonly isOpen: boolean;
  /** Whether commands reach the server now. Absent for a client with more than one connection. */
  readonly isReady?: boolean;
  connect(): Promise<unknown>;
  on(event: 'error' | 'ready' | 'end', listener: (error?: unknown) => void): unknown;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/**
 * The part of a node-redis client that {@link RedisRefreshLock} uses.
 *
 * @publicApi
 */
export interface RedisLockClient extends RedisScriptClient {
  set(key: string, value: string, options: { NX: true; PX: number }): Promise<unknown>;
}
