import { withSignal } from '../time/deadline.js';
import { type TokenQuery } from '../tokens/access-token.js';
import { type TokenService } from '../token.service.js';

/** What it takes to replace a token. */
export type ReplaceableTokens = Pick<TokenService, 'handle' | 'invalidate'>;

/**
 * Takes a token that an API rejected out of use, if it is still the one in use.
 * Never throws: the caller has the API's own answer to give, and that is worth more than an error about a token.
 *
 * @returns whether it was the one in use
 *
 * @internal
 */
export async function dropRejectedToken(
  tokens: ReplaceableTokens,
  query: TokenQuery,
  rejected: string,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    const work = tokens.invalidate(query, rejected);
    return await (signal ? withSignal(work, signal) : work);
  } catch {
    // The store or the platform is in trouble, which the token's next reader is told.
    return false;
  }
}

/**
 * Takes a rejected token out of use and gets the one to try instead: newer than the rejected one, whoever fetched it;
 * or the same one, if the platform stands by it.
 *
 * @returns `undefined` if a replay would be pointless: no token is to be had, or the platform stood by this one before
 *
 * @internal
 */
export async function replaceRejectedToken(
  tokens: ReplaceableTokens,
  query: TokenQuery,
  rejected: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const wasCurrent = await dropRejectedToken(tokens, query, rejected, signal);
  try {
    const current = await tokens.handle(query).get(signal && { signal });
    return wasCurrent || current !== rejected ? current : undefined;
  } catch {
    return undefined;
  }
}
