import { type ReauthorizationReason } from '../errors/reauthorization-reason.js';

/**
 * What is known of a user's login. No token is in it.
 *
 * @publicApi
 */
export interface UserLoginStatus {
  /**
   * - `active`: tokens can be obtained, or an attempt that failed will be repeated.
   * - `uncommitted`: the same, and this process holds new tokens that the store has not taken yet.
   * - `reauthorization-required`: the user has to log in again; `reason` says why.
   * - `absent`: no login of the user is stored.
   */
  state: 'active' | 'uncommitted' | 'reauthorization-required' | 'absent';
  reason?: ReauthorizationReason;
  /** The scopes that the user has granted. */
  scopes: readonly string[];
  accessTokenExpiresAt?: Date;
  /** When the refresh token ends unless it is used before. Absent if there is none, or if Feishu does not say it. */
  refreshTokenExpiresAt?: Date;
  /** When the user agreed. */
  authorizedAt?: Date;
}
