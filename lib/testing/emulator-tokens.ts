import { type EmulatorClock } from './emulator-clock.js';
import { randomText } from './random-text.js';

/**
 * Whom a token stands for.
 *
 * @publicApi
 */
export interface EmulatedIdentity {
  kind: 'app' | 'tenant' | 'user';
  appId: string;
  /** The tenant; absent for an app token, and for a self-built app that was added without `tenantKeys`. */
  tenantKey?: string;
  /** The user of a user access token. */
  openId?: string;
  /** What a user access token may be used for. */
  scopes?: readonly string[];
}

/**
 * @publicApi
 */
export interface RevokeOptions {
  /**
   * `true`: asked for a token, the platform goes on handing out the revoked value until the 30-minute rule brings a
   * new one, which the real platform does when an API rejects a token for another reason than its age.
   * @default false
   */
  sticky?: boolean;
}

/** @internal */
export interface TokenPolicy {
  lifetimeSeconds: number;
  renewalWindowSeconds: number;
}

/** @internal */
export interface GrantedToken {
  value: string;
  /** What remains of its life, in whole seconds. */
  expire: number;
}

interface IssuedToken {
  readonly value: string;
  readonly identity: EmulatedIdentity;
  readonly expiresAt: number;
  revoked: boolean;
  handedOut: boolean;
}

/**
 * Every token the platform has issued, by the 30-minute rule.
 *
 * @internal
 */
export class EmulatorTokens {
  private readonly issued = new Map<string, IssuedToken>();
  private readonly current = new Map<string, IssuedToken>();
  private readonly lifetimeMs: number;
  private readonly renewalWindowMs: number;

  constructor(
    private readonly clock: EmulatorClock,
    policy: TokenPolicy,
  ) {
    this.lifetimeMs = policy.lifetimeSeconds * 1_000;
    // Below a second `expire` would read 0, which no platform says of a token it hands out.
    this.renewalWindowMs = Math.max(policy.renewalWindowSeconds * 1_000, 1_000);
  }

  /** The token that the platform answers with right now: the same one while enough of it remains, else a new one. */
  issue(identity: EmulatedIdentity, prefix: 't-' | 'a-'): GrantedToken {
    const now = this.clock.now();
    const key = identityKey(identity);
    let token = this.current.get(key);
    if (!token?.handedOut || token.expiresAt - now < this.renewalWindowMs) {
      this.forgetExpired(now);
      token = {
        value: prefix + randomText(40),
        identity,
        expiresAt: now + this.lifetimeMs,
        revoked: false,
        handedOut: true,
      };
      this.issued.set(token.value, token);
      this.current.set(key, token);
    }
    return { value: token.value, expire: Math.floor((token.expiresAt - now) / 1_000) };
  }

  /** Whom the token stands for, whether or not it still works; `undefined` if it was never issued or long ago. */
  identify(value: string): EmulatedIdentity | undefined {
    return this.issued.get(value)?.identity;
  }

  isLive(value: string): boolean {
    const token = this.issued.get(value);
    return token !== undefined && !token.revoked && this.clock.now() < token.expiresAt;
  }

  /** @returns whether the platform had issued this token */
  revoke(value: string, options: RevokeOptions = {}): boolean {
    const token = this.issued.get(value);
    if (!token) return false;
    token.revoked = true;
    token.handedOut = options.sticky ?? false;
    return true;
  }

  revokeTenant(appId: string, tenantKey: string): void {
    for (const token of this.issued.values()) {
      if (token.identity.appId === appId && token.identity.tenantKey === tenantKey) this.revoke(token.value);
    }
  }

  // All tokens live equally long, so the oldest come first and the walk ends at the first live one.
  private forgetExpired(now: number): void {
    for (const token of this.issued.values()) {
      if (token.expiresAt > now) return;
      this.issued.delete(token.value);
    }
  }
}

function identityKey({ kind, appId, tenantKey }: EmulatedIdentity): string {
  return JSON.stringify([kind, appId, tenantKey ?? null]);
}
