import { LRUCache } from 'lru-cache';
import { type TokenService } from '../token.service.js';
import { type TokenQuery } from '../tokens/access-token.js';

/** More than are in use at any one time: an entry is needed from the look-up of a token to the sending of its call. */
const MAX_TOKENS = 20_000;

/**
 * The tokens that the SDK was given, and whose they are. By it the HTTP instance knows which bearers it may replace,
 * and by whose token: any other is a user's, or the caller's own.
 */
export class IssuedTokens {
  private readonly queries = new LRUCache<string, TokenQuery>({ max: MAX_TOKENS });

  remember(value: string, query: TokenQuery): void {
    this.queries.set(value, query);
  }

  queryOf(value: string): TokenQuery | undefined {
    return this.queries.get(value);
  }
}

const registries = new WeakMap<TokenService, IssuedTokens>();

/** One registry for each TokenService, so that a cache and an HTTP instance made apart from each other know the same. */
export function issuedTokensOf(tokens: TokenService): IssuedTokens {
  let registry = registries.get(tokens);
  if (!registry) registries.set(tokens, (registry = new IssuedTokens()));
  return registry;
}
