import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { FeishuEmulator } from 'nestjs-feishu-auth/testing';
import { type HostedPlatform, type PlatformSetup, STORE_APP, SELF_BUILT_APP } from './platform.js';
import { serve } from './rpc.js';

// The platform in a process of its own: in the one that is measured, it would take turns with the load.
let emulator: FeishuEmulator | undefined;
let tokenCalls = 0;
/** What google-auth-library asks, which does not speak Feishu. */
let oauthLatencyMs = 0;

const oauth = createServer((_request, response) => {
  tokenCalls++;
  setTimeout(() => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ access_token: `ya29.${tokenCalls}`, expires_in: 7_200 }));
  }, oauthLatencyMs);
});

const calls = {
  async start(setup: PlatformSetup): Promise<HostedPlatform> {
    const { lifetimeSeconds, renewalWindowSeconds = 1_800, latencyMs, tenants } = setup;
    if (!oauth.listening) {
      oauth.listen(0, '127.0.0.1');
      await once(oauth, 'listening');
    }
    oauthLatencyMs = latencyMs;
    emulator = await FeishuEmulator.start({
      apps: [SELF_BUILT_APP, { ...STORE_APP, tenantKeys: tenants }],
      tokenLifetimeSeconds: lifetimeSeconds,
      renewalWindowSeconds,
      latencyMs,
      onRequest: ({ path }) => {
        if (path.includes('access_token')) tokenCalls++;
      },
    });
    tokenCalls = 0;
    return {
      domain: emulator.domain,
      oauthUrl: `http://127.0.0.1:${(oauth.address() as AddressInfo).port}/token`,
      ticket: emulator.tickets.current(STORE_APP.appId) ?? '',
    };
  },
  /** Requests for a token since the last time. */
  tokenCalls(): number {
    const count = tokenCalls;
    tokenCalls = 0;
    // The log of requests would grow for as long as the load lasts.
    if (emulator) emulator.requests.length = 0;
    return count;
  },
};

export type PlatformCalls = typeof calls;

serve(calls);
