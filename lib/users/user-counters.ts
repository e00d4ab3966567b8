import { type ReauthorizationReason } from '../errors/reauthorization-reason.js';

/** What happened to the logins of one instance since it started. */
export class UserCounters {
  /** Exchanges of a refresh token that brought new tokens. */
  rotations = 0;
  /** Exchanges that Feishu refused, or that did not reach it. */
  failed = 0;
  /** Exchanges whose outcome is unknown. */
  uncertain = 0;
  /** Claims that another writer took over before their rotation ended: its tokens were not stored. */
  claimsLost = 0;
  /** Rotations of a process that crashed which this one finished from the journal. */
  journalRecovered = 0;
  readonly reauthorizations: Record<ReauthorizationReason, number> = {
    absent: 0,
    expired: 0,
    revoked: 0,
    'outcome-lost': 0,
    'user-disabled': 0,
    'logged-out': 0,
    'no-refresh-token': 0,
  };
}
