import { OAuth2Client } from 'google-auth-library';
import { type Peer } from './peer.js';

export const GOOGLE_AUTH: Peer = {
  id: 'google-auth',
  name: 'google-auth-library getAccessToken()',
  difference:
    'one token for each client and no table of tenants; one clock, no counters, no renewal ahead of time except a 5-minute margin',
  build: ({ oauthUrl }) => {
    const client = new OAuth2Client({
      clientId: 'benchmark',
      clientSecret: 'not-a-secret',
      endpoints: { oauth2TokenUrl: oauthUrl },
    });
    client.setCredentials({ refresh_token: 'not-a-token' });
    return {
      get: async () => (await client.getAccessToken()).token ?? '',
      async readMany(count) {
        let sum = 0;
        for (let i = 0; i < count; i++) sum += ((await client.getAccessToken()).token ?? '').length;
        return sum;
      },
      close: async () => undefined,
    };
  },
};
