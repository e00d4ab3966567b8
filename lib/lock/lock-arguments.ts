import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { type RefreshLockOptions } from './refresh-lock.js';

/** @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT`: with NaN or Infinity a wait would not end */
export function assertLockOptions({ ttlMs, waitMs }: RefreshLockOptions): void {
  if (!Number.isFinite(ttlMs) || ttlMs <= 0) {
    throw invalid('ttlMs must be a positive number of milliseconds');
  }
  if (!Number.isFinite(waitMs) || waitMs < 0) {
    throw invalid('waitMs must be a number of milliseconds, 0 or more');
  }
}

function invalid(message: string): FeishuAuthError {
  return new FeishuAuthError('ERR_FEISHU_INVALID_ARGUMENT', `RefreshLock.acquire(): ${message}`);
}
