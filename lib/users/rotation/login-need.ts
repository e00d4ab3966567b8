import { type LoginRecord, type LoginTokens } from '../record/login-record.js';

/** What is wanted of a login. */
export interface LoginNeed {
  /** Takes the stored login over if it is what is needed. */
  take(login: LoginRecord): boolean;
  /** Whether its access token is in use: then an uncertain outcome is left alone until the token ends. */
  isServed(tokens: LoginTokens): boolean;
  /** Whether a caller waits: then another process's claim is waited for. */
  isWaitedFor(): boolean;
  /** Ends the waiting. A rotation under way goes on. */
  readonly signal: AbortSignal;
}
