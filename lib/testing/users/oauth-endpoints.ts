import { type EmulatorEndpoints } from '../emulator-endpoints.js';
import { type EmulatorReply, json } from '../emulator-reply.js';
import { type EmulatorRequest } from '../emulator-request.js';
import { type ClientAuthentication, isClient } from './client-authentication.js';
import { DEVICE_PATH } from './consent-endpoints.js';
import { type DeviceLogins, type DevicePolicy } from './device-logins.js';
import { refuseDevice, refuseGrant } from './oauth-errors.js';
import { type UserConsents } from './user-consents.js';
import { scopeList, type UserTokens } from './user-tokens.js';

/**
 * The smaller endpoints of the accounts host: the start of a device login, and revocation.
 *
 * @internal
 */
export class OAuthEndpoints {
  constructor(
    private readonly clients: ClientAuthentication,
    private readonly consents: UserConsents,
    private readonly devices: DeviceLogins,
    private readonly tokens: UserTokens,
    private readonly policy: DevicePolicy,
    private readonly origin: () => string,
  ) {}

  addTo(endpoints: EmulatorEndpoints): void {
    endpoints.add('POST', '/oauth/v1/device_authorization', (request) => this.startDevice(request));
    endpoints.add('POST', '/oauth/v1/revoke', (request) => this.revoke(request));
  }

  private async startDevice(request: EmulatorRequest): Promise<EmulatorReply> {
    const client = await this.clients.authenticate(request, { allowsBoth: true });
    if (!isClient(client)) return client;
    const { app, parameters } = client;
    const scopes = [...new Set(scopeList(parameters['scope']))];
    const disabled = this.consents.disabledScopes(app, scopes);
    if (disabled.length > 0) {
      return refuseDevice('invalid_scope', `scope not enabled for this app: ${disabled.join(' ')}`);
    }
    const { deviceCode, userCode } = this.devices.start(app.appId, scopes);
    const verificationUri = this.origin() + DEVICE_PATH;
    return json({
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: verificationUri,
      verification_uri_complete: `${verificationUri}?user_code=${userCode}`,
      expires_in: this.policy.deviceCodeLifetimeSeconds,
      interval: this.policy.deviceIntervalSeconds,
    });
  }

  /** An unknown token is no failure (RFC 7009). Only the token that was sent ends, not the others of its login. */
  private async revoke(request: EmulatorRequest): Promise<EmulatorReply> {
    const client = await this.clients.authenticate(request, { allowsBoth: true });
    if (!isClient(client)) return client;
    const token = client.parameters['token'];
    if (!token) return refuseGrant(20001);
    this.tokens.revoke(token, client.app.appId);
    return { status: 200, code: 0, body: '' };
  }
}
