/** Where Feishu's OAuth lives. Hosts: Feishu's pages on user_access_token, and the official SDKs for v3. */
export interface OAuthEndpoints {
  readonly authorize: string;
  readonly token: string;
  readonly revoke: string;
  readonly deviceAuthorization: string;
  readonly userInfo: string;
}

/** @param version of the token endpoint: `v3` is on the accounts host, `v2` on the open host */
export function oauthEndpoints(
  origins: { readonly openOrigin: string; readonly accountsOrigin: string },
  version: 'v3' | 'v2',
): OAuthEndpoints {
  const { openOrigin: open, accountsOrigin: accounts } = origins;
  return {
    authorize: `${accounts}/open-apis/authen/v1/authorize`,
    token: version === 'v3' ? `${accounts}/oauth/v3/token` : `${open}/open-apis/authen/v2/oauth/token`,
    revoke: `${accounts}/oauth/v1/revoke`,
    deviceAuthorization: `${accounts}/oauth/v1/device_authorization`,
    userInfo: `${open}/open-apis/authen/v1/user_info`,
  };
}
