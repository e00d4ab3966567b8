export { RedisRefreshLock, type RedisRefreshLockOptions } from './redis-refresh-lock.js';
export { RedisUserTokenStore, type RedisUserTokenStoreOptions } from './redis-user-token-store.js';
export { type RedisLockClient, type RedisScriptClient } from './redis-lock-client.js';
