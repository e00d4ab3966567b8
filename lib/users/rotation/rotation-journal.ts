import { FeishuAuthError } from '../../errors/feishu-auth.error.js';
import { type RecordStore } from '../../store/record-store.js';
import { UNAVAILABLE } from '../../store/shared-store.js';
import { type Clock } from '../../time/clock.js';
import { parseLogin } from '../record/login-codec.js';
import { type ExchangedLogin } from './exchanged-login.js';

/** An entry that was finished stays behind, empty, for so long. */
const REMOVED_FOR_MS = 60_000;
/** A refresh token whose end Feishu does not say lives at least so long, by its documentation. */
const USUAL_REFRESH_LIFE_MS = 7 * 86_400_000;

/** What was granted under one claim. */
export interface JournalEntry {
  readonly claimId: string;
  readonly exchanged: ExchangedLogin;
}

/**
 * What exchanges brought, in the encrypted shared cache, until it is stored. If the process crashes, or loses its way to the
 * store, another process finishes the rotation.
 */
export class RotationJournal {
  /** @param records with a cipher */
  constructor(
    private readonly records: RecordStore,
    private readonly clock: Clock,
  ) {}

  /** Never rejects: the journal is a second chance, not a condition. */
  async write(key: string, claimId: string, { base, next }: ExchangedLogin): Promise<void> {
    const now = this.clock.now();
    const endsAt = next.tokens?.refreshExpiresAt ?? now + USUAL_REFRESH_LIFE_MS;
    const stored = { secret: JSON.stringify({ base, next }), obtainedAt: now };
    await this.records.write(entryKey(key, claimId), stored, Math.max(1, endsAt - now));
  }

  /**
   * What was granted under one of the claims to the generation `base`.
   *
   * @throws FeishuAuthError `ERR_FEISHU_PLATFORM_UNAVAILABLE` if the cache does not answer: it may hold the only live tokens
   */
  async find(key: string, claimIds: readonly string[], base: string): Promise<JournalEntry | undefined> {
    for (const claimId of claimIds) {
      const stored = await this.records.read(entryKey(key, claimId));
      if (stored === UNAVAILABLE) throw unreadableJournal();
      const exchanged = typeof stored === 'object' ? parse(stored.secret) : undefined;
      if (exchanged?.base === base) return { claimId, exchanged };
    }
    return undefined;
  }

  async remove(key: string, claimId: string): Promise<void> {
    await this.records.remove(entryKey(key, claimId), this.clock.now(), REMOVED_FOR_MS);
  }
}

function entryKey(key: string, claimId: string): string {
  return `${key}:journal:${claimId}`;
}

function unreadableJournal(): FeishuAuthError {
  return new FeishuAuthError(
    'ERR_FEISHU_PLATFORM_UNAVAILABLE',
    "the outcome of the login's last renewal is unknown, and the cache that may have its tokens does not answer",
    { retryable: true },
  );
}

function parse(text: string): ExchangedLogin | undefined {
  try {
    const { base, next } = JSON.parse(text) as { base?: unknown; next?: unknown };
    const login = parseLogin(next);
    return typeof base === 'string' && login?.tokens ? { base, next: login } : undefined;
  } catch {
    return undefined;
  }
}
