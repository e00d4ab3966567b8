/**
 * The scripts of the store. Redis runs each of them without another command in between. All keys of a script are in one
 * hash slot, so that a Cluster accepts it.
 */

/** KEYS: record. */
export const READ = `return redis.call('HMGET', KEYS[1], 'value', 'version')`;

/**
 * KEYS: record, due dates. ARGV: version before or '', new version, value, due date or '', name in the due dates.
 *
 * A client that lost its connection may send the script again: then the record has the new version already.
 */
export const WRITE = `
local version = redis.call('HGET', KEYS[1], 'version') or ''
if version == ARGV[2] then return 1 end
if version ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'value', ARGV[3], 'version', ARGV[2])
if ARGV[4] == '' then redis.call('ZREM', KEYS[2], ARGV[5]) else redis.call('ZADD', KEYS[2], ARGV[4], ARGV[5]) end
return 1`;

/** KEYS: record, due dates. ARGV: version, name in the due dates. */
export const REMOVE = `
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])
return 1`;

/** KEYS: due dates. ARGV: time, limit. */
export const DUE = `return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[2])`;

/** KEYS: any, to choose a node of a Cluster. */
export const DURABILITY = `return redis.call('INFO', 'persistence') .. redis.call('INFO', 'memory')`;
