import { type EmulatorApps, type RegisteredApp } from '../emulator-apps.js';
import { type EmulatorEndpoints } from '../emulator-endpoints.js';
import { type EmulatorReply, json } from '../emulator-reply.js';
import { type EmulatorRequest, type RequestParameters, withoutTrailingSlash } from '../emulator-request.js';
import { type AuthorizationCodes } from './authorization-codes.js';
import { type ClientAuthentication, isClient } from './client-authentication.js';
import { DEVICE_GRANT, type DeviceLogins } from './device-logins.js';
import { type EmulatedLogin, type OAuthEndpoint } from './emulated-login.js';
import { refuseGrant } from './oauth-errors.js';
import { type UserGrant, type UserTokens } from './user-tokens.js';

/** Where the token endpoints are. @internal */
export const TOKEN_PATHS: Readonly<Record<OAuthEndpoint, string>> = {
  v2: '/open-apis/authen/v2/oauth/token',
  v3: '/oauth/v3/token',
};

/** @internal */
export function isTokenPath(path: string): boolean {
  return Object.values(TOKEN_PATHS).includes(withoutTrailingSlash(path));
}

interface GrantRequest {
  readonly app: RegisteredApp;
  readonly parameters: RequestParameters;
  readonly endpoint: OAuthEndpoint;
}

/** A grant type of the token endpoints. @internal */
export type GrantHandler = (request: GrantRequest) => EmulatorReply;

/**
 * The two token endpoints. Answers are flat, and a refusal has a `code`, an `error` and an HTTP status.
 *
 * @internal
 */
export class OAuthTokenEndpoint {
  private readonly grants = new Map<string, GrantHandler>([
    ['authorization_code', (request) => this.exchangeCode(request)],
    ['refresh_token', (request) => this.rotate(request)],
    [DEVICE_GRANT, (request) => this.pollDevice(request)],
  ]);

  constructor(
    private readonly clients: ClientAuthentication,
    private readonly apps: EmulatorApps,
    private readonly codes: AuthorizationCodes,
    private readonly devices: DeviceLogins,
    private readonly tokens: UserTokens,
  ) {}

  addTo(endpoints: EmulatorEndpoints): void {
    for (const endpoint of ['v2', 'v3'] as const) {
      endpoints.add('POST', TOKEN_PATHS[endpoint], (request) => this.answer(request, endpoint));
    }
  }

  private async answer(request: EmulatorRequest, endpoint: OAuthEndpoint): Promise<EmulatorReply> {
    const client = await this.clients.authenticate(request);
    if (!isClient(client)) return client;
    const grantType = client.parameters['grant_type'];
    if (!grantType) return refuseGrant(20001);
    const grant = this.grants.get(grantType);
    return grant ? grant({ ...client, endpoint }) : refuseGrant(20036);
  }

  private exchangeCode({ app, parameters, endpoint }: GrantRequest): EmulatorReply {
    const code = parameters['code'];
    if (!code) return refuseGrant(20001);
    const grant = this.codes.take({
      appId: app.appId,
      code,
      redirectUri: parameters['redirect_uri'],
      codeVerifier: parameters['code_verifier'],
      refusesNeedlessVerifier: endpoint === 'v3',
    });
    if (typeof grant === 'number') return refuseGrant(grant);
    return this.begin(grant, 'authorization_code', endpoint, parameters['scope']);
  }

  private pollDevice({ app, parameters, endpoint }: GrantRequest): EmulatorReply {
    const grant = this.devices.poll(app.appId, parameters['device_code'] ?? '');
    return 'status' in grant ? grant : this.begin(grant, 'device_code', endpoint, parameters['scope']);
  }

  private begin(
    grant: UserGrant,
    how: 'authorization_code' | 'device_code',
    endpoint: OAuthEndpoint,
    scope: string | undefined,
  ): EmulatorReply {
    if (!this.apps.isInstalledIn(grant.appId, grant.tenantKey)) return refuseGrant(20009);
    return this.reply(this.tokens.begin(grant, how, endpoint, scope));
  }

  private rotate({ app, parameters, endpoint }: GrantRequest): EmulatorReply {
    const refreshToken = parameters['refresh_token'];
    if (!refreshToken) return refuseGrant(20001);
    if (!app.refreshesUserTokens) return refuseGrant(20074);
    return this.reply(
      this.tokens.rotate({ appId: app.appId, refreshToken, endpoint, scope: parameters['scope'] }),
    );
  }

  private reply(login: EmulatedLogin | number): EmulatorReply {
    if (typeof login === 'number') return refuseGrant(login);
    const { accessToken, refreshToken, scopes } = login;
    return json({
      code: 0,
      access_token: accessToken,
      expires_in: this.tokens.accessTokenLifetimeSeconds,
      ...(refreshToken !== undefined && {
        refresh_token: refreshToken,
        refresh_token_expires_in: this.tokens.refreshTokenLifetimeSeconds,
      }),
      scope: scopes.join(' '),
      token_type: 'Bearer',
    });
  }
}
