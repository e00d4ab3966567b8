import {
  FeishuAuthError,
  type FeishuAuthErrorCode,
  type FeishuAuthErrorDetails,
} from '../../errors/feishu-auth.error.js';
import { type OAuthCodeMeaning } from './oauth-codes.js';

/**
 * What is known about a request that did not bring what it was sent for. Codes and refresh tokens are single use, so it
 * matters whether Feishu saw the request.
 *
 * - `not-sent`: it surely never reached Feishu.
 * - `refused`: Feishu answered, and used up nothing.
 * - `spent`: Feishu used up the code or refresh token, and its answer cannot be used.
 * - `unknown`: it was sent, and no readable answer came.
 */
export type RequestFate = 'not-sent' | 'refused' | 'spent' | 'unknown';

/** A {@link FeishuAuthError} of an OAuth endpoint. What only this module needs to know is private to it. */
export class OAuthFailure extends FeishuAuthError {
  readonly #fate: RequestFate;
  readonly #meaning: OAuthCodeMeaning | undefined;
  readonly #oauthError: string | undefined;

  constructor(
    code: FeishuAuthErrorCode,
    message: string,
    fate: RequestFate,
    details: FeishuAuthErrorDetails & {
      meaning?: OAuthCodeMeaning | undefined;
      oauthError?: string | undefined;
    } = {},
  ) {
    super(code, message, details);
    this.#fate = fate;
    this.#meaning = details.meaning;
    this.#oauthError = details.oauthError;
  }

  get fate(): RequestFate {
    return this.#fate;
  }

  /** The row of the table of codes, if Feishu's answer has one. */
  get meaning(): OAuthCodeMeaning | undefined {
    return this.#meaning;
  }

  /** OAuth's own name of the refusal, such as `authorization_pending`. */
  get oauthError(): string | undefined {
    return this.#oauthError;
  }
}
