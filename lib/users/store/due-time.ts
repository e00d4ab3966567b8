import { FeishuAuthError } from '../../errors/feishu-auth.error.js';

/**
 * `dueAt` of a `put`, in epoch milliseconds.
 *
 * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` if it is not a valid date from 1970 on
 * @internal
 */
export function dueTimeOf(options: { dueAt?: Date | undefined } | undefined): number | undefined {
  const time = options?.dueAt?.getTime();
  if (time === undefined || time >= 0) return time;
  throw new FeishuAuthError('ERR_FEISHU_INVALID_ARGUMENT', 'dueAt must be a valid date from 1970 on');
}

/**
 * `limit` of a `dueBefore`.
 *
 * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` if it is not a positive integer
 * @internal
 */
export function checkedLimit(limit: number): number {
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new FeishuAuthError('ERR_FEISHU_INVALID_ARGUMENT', `limit must be a positive integer, not ${limit}`);
}
