import * as lark from '@larksuiteoapi/node-sdk';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { type TokenOwner, type TokenService } from '../token.service.js';
import { larkCache } from './lark-cache.js';
import { larkHttpInstance, type LarkHttpOptions } from './lark-http-instance.js';
import { larkLogger } from './lark-logger.js';
import { ManagedLarkClient } from './managed-lark-client.js';
import { PLACEHOLDER_SECRET } from './placeholder-secret.js';
import { type LarkClientParams } from './sdk.js';

/**
 * What `new lark.Client()` takes, all of it optional: app, domain and tokens are those of the `TokenService`.
 *
 * @publicApi
 */
export type LarkClientOptions = Partial<LarkClientParams> & {
  /** Timeouts, proxy, agents of the HTTP instance. Of no effect beside an `httpInstance` of your own. */
  http?: LarkHttpOptions;
};

/**
 * The official client on the tokens of `tokens`: it never asks Feishu for a token by itself. Also for the calls that
 * carry a token of the app,
 *
 * - one that was revoked is replaced and the call sent once more ({@link larkHttpInstance});
 * - a token that the caller gives, by `withTenantToken()` or `withUserAccessToken()`, always wins and is left alone;
 * - no secret and no token is logged ({@link larkLogger}).
 *
 * A call rejects with the `FeishuAuthError` of `TokenService` when there is no token to be had, and with
 * `ERR_FEISHU_INVALID_ARGUMENT` when a store app's call names no tenant (`withTenantKey()`).
 *
 * @param options.appSecret only for what needs it besides tokens, such as `client.accessToken`
 * @param options.cache where everything goes that is no token of the app ({@link LarkCacheOptions.store})
 * @param options.httpInstance instead of ours: without recovery and without timeout, unless it has them
 * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` for an `appId`, `appType` or `domain` that is not that of `tokens`
 *
 * @example
 * const client = createLarkClient(tokens);
 * await client.im.message.create({ params: { receive_id_type: 'chat_id' }, data: message });
 *
 * @publicApi
 */
export function createLarkClient(tokens: TokenService, options: LarkClientOptions = {}): lark.Client {
  const { http, ...params } = options;
  const { appId, appType, openOrigin } = tokens.owner;
  assertSameApp(params, tokens.owner);
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

/** Options that contradict the TokenService would send one app's token on behalf of another, or to another host. */
function assertSameApp({ appId, appType, domain }: Partial<LarkClientParams>, owner: TokenOwner): void {
  const wrong =
    (appId !== undefined && appId !== owner.appId && 'appId') ||
    (appType !== undefined && appType !== larkAppType(owner.appType) && 'appType') ||
    (domain !== undefined && originOf(domain) !== owner.openOrigin && 'domain');
  if (!wrong) return;
  throw new FeishuAuthError(
    'ERR_FEISHU_INVALID_ARGUMENT',
    `createLarkClient: ${wrong} is not that of the TokenService (${owner.appId} on ${owner.openOrigin}): leave it out, or use the TokenService of the other app`,
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
