import { type EmulatedConsentMode } from './consent-endpoints.js';

/**
 * How user logins go at the emulator.
 *
 * @publicApi
 */
export interface EmulatedOAuthOptions {
  /**
   * What the authorize URL does in a browser: shows a page with the buttons, or answers at once for the user that signed
   * in last.
   * @default 'page'
   */
  consent?: EmulatedConsentMode;
  /** How long a user access token lives, in seconds. @default 7200 */
  accessTokenLifetimeSeconds?: number;
  /** How long a refresh token lives unless it is used, in seconds. @default 604800 */
  refreshTokenLifetimeSeconds?: number;
  /** How long an authorization code lives, in seconds. @default 300 */
  codeLifetimeSeconds?: number;
  /** How long a device login waits for its user, in seconds. @default 240 */
  deviceCodeLifetimeSeconds?: number;
  /** How often a device may ask, in seconds. @default 5 */
  deviceIntervalSeconds?: number;
  /** The `code` for a refresh token that was used before: 20073 is what is documented, 20064 what is seen. @default 20073 */
  usedRefreshTokenCode?: 20064 | 20073;
  /**
   * `true`: a refresh token that is sent a second time ends its whole login, as many servers do. Feishu says nothing
   * about it.
   * @default false
   */
  replayRevokesFamily?: boolean;
}

/** @internal */
export type ResolvedOAuthOptions = Required<EmulatedOAuthOptions>;

/** @internal */
export function resolveOAuthOptions(options: EmulatedOAuthOptions = {}): ResolvedOAuthOptions {
  const lifetimes = {
    accessTokenLifetimeSeconds: options.accessTokenLifetimeSeconds ?? 7_200,
    refreshTokenLifetimeSeconds: options.refreshTokenLifetimeSeconds ?? 604_800,
    codeLifetimeSeconds: options.codeLifetimeSeconds ?? 300,
    deviceCodeLifetimeSeconds: options.deviceCodeLifetimeSeconds ?? 240,
    deviceIntervalSeconds: options.deviceIntervalSeconds ?? 5,
  };
  for (const [name, seconds] of Object.entries(lifetimes)) {
    if (!(Number.isFinite(seconds) && seconds >= 1)) throw new RangeError(`oauth.${name} must be at least 1`);
  }
  return {
    ...lifetimes,
    consent: options.consent ?? 'page',
    usedRefreshTokenCode: options.usedRefreshTokenCode ?? 20073,
    replayRevokesFamily: options.replayRevokesFamily ?? false,
  };
}
