import { randomInt } from 'node:crypto';
import { type EmulatorClock } from '../emulator-clock.js';
import { type EmulatorReply } from '../emulator-reply.js';
import { randomText } from '../random-text.js';
import { refuseDevice } from './oauth-errors.js';
import { type UserGrant } from './user-tokens.js';

/** @internal */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** No letters that look like digits, and no vowels. */
const USER_CODE_LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
/** What `slow_down` adds to the interval. */
const SLOWER_MS = 5_000;

/** @internal */
export interface DevicePolicy {
  deviceCodeLifetimeSeconds: number;
  deviceIntervalSeconds: number;
}

/** @internal */
export interface DeviceLogin {
  readonly appId: string;
  readonly deviceCode: string;
  readonly userCode: string;
  readonly scopes: readonly string[];
  readonly expiresAt: number;
  intervalMs: number;
  lastPollAt: number | undefined;
  /** What the user decided; `undefined` while the user has not. */
  decision: UserGrant | 'denied' | 'used' | undefined;
}

/**
 * Logins of machines without a browser (RFC 8628): a code for the machine to poll with, and one for the user to type in.
 *
 * @internal
 */
export class DeviceLogins {
  private readonly logins = new Map<string, DeviceLogin>();

  constructor(
    private readonly clock: EmulatorClock,
    private readonly policy: DevicePolicy,
  ) {}

  start(appId: string, scopes: readonly string[]): DeviceLogin {
    const login: DeviceLogin = {
      appId,
      deviceCode: randomText(48),
      userCode: `${userCodePart()}-${userCodePart()}`,
      scopes,
      expiresAt: this.clock.now() + this.policy.deviceCodeLifetimeSeconds * 1_000,
      intervalMs: this.policy.deviceIntervalSeconds * 1_000,
      lastPollAt: undefined,
      decision: undefined,
    };
    this.logins.set(login.deviceCode, login);
    return login;
  }

  /** The login that waits for its user, by the code that the user types in. */
  waiting(userCode: string): DeviceLogin | undefined {
    const wanted = userCode.trim().toUpperCase();
    for (const login of this.logins.values()) {
      const isOpen = login.decision === undefined && this.clock.now() < login.expiresAt;
      if (login.userCode === wanted && isOpen) return login;
    }
    return undefined;
  }

  /** @returns what the user has granted, or the refusal */
  poll(appId: string, deviceCode: string): UserGrant | EmulatorReply {
    const login = this.logins.get(deviceCode);
    if (!login || login.appId !== appId || login.decision === 'used') {
      return refuseDevice('invalid_grant', 'The device code is invalid.');
    }
    const now = this.clock.now();
    const sinceLast = login.lastPollAt === undefined ? Infinity : now - login.lastPollAt;
    login.lastPollAt = now;
    if (sinceLast < login.intervalMs) {
      login.intervalMs += SLOWER_MS;
      return refuseDevice('slow_down', 'Polled too soon: wait 5 seconds longer.');
    }
    if (login.decision === 'denied') return refuseDevice('access_denied', 'The user denied the request.');
    if (now >= login.expiresAt) return refuseDevice('expired_token', 'The device code has expired.');
    if (!login.decision) {
      return refuseDevice('authorization_pending', 'The user has not decided yet.');
    }
    const grant = login.decision;
    login.decision = 'used';
    return grant;
  }
}

function userCodePart(): string {
  return Array.from({ length: 4 }, () => USER_CODE_LETTERS[randomInt(USER_CODE_LETTERS.length)]).join('');
}
