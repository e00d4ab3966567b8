import { type EmulatorApps } from '../emulator-apps.js';
import { type EmulatorClock } from '../emulator-clock.js';
import { type EmulatorEndpoints } from '../emulator-endpoints.js';
import { type EmulatorEvents } from '../emulator-events.js';
import { AuthorizationCodes } from './authorization-codes.js';
import { ClientAuthentication } from './client-authentication.js';
import { ConsentEndpoints } from './consent-endpoints.js';
import { DeviceLogins } from './device-logins.js';
import { UserDirectory } from './emulated-user.js';
import { EmulatorUsers } from './emulator-users.js';
import { OAuthEndpoints } from './oauth-endpoints.js';
import { OAuthTokenEndpoint } from './oauth-token-endpoint.js';
import { type ResolvedOAuthOptions } from './oauth-options.js';
import { UserConsents } from './user-consents.js';
import { UserInfoEndpoint } from './user-info-endpoint.js';
import { UserTokens } from './user-tokens.js';

/**
 * Feishu's accounts host: users, their consent, and their tokens.
 *
 * @internal
 */
export class Accounts {
  readonly users: EmulatorUsers;
  private readonly codes: AuthorizationCodes;
  private readonly devices: DeviceLogins;
  private readonly consents: UserConsents;

  constructor(
    private readonly apps: EmulatorApps,
    events: EmulatorEvents,
    clock: EmulatorClock,
    private readonly directory: UserDirectory,
    private readonly tokens: UserTokens,
    private readonly options: ResolvedOAuthOptions,
  ) {
    this.codes = new AuthorizationCodes(clock, options.codeLifetimeSeconds);
    this.devices = new DeviceLogins(clock, options);
    this.consents = new UserConsents(apps, this.codes);
    this.users = new EmulatorUsers(apps, events, directory, this.consents, this.devices, tokens);
  }

  addTo(endpoints: EmulatorEndpoints, origin: () => string): void {
    const { apps, codes, consents, devices, directory, options, tokens } = this;
    const clients = new ClientAuthentication(apps);
    new ConsentEndpoints(apps, directory, consents, devices, options.consent).addTo(endpoints);
    new OAuthTokenEndpoint(clients, apps, codes, devices, tokens).addTo(endpoints);
    new OAuthEndpoints(clients, consents, devices, tokens, options, origin).addTo(endpoints);
    new UserInfoEndpoint(tokens).addTo(endpoints);
  }
}
