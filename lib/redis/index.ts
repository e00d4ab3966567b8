export { RedisRefreshLock, type RedisRefreshLockOptions } from './redis-refresh-lock.js';
export { type RedisLockClient } from './redis-lock-client.js';
