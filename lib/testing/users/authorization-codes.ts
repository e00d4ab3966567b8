import { createHash } from 'node:crypto';
import { type EmulatorClock } from '../emulator-clock.js';
import { randomText } from '../random-text.js';
import { type UserGrant } from './user-tokens.js';

/** @internal */
export interface CodeChallenge {
  value: string;
  method: 'S256' | 'plain';
}

/** @internal */
export interface CodeGrant extends UserGrant {
  redirectUri: string;
  challenge: CodeChallenge | undefined;
}

/** What is sent to the token endpoint with a code. @internal */
export interface CodeExchange {
  appId: string;
  code: string;
  redirectUri: string | undefined;
  codeVerifier: string | undefined;
  /** v3 refuses a verifier without a challenge, which v2 ignores. */
  refusesNeedlessVerifier: boolean;
}

interface IssuedCode {
  readonly grant: CodeGrant;
  readonly expiresAt: number;
  isUsed: boolean;
}

/**
 * Authorization codes: short-lived, and good for one use.
 *
 * @internal
 */
export class AuthorizationCodes {
  private readonly codes = new Map<string, IssuedCode>();

  constructor(
    private readonly clock: EmulatorClock,
    private readonly lifetimeSeconds: number,
  ) {}

  create(grant: CodeGrant): string {
    const code = randomText(64);
    const expiresAt = this.clock.now() + this.lifetimeSeconds * 1_000;
    this.codes.set(code, { grant, expiresAt, isUsed: false });
    return code;
  }

  /** Uses the code up. @returns what it stands for, or the code of the refusal */
  take(exchange: CodeExchange): CodeGrant | number {
    const issued = this.codes.get(exchange.code);
    if (!issued) return 20003;
    const { grant } = issued;
    if (grant.appId !== exchange.appId) return 20024;
    if (issued.isUsed) return 20065;
    if (this.clock.now() >= issued.expiresAt) return 20004;
    if (exchange.redirectUri !== undefined && exchange.redirectUri !== grant.redirectUri) return 20071;
    if (!isVerified(grant.challenge, exchange)) return 20049;
    issued.isUsed = true;
    return grant;
  }
}

function isVerified(
  challenge: CodeChallenge | undefined,
  { codeVerifier, refusesNeedlessVerifier }: CodeExchange,
): boolean {
  if (!challenge) return codeVerifier === undefined || !refusesNeedlessVerifier;
  if (codeVerifier === undefined || !/^[A-Za-z0-9\-._~]{43,128}$/.test(codeVerifier)) return false;
  const answer =
    challenge.method === 'plain'
      ? codeVerifier
      : createHash('sha256').update(codeVerifier).digest('base64url');
  return answer === challenge.value;
}
