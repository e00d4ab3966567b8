import { type EmulatorApps, type RegisteredApp } from '../emulator-apps.js';
import { type EmulatorReply } from '../emulator-reply.js';
import { type EmulatorRequest, type RequestParameters } from '../emulator-request.js';
import { refuseGrant } from './oauth-errors.js';

/** @internal */
export interface AuthenticatedClient {
  app: RegisteredApp;
  parameters: RequestParameters;
}

/**
 * Which app sends a request to an OAuth endpoint, and whether it really is that app.
 *
 * @internal
 */
export class ClientAuthentication {
  constructor(private readonly apps: EmulatorApps) {}

  /** @param allowsBoth whether HTTP Basic may come together with a secret in the body, as the official CLI sends it */
  async authenticate(
    request: EmulatorRequest,
    { allowsBoth = false } = {},
  ): Promise<AuthenticatedClient | EmulatorReply> {
    const parameters = await request.parameters();
    if (!parameters) return refuseGrant(20063);
    const basic = basicCredentials(request.headers.authorization);
    if (basic && parameters['client_secret'] !== undefined && !allowsBoth) return refuseGrant(20070);
    const clientId = parameters['client_id'] ?? basic?.id;
    const secret = parameters['client_secret'] ?? basic?.secret;
    if (!clientId || !secret) return refuseGrant(20001);
    const app = this.apps.find(clientId);
    if (!app) return refuseGrant(20048);
    if (app.appSecret !== secret) return refuseGrant(20002);
    return app.disabled ? refuseGrant(20069) : { app, parameters };
  }
}

/** @internal */
export function isClient(result: AuthenticatedClient | EmulatorReply): result is AuthenticatedClient {
  return 'app' in result;
}

function basicCredentials(header: string | undefined): { id: string; secret: string } | undefined {
  const encoded = /^Basic (\S+)$/.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [id = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return { id, secret: rest.join(':') };
}
