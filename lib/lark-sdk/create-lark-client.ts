import * as lark from '@larksuiteoapi/node-sdk';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { ownerOf, type TokenOwner, type TokenService } from '../token.service.js';
import { larkCache } from './lark-cache.js';
import { larkHttpInstance, type LarkHttpOptions } from './lark-http-instance.js';
import { larkLogger } from './lark-logger.js';
import { ManagedLarkClient } from './managed-lark-client.js';
import { PLACEHOLDER_SECRET } from './placeholder-secret.js';
import { type LarkClientParams } from './sdk.js';

/**
 * The options of `new lark.Client()`, all optional: app, domain and tokens come from the `TokenService`.
 *
 * @publicApi
 */
export type LarkClientOptions = Partial<LarkClientParams> & {
  /** Timeouts, proxy and agents of the HTTP instance. Ignored if `httpInstance` is set. */
  http?: LarkHttpOptions;
};

/**
 * Creates the official client with the tokens of `tokens`: the client never requests a token from Feishu.
 *
 * - A revoked token is replaced and the call is repeated once ({@link larkHttpInstance}).
 * - A token of the caller, from `withTenantToken()` or `withUserAccessToken()`, has priority and is never replaced.
 * - Logs contain no secret and no token ({@link larkLogger}).
 *
 * A call rejects with the `FeishuAuthError` of `TokenService` if no token is available, and with
 * `ERR_FEISHU_INVALID_ARGUMENT` if a store app's call does not name a tenant (`withTenantKey()`).
 *
 * @param options.appSecret only needed by SDK calls that send the secret, such as `client.accessToken`
 * @param options.cache stores everything except the app's tokens ({@link LarkCacheOptions.store})
 * @param options.httpInstance replaces the HTTP instance, including its recovery and its timeouts
 * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` if `appId`, `appType` or `domain` differs from that of `tokens`
 *
 * @example
 * const client = createLarkClient(tokens);
 * await client.im.message.create({ params: { receive_id_type: 'chat_id' }, data: message });
 *
 * @publicApi
 */
export function createLarkClient(tokens: TokenService, options: LarkClientOptions = {}): lark.Client {
  const { http, ...params } = options;
  const { appId, appType, openOrigin } = ownerOf(tokens);
  assertSameApp(params, ownerOf(tokens));
  const secrets = [params.appSecret, params.helpDeskToken].filter((secret) => secret !== undefined);
  return new ManagedLarkClient(tokens, {
    ...params,
    appId,
    appSecret: params.appSecret ?? PLACEHOLDER_SECRET,
    appType: larkAppType(appType),
    domain: openOrigin,
    cache: larkCache(tokens, { store: params.cache }),
    httpInstance: params.httpInstance ?? larkHttpInstance(tokens, http),
    logger: larkLogger(params.logger, { loggerLevel: params.loggerLevel, secrets }),
  });
}

/** Options that contradict the TokenService would send one app's token for another app, or to another host. */
function assertSameApp({ appId, appType, domain }: Partial<LarkClientParams>, owner: TokenOwner): void {
  const wrong =
    (appId !== undefined && appId !== owner.appId && 'appId') ||
    (appType !== undefined && appType !== larkAppType(owner.appType) && 'appType') ||
    (domain !== undefined && originOf(domain) !== owner.openOrigin && 'domain');
  if (!wrong) return;
  throw new FeishuAuthError(
    'ERR_FEISHU_INVALID_ARGUMENT',
    `createLarkClient: the option ${wrong} differs from that of the TokenService (${owner.appId} on ${owner.openOrigin}); leave it out, or use the TokenService of the other app`,
  );
}

function larkAppType(appType: TokenOwner['appType']): lark.AppType {
  return appType === 'store' ? lark.AppType.ISV : lark.AppType.SelfBuild;
}

function originOf(domain: lark.Domain | string): string | undefined {
  if (domain === lark.Domain.Feishu) return 'https://open.feishu.cn';
  if (domain === lark.Domain.Lark) return 'https://open.larksuite.com';
  return typeof domain === 'string' && URL.canParse(domain) ? new URL(domain).origin : undefined;
}
