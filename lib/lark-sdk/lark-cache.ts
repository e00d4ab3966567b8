import * as lark from '@larksuiteoapi/node-sdk';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { SystemClock } from '../time/system-clock.js';
import { type TokenService } from '../token.service.js';
import { type TokenQuery } from '../tokens/access-token.js';
import { BoundedCache } from './bounded-cache.js';
import { issuedTokensOf } from './issued-tokens.js';

/** Before the tenant key, in the key of a store app's tenant token. The SDK has it in its code, not in its exports. */
const STORE_APP_TOKEN = 'larkMarketAccessToken';
/** Stands for a ticket that is not there yet: told of none, the SDK would ask for one by itself, with its own secret. */
const TICKET_IN_CARE = 'in-the-care-of-nestjs-feishu-auth';

type Key = Parameters<lark.Cache['get']>[0];
type Namespace = Parameters<lark.Cache['get']>[1];

/**
 * @publicApi
 */
export interface LarkCacheOptions {
  /**
   * Where everything goes that is no token of the app: user tokens of `client.userAccessToken`, marks of messages that
   * `LarkChannel` has seen. Give one that lasts, if these are to outlive the process.
   * @default in memory, at most 10_000 entries that expire and 10_000 that do not
   */
  store?: lark.Cache | undefined;
}

/**
 * A cache for the SDK that answers with the tokens of `tokens`, for a `Client`, `EventDispatcher` or `LarkChannel` of
 * your own: the SDK then never asks Feishu for a token. An `app_ticket` event that an `EventDispatcher` takes in goes
 * to the module's `AppTicketService`.
 *
 * What `TokenService` throws reaches the caller of the API as it is. A client of another app is refused with
 * `ERR_FEISHU_INVALID_ARGUMENT`.
 *
 * @example
 * const dispatcher = new EventDispatcher({ encryptKey, cache: larkCache(tokens) });
 *
 * @publicApi
 */
export function larkCache(tokens: TokenService, options: LarkCacheOptions = {}): lark.Cache {
  return new TokenCache(tokens, options.store ?? new BoundedCache(new SystemClock()));
}

class TokenCache implements lark.Cache {
  constructor(
    private readonly tokens: TokenService,
    private readonly others: lark.Cache,
  ) {}

  async get(key: Key, options?: Namespace): Promise<unknown> {
    const query = tokenOf(key);
    if (query) return this.token(query, options?.namespace);
    // Never an error: the SDK asks when a client is made, and nobody would be there to hear of it.
    if (isAppTicket(key) && this.isOwn(options)) {
      return (await this.tokens.owner.tickets.current().catch(() => undefined)) ?? TICKET_IN_CARE;
    }
    return this.others.get(key, options);
  }

  async set(key: Key, value: unknown, expire?: number, options?: Namespace): Promise<boolean> {
    const { appType, tickets } = this.tokens.owner;
    if (isAppTicket(key) && appType === 'store' && this.isOwn(options)) {
      await tickets.set(value as string);
      return true;
    }
    // What the SDK fetched behind our back is not kept: there is one place that holds tokens.
    if (tokenOf(key)) return false;
    return this.others.set(key, value, expire, options);
  }

  private async token(
    query: TokenQuery & { kind: 'tenant' },
    namespace: string | undefined,
  ): Promise<string> {
    const { appId } = this.tokens.owner;
    if (namespace !== undefined && namespace !== appId) {
      throw new FeishuAuthError(
        'ERR_FEISHU_INVALID_ARGUMENT',
        `this lark.Cache has the tokens of the app ${appId}, and a client of another app asked for one: give each app a TokenService and a cache of its own`,
      );
    }
    const { tenantKey } = query;
    const value = await this.tokens.getTenantAccessToken(tenantKey === undefined ? undefined : { tenantKey });
    issuedTokensOf(this.tokens).remember(value, query);
    return value;
  }

  private isOwn(options: Namespace): boolean {
    return options?.namespace === undefined || options.namespace === this.tokens.owner.appId;
  }
}

/** Which token the key stands for, if it is that of one. */
function tokenOf(key: Key): (TokenQuery & { kind: 'tenant' }) | undefined {
  if (isSame(key, lark.CTenantAccessToken)) return { kind: 'tenant' };
  if (typeof key !== 'string' || !key.startsWith(STORE_APP_TOKEN)) return undefined;
  return { kind: 'tenant', tenantKey: key.slice(STORE_APP_TOKEN.length) };
}

function isAppTicket(key: Key): boolean {
  return isSame(key, lark.CAppTicket);
}

/** By description: a second copy of the SDK has symbols of its own. */
function isSame(key: Key, symbol: symbol): boolean {
  return typeof key === 'symbol' && key.toString() === symbol.toString();
}
