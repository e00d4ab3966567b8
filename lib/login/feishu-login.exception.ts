import { HttpException } from '@nestjs/common';
import { type FeishuAuthError, type FeishuAuthErrorCode } from '../errors/feishu-auth.error.js';

/**
 * Why a login did not come to an end.
 *
 * - `denied`: the user said no at Feishu.
 * - `invalid-state`: this browser began no such login, or too long ago, or the login is over.
 * - `invalid-request`: `returnTo` is not a path on this origin, or `scope` not a list of scopes.
 * - `rejected`: Feishu refused the code or the user.
 * - `unavailable`: Feishu or the store could not be reached. The user can begin again.
 * - `misconfigured`: the application has to be fixed; its log says how.
 *
 * @publicApi
 */
export type FeishuLoginFailure =
  'denied' | 'invalid-state' | 'invalid-request' | 'rejected' | 'unavailable' | 'misconfigured';

const ANSWERS: Readonly<Record<FeishuLoginFailure, { status: number; message: string }>> = {
  denied: { status: 403, message: 'The user denied the login' },
  'invalid-state': {
    status: 400,
    message: 'This login was not started in this browser, took too long, or is over: start again',
  },
  'invalid-request': {
    status: 400,
    message: 'returnTo must be a path on this site, and scope a list of scopes',
  },
  rejected: { status: 400, message: 'Feishu refused the login: start again' },
  unavailable: { status: 503, message: 'The login could not be completed now: start again in a moment' },
  misconfigured: { status: 500, message: 'The login is not set up correctly' },
};

/**
 * The answer of the login endpoint to a login that failed. An exception filter can turn it into a page: `failure` says what
 * went wrong, `cause` is the error behind it, if there is one. The body names `code` and `failure`, and nothing of the
 * request.
 *
 * @publicApi
 */
export class FeishuLoginException extends HttpException {
  constructor(
    /** What went wrong. */
    readonly failure: FeishuLoginFailure,
    code: FeishuAuthErrorCode,
    cause?: FeishuAuthError,
  ) {
    const { status, message } = ANSWERS[failure];
    super({ statusCode: status, message, code, failure }, status, { cause });
  }
}
