import { isFeishuAuthError, type FeishuAuthErrorCode } from '../../errors/feishu-auth.error.js';
import { OAuthFailure } from '../../platform/oauth/oauth-failure.js';
import { type OAuthGrants, type UserTokenGrant } from '../../platform/oauth/oauth-grants.js';
import { type Clock } from '../../time/clock.js';

/** Of a claim, what is left for storing the tokens. */
const COMMIT_MS = 10_000;
/** Before the one repetition. */
const NOT_SENT_PAUSE_MS = 200;
const RETRY_PAUSE_MS = 600;
const ATTEMPTS = 2;

/** @internal */
export interface LoginExchangeOptions {
  readonly grants: OAuthGrants;
  readonly clock: Clock;
  /** Ends the waiting for answers when the application closes. */
  readonly closing: AbortSignal;
  /** Told how each request ended, and what it took. */
  readonly onAttempt: (outcome: 'success' | FeishuAuthErrorCode, latencyMs: number) => void;
}

/** How the exchange of one refresh token ended. */
export type ExchangeEnd =
  | { readonly grant: UserTokenGrant }
  | {
      readonly failure: OAuthFailure;
      /** An earlier request of this exchange may have used the refresh token up, although Feishu answered "try again". */
      readonly isDoubtful: boolean;
    };

/**
 * The exchange of one refresh token, under a claim. It waits for the answer as long as the claim allows, because an answer
 * that is missed costs the login. It asks a second time only if nothing can have been used up.
 */
export class LoginExchange {
  readonly #options: LoginExchangeOptions;

  constructor(options: LoginExchangeOptions) {
    this.#options = options;
  }

  /**
   * @param claimEndsInMs how long the claim still runs
   * @param onSend told when a request is about to be sent
   */
  async run(refreshToken: string, claimEndsInMs: () => number, onSend: () => void): Promise<ExchangeEnd> {
    const { clock, closing } = this.#options;
    let isDoubtful = false;
    for (let attempt = 1; ; attempt++) {
      const timeoutMs = claimEndsInMs() - COMMIT_MS;
      if (timeoutMs <= 0) return { failure: claimTooShort(), isDoubtful };
      onSend();
      const end = await this.ask(refreshToken, timeoutMs);
      if ('grant' in end) return end;
      const pauseMs = pauseBeforeRepeating(end.failure);
      if (pauseMs === undefined || attempt === ATTEMPTS || closing.aborted) return { ...end, isDoubtful };
      // "An unexpected fault" may have happened after the refresh token was used.
      isDoubtful ||= end.failure.feishuCode === 20050;
      await clock.sleep(pauseMs, closing, { ref: true });
    }
  }

  private async ask(
    refreshToken: string,
    timeoutMs: number,
  ): Promise<{ grant: UserTokenGrant } | { failure: OAuthFailure }> {
    const { grants, clock, closing, onAttempt } = this.#options;
    const startedAt = clock.monotonic();
    const tell = (outcome: 'success' | FeishuAuthErrorCode): void =>
      onAttempt(outcome, clock.monotonic() - startedAt);
    try {
      const grant = await grants.refresh(refreshToken, { timeoutMs, signal: closing });
      tell('success');
      return { grant };
    } catch (error) {
      const failure = error instanceof OAuthFailure ? error : unexpected(error);
      tell(failure.code);
      return { failure };
    }
  }
}

/** How long to wait before the request is repeated; `undefined` if it must not be. */
function pauseBeforeRepeating({ fate, meaning, code }: OAuthFailure): number | undefined {
  if (fate === 'not-sent') return NOT_SENT_PAUSE_MS;
  const isPassing = meaning?.reaction === 'retry' && code === 'ERR_FEISHU_PLATFORM_UNAVAILABLE';
  return isPassing ? RETRY_PAUSE_MS : undefined;
}

function claimTooShort(): OAuthFailure {
  return new OAuthFailure(
    'ERR_FEISHU_PLATFORM_UNAVAILABLE',
    'the claim on the login ran out before the request could be sent: the process or the store is too slow',
    'not-sent',
    { retryable: true },
  );
}

function unexpected(error: unknown): OAuthFailure {
  const code = isFeishuAuthError(error) ? error.code : 'ERR_FEISHU_PLATFORM_UNAVAILABLE';
  return new OAuthFailure(code, 'the exchange failed unexpectedly', 'unknown', {
    retryable: true,
    cause: error,
  });
}
