import { createHash, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';
import { type RecordCipher } from '../store/record-cipher.js';

/** A login between the moment the browser leaves for Feishu and the moment it comes back. */
export interface PendingLogin {
  readonly state: string;
  readonly codeVerifier: string;
  readonly redirectUri: string;
  readonly returnTo: string;
  /** In epoch milliseconds. */
  readonly expiresAt: number;
}

const SEPARATOR = '|';

const Pending = v.object({
  state: v.string(),
  codeVerifier: v.string(),
  redirectUri: v.string(),
  returnTo: v.string(),
  expiresAt: v.number(),
});

/** Seals a {@link PendingLogin} into the value of a cookie: no browser can read, forge or change it. */
export class PendingLoginSeal {
  readonly #cipher: RecordCipher;
  readonly #purpose: string;

  /** @param purpose whose logins these are: what was sealed for another app or instance does not open */
  constructor(cipher: RecordCipher, purpose: string) {
    this.#cipher = cipher;
    this.#purpose = purpose;
  }

  seal(login: PendingLogin): string {
    const { keyId, iv, tag, data } = this.#cipher.seal(JSON.stringify(login), this.#purpose);
    return [keyId, iv, tag, data].join(SEPARATOR);
  }

  /** `undefined` for a value that was not sealed here. The caller checks its end. */
  open(sealed: string): PendingLogin | undefined {
    const [keyId, iv, tag, data, ...more] = sealed.split(SEPARATOR);
    if (
      keyId === undefined ||
      iv === undefined ||
      tag === undefined ||
      data === undefined ||
      more.length > 0
    ) {
      return undefined;
    }
    const text = this.#cipher.open({ keyId, iv, tag, data }, this.#purpose);
    if (text === undefined) return undefined;
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Pending), text);
    return parsed.success ? parsed.output : undefined;
  }
}

/** In a time that does not tell how much of them is the same. */
export function isSameText(one: string, other: string): boolean {
  return timingSafeEqual(digestOf(one), digestOf(other));
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
