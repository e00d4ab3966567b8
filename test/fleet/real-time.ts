import { jest } from '@jest/globals';

/**
 * For processes in real time: on a machine that others share, a stall of seconds is no fault of the code. What failed is
 * printed, and tried once more.
 */
export function allowOneStall(): void {
  jest.retryTimes(1, { logErrorsBeforeRetry: true });
}
