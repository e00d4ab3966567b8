import { type HostedPlatform } from '../load/platform.js';

/** How long a token that a peer caches lives: it is not renewed while it is read. */
export const LIFE_MS = 7_200_000;

/** What a user would pick instead of this module. */
export interface Peer {
  readonly id: string;
  readonly name: string;
  /** What it does less, or otherwise, than this module at a warm read. */
  readonly difference: string;
  /** One of its own, cold. */
  readonly build: (platform: HostedPlatform) => Promise<PeerTokens> | PeerTokens;
}

export interface PeerTokens {
  /** A token; fetched if there is none. */
  get(): Promise<string>;
  /** `count` reads of a warm token, one awaited after the other: each has a loop of its own, for V8 to specialise. */
  readMany(count: number): Promise<number>;
  close(): Promise<void>;
}

/** For peers that cache whatever a function gives: a self-built app's token, straight from the platform. */
export async function fetchTenantToken(
  { domain }: HostedPlatform,
  app: { appId: string; appSecret: string },
): Promise<string> {
  const response = await fetch(`${domain.open}/open-apis/auth/v3/tenant_access_token/internal`, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify({ app_id: app.appId, app_secret: app.appSecret }),
  });
  const { tenant_access_token: token } = (await response.json()) as { tenant_access_token?: string };
  if (token === undefined) throw new Error('the platform gave no token');
  return token;
}
