import * as v from 'valibot';
import { type RecordCipher } from '../../store/record-cipher.js';
import { type LoginRecord } from './login-record.js';

const VERSION = 1;

/** Why a stored text is not a login that this process can use. */
export type Unreadable =
  /** A later version of this module wrote it. */
  | 'newer'
  /** It is encrypted, and none of the keys opens it under this login's key. */
  | 'no-key'
  /** It is in the clear, although encryption keys are configured. */
  | 'in-clear'
  /** It is not a record of this login. */
  | 'corrupt';

const Sealed = v.object({ keyId: v.string(), iv: v.string(), tag: v.string(), data: v.string() });
const Envelope = v.object({
  version: v.number(),
  /** The key that the record was stored under. */
  key: v.string(),
  login: v.optional(v.unknown()),
  sealed: v.optional(Sealed),
});

const Text = v.pipe(v.string(), v.nonEmpty());
/** What a `Date` can hold. */
const Time = v.pipe(v.number(), v.minValue(-8_640_000_000_000_000), v.maxValue(8_640_000_000_000_000));
const Duration = v.pipe(v.number(), v.gtValue(0), v.finite());
const Reason = v.picklist([
  'absent',
  'expired',
  'revoked',
  'outcome-lost',
  'user-disabled',
  'logged-out',
  'no-refresh-token',
]);

const Login = v.object({
  generation: Text,
  user: v.object({
    openId: Text,
    unionId: v.exactOptional(Text),
    userId: v.exactOptional(Text),
    tenantKey: v.exactOptional(Text),
    name: v.exactOptional(Text),
    avatarUrl: v.exactOptional(Text),
  }),
  scopes: v.array(v.string()),
  authorizedAt: Time,
  tokens: v.optional(
    v.object({
      access: Text,
      accessExpiresAt: Time,
      accessLifeMs: Duration,
      obtainedAt: Time,
      refresh: v.optional(Text),
      refreshExpiresAt: v.optional(Time),
    }),
  ),
  claim: v.optional(v.object({ id: Text, at: Time, ms: Duration })),
  uncertain: v.optional(
    v.object({
      since: Time,
      claims: v.array(Text),
      refusal: v.optional(v.object({ code: v.number(), reason: Reason })),
    }),
  ),
  ended: v.optional(
    v.object({
      reason: Reason,
      at: Time,
      feishuCode: v.optional(v.number()),
      logId: v.optional(v.string()),
    }),
  ),
  restUntil: v.optional(Time),
});

/**
 * A login as the text that a store keeps: versioned JSON, or, with encryption keys, AES-256-GCM over all of it with the
 * login's key as additional data. A record that was copied to another user's key does not open.
 */
export class LoginCodec {
  readonly #cipher: RecordCipher | undefined;
  readonly #acceptsClear: boolean;

  /** @param acceptsClear whether records in the clear are read although there are encryption keys */
  constructor(cipher: RecordCipher | undefined, acceptsClear = false) {
    this.#cipher = cipher;
    this.#acceptsClear = acceptsClear || cipher === undefined;
  }

  encode(key: string, login: LoginRecord): string {
    if (!this.#cipher) return JSON.stringify({ version: VERSION, key, login });
    return JSON.stringify({ version: VERSION, key, sealed: this.#cipher.seal(JSON.stringify(login), key) });
  }

  decode(key: string, text: string): LoginRecord | Unreadable {
    const envelope = v.safeParse(Envelope, parseJson(text));
    if (!envelope.success) return 'corrupt';
    const { version, sealed, login } = envelope.output;
    if (version > VERSION) return 'newer';
    if (version !== VERSION || envelope.output.key !== key) return 'corrupt';
    if (sealed) {
      const opened = this.#cipher?.open(sealed, key);
      return opened === undefined ? 'no-key' : (parseLogin(parseJson(opened)) ?? 'corrupt');
    }
    return this.#acceptsClear ? (parseLogin(login) ?? 'corrupt') : 'in-clear';
  }
}

/** The login that a parsed text is, if it is one. */
export function parseLogin(value: unknown): LoginRecord | undefined {
  const login = v.safeParse(Login, value);
  return login.success ? login.output : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
