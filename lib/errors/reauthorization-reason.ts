/**
 * Why a user has to log in again.
 *
 * - `absent`: no login of this user is stored.
 * - `expired`: the refresh token ended, or 365 days passed since the user agreed.
 * - `revoked`: Feishu revoked the refresh token, or says that it was used before.
 * - `outcome-lost`: Feishu used up the refresh token, and its answer never arrived.
 * - `user-disabled`: the user left, is frozen, or may not use the app.
 * - `logged-out`: the application logged the user out.
 * - `no-refresh-token`: the access token ended, and the login has no refresh token (scope `offline_access` was missing).
 *
 * @publicApi
 */
export type ReauthorizationReason =
  'absent' | 'expired' | 'revoked' | 'outcome-lost' | 'user-disabled' | 'logged-out' | 'no-refresh-token';
