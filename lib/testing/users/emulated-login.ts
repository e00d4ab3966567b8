/** @internal */
export type OAuthEndpoint = 'v2' | 'v3';

/** @internal */
export type LoginGrant = 'authorization_code' | 'refresh_token' | 'device_code';

/**
 * One successful exchange: a login, or a rotation of one. What was refused is in `emulator.requests`.
 *
 * @publicApi
 */
export interface EmulatedLogin {
  readonly appId: string;
  readonly openId: string;
  /** What was exchanged. */
  readonly grant: LoginGrant;
  /** `v2` is `/open-apis/authen/v2/oauth/token`, `v3` is `/oauth/v3/token`. */
  readonly endpoint: OAuthEndpoint;
  /** By the emulator's clock, in epoch milliseconds. */
  readonly at: number;
  /** The same for all rotations of one authorization. */
  readonly familyId: string;
  /** 1 for the login itself, 2 for its first rotation, and so on. */
  readonly generation: number;
  /** What the answer's `scope` says. */
  readonly scopes: readonly string[];
  readonly accessToken: string;
  /** Absent without the scope `offline_access`. */
  readonly refreshToken?: string;
}
