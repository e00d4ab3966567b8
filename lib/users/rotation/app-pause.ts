import { type FeishuAuthError } from '../../errors/feishu-auth.error.js';
import { type Clock } from '../../time/clock.js';
import { type OAuthFailure } from '../../platform/oauth/oauth-failure.js';

/** What is wrong with the app is wrong for all its users: one of them asks again after this. */
const APP_PAUSE_MS = 60_000;

/** Holds back the exchanges of all users while Feishu refuses the app itself, or wants to be asked less often. */
export class AppPause {
  private until = -Infinity;
  private error: FeishuAuthError | undefined;

  constructor(private readonly clock: Clock) {}

  /** @throws FeishuAuthError what Feishu said last, while it holds */
  throwIfActive(): void {
    if (this.error && this.clock.monotonic() < this.until) throw this.error;
  }

  /** Takes note of a refusal. */
  note(failure: OAuthFailure): void {
    const { clock } = this;
    if (failure.meaning?.reaction === 'app') {
      this.begin(failure, APP_PAUSE_MS);
    } else if (failure.code === 'ERR_FEISHU_RATE_LIMITED' && failure.retryAt) {
      this.begin(failure, failure.retryAt.getTime() - clock.now());
    }
  }

  end(): void {
    this.until = -Infinity;
  }

  private begin(error: FeishuAuthError, pauseMs: number): void {
    this.error = error;
    this.until = this.clock.monotonic() + pauseMs;
  }
}
