import { createHash } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';

/** How many logins one browser can have under way, in several tabs: each is a cookie of up to 4 KB in every request. */
export const MAX_COOKIES = 4;

/** One login's cookie as the browser sent it. */
export interface LoginCookie {
  readonly name: string;
  readonly value: string;
}

/**
 * The cookies of logins under way. Each has its own name, so that logins in two tabs do not end each other. With https
 * the name has the prefix `__Host-`, which keeps other hosts of the domain from setting it.
 */
export class LoginCookies {
  readonly #prefix: string;

  /** @param instance the name of the module's instance */
  constructor(instance: string) {
    this.#prefix = instance === 'default' ? 'feishu_login_' : `feishu_login_${instance}_`;
  }

  nameOf(state: string, isSecure: boolean): string {
    const tag = createHash('sha256').update(state).digest('hex').slice(0, 16);
    return `${isSecure ? '__Host-' : ''}${this.#prefix}${tag}`;
  }

  /** All that the browser sent, those of both schemes. */
  read(header: string | undefined): LoginCookie[] {
    if (header === undefined) return [];
    const cookies = Object.entries(parseCookie(header));
    return cookies.flatMap(([name, value]) =>
      this.isOurs(name) && value !== undefined ? [{ name, value }] : [],
    );
  }

  set(name: string, value: string, maxAgeMs: number): string {
    return this.line(name, value, Math.floor(maxAgeMs / 1_000));
  }

  clear(name: string): string {
    return this.line(name, '', 0);
  }

  private isOurs(name: string): boolean {
    const bare = name.startsWith('__Host-') ? name.slice('__Host-'.length) : name;
    return bare.startsWith(this.#prefix) && /^[0-9a-f]{16}$/.test(bare.slice(this.#prefix.length));
  }

  private line(name: string, value: string, maxAge: number): string {
    const secure = name.startsWith('__Host-');
    return stringifySetCookie({ name, value, httpOnly: true, sameSite: 'lax', path: '/', secure, maxAge });
  }
}
