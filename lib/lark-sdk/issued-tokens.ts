import { LRUCache } from 'lru-cache';
import { type TokenService } from '../token.service.js';
import { type TokenQuery } from '../tokens/access-token.js';

/** An entry is needed only between the look-up of a token and its call, so this bound is never reached in practice. */
const MAX_TOKENS = 20_000;

/**
 * Maps the tokens that the SDK received to their queries. The HTTP instance may replace only these tokens: others belong
 * to a user or to the caller.
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

/** One registry per TokenService, so that a cache and an HTTP instance that are created separately share it. */
export function issuedTokensOf(tokens: TokenService): IssuedTokens {
  let registry = registries.get(tokens);
  if (!registry) registries.set(tokens, (registry = new IssuedTokens()));
  return registry;
}
