export { RedisRefreshLock, type RedisRefreshLockOptions } from '../lock/redis-refresh-lock.js';
export { type RedisLockClient } from '../lock/redis-link.js';
