import * as lark from '@larksuiteoapi/node-sdk';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { SystemClock } from '../time/system-clock.js';
import { ownerOf, type TokenService } from '../token.service.js';
import { type TokenQuery } from '../tokens/access-token.js';
import { BoundedCache } from './bounded-cache.js';
import { issuedTokensOf } from './issued-tokens.js';

/** The prefix of the cache key of a store app's tenant token. The SDK does not export it. */
const STORE_APP_TOKEN = 'larkMarketAccessToken';
/** Returned while there is no ticket: without a value the SDK would request a ticket with its own secret. */
const PENDING_TICKET = 'managed-by-nestjs-feishu-auth';

type Key = Parameters<lark.Cache['get']>[0];
type Namespace = Parameters<lark.Cache['get']>[1];

/**
 * Options of {@link larkCache}.
 *
 * @publicApi
 */
export interface LarkCacheOptions {
  /**
   * Stores everything except the app's tokens: user tokens of `client.userAccessToken`, marks of messages that
   * `LarkChannel` has seen. Use a persistent cache if these must survive a restart.
   * @default in memory, at most 10_000 entries that expire and 10_000 that do not
   */
  store?: lark.Cache | undefined;
}

/**
 * Returns a cache with the tokens of `tokens`, for a `Client`, `EventDispatcher` or `LarkChannel` that you create: the
 * SDK then never requests a token from Feishu. An `app_ticket` event of an `EventDispatcher` is passed to the module's
 * `AppTicketService`.
 *
 * Errors of `TokenService` reach the caller of the API unchanged. A client of another app receives
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
    // Never an error: the SDK reads the ticket in the constructor of a client, where a rejection would be unhandled.
    if (isAppTicket(key) && this.isOwn(options)) {
      return (
        (await ownerOf(this.tokens)
          .tickets.current()
          .catch(() => undefined)) ?? PENDING_TICKET
      );
    }
    return this.others.get(key, options);
  }

  async set(key: Key, value: unknown, expire?: number, options?: Namespace): Promise<boolean> {
    const { appType, tickets } = ownerOf(this.tokens);
    if (isAppTicket(key) && appType === 'store' && this.isOwn(options)) {
      await tickets.set(value as string);
      return true;
    }
    // Only TokenService holds tokens: a token that the SDK fetched is not stored.
    if (tokenOf(key)) return false;
    return this.others.set(key, value, expire, options);
  }

  private async token(
    query: TokenQuery & { kind: 'tenant' },
    namespace: string | undefined,
  ): Promise<string> {
    const { appId } = ownerOf(this.tokens);
    if (namespace !== undefined && namespace !== appId) {
      throw new FeishuAuthError(
        'ERR_FEISHU_INVALID_ARGUMENT',
        `larkCache: this cache holds the tokens of the app ${appId}, but a client of another app asked for one; create one cache per app: larkCache(tokensOfTheOtherApp)`,
      );
    }
    const { tenantKey } = query;
    const value = await this.tokens.getTenantAccessToken(tenantKey === undefined ? undefined : { tenantKey });
    issuedTokensOf(this.tokens).remember(value, query);
    return value;
  }

  private isOwn(options: Namespace): boolean {
    return options?.namespace === undefined || options.namespace === ownerOf(this.tokens).appId;
  }
}

/** Returns the query of a token's cache key; `undefined` for other keys. */
function tokenOf(key: Key): (TokenQuery & { kind: 'tenant' }) | undefined {
  if (isSame(key, lark.CTenantAccessToken)) return { kind: 'tenant' };
  if (typeof key !== 'string' || !key.startsWith(STORE_APP_TOKEN)) return undefined;
  return { kind: 'tenant', tenantKey: key.slice(STORE_APP_TOKEN.length) };
}

function isAppTicket(key: Key): boolean {
  return isSame(key, lark.CAppTicket);
}

/** Compares descriptions: a second copy of the SDK has other symbols. */
function isSame(key: Key, symbol: symbol): boolean {
  return typeof key === 'symbol' && key.toString() === symbol.toString();
}
