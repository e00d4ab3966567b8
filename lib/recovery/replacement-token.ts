import { withSignal } from '../time/deadline.js';
import { type TokenQuery } from '../tokens/access-token.js';
import { type TokenService } from '../token.service.js';

/** The part of {@link TokenService} that replaces a token. */
export type ReplaceableTokens = Pick<TokenService, 'handle' | 'invalidate'>;

/**
 * Invalidates a token that an API rejected, if it is still the current one.
 * Never throws: the API's answer is more useful to the caller than an error about the token.
 *
 * @returns whether it was the current token
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
    // The next read of the token reports the failure.
    return false;
  }
}

/**
 * Invalidates a rejected token and returns the token for the replay: a newer one, or the same one if Feishu grants it
 * again.
 *
 * @returns `undefined` if a replay is useless: no token is available, or Feishu has confirmed this one before
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
