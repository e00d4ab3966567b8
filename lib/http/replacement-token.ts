import { withSignal } from '../time/deadline.js';
import { type TokenQuery } from '../tokens/access-token.js';
import { type TokenService } from '../token.service.js';

/** What it takes to replace a token. */
export type TokenSource = Pick<TokenService, 'handle' | 'invalidate'>;

/**
 * Takes a token that an API rejected out of use, if it is still the one in use.
 * Never throws: the caller has the API's own answer to give, and that is worth more than an error about a token.
 *
 * @internal
 */
export async function dropRejectedToken(
  tokens: TokenSource,
  query: TokenQuery,
  rejected: string,
  signal?: AbortSignal,
): Promise<void> {
  try {
    const work = tokens.invalidate(query, rejected);
    await (signal ? withSignal(work, signal) : work);
  } catch {
    // The store or the platform is in trouble, which the token's next reader is told.
  }
}

/**
 * Takes a rejected token out of use and gets the one to try instead: newer than the rejected one, whoever fetched it.
 *
 * @returns `undefined` if there is no other token to be had: a replay would be pointless
 *
 * @internal
 */
export async function replaceRejectedToken(
  tokens: TokenSource,
  query: TokenQuery,
  rejected: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  await dropRejectedToken(tokens, query, rejected, signal);
  try {
    const current = await tokens.handle(query).get(signal && { signal });
    return current === rejected ? undefined : current;
  } catch {
    return undefined;
  }
}
