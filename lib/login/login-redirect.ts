import { isSafeOrigin } from '../feishu-auth.options.checks.js';
import { FeishuLoginException } from './feishu-login.exception.js';

/** @internal */
export interface LoginRedirectOptions {
  /** The option `users.redirectUri`. */
  readonly configured: string | undefined;
  readonly loginPath: string;
  readonly warn: (message: string) => void;
}

const MISSING =
  'users.redirectUri is not set, so logins work on a loopback host only: set it to the public URL of <loginPath>/callback, as it is registered in the developer console';

/** Where Feishu sends the browser back to. */
export class LoginRedirect {
  constructor(private readonly options: LoginRedirectOptions) {}

  /** @internal */
  onModuleInit(): void {
    const { configured, loginPath, warn } = this.options;
    const suffix = `/${loginPath.replaceAll(/^\/+|\/+$/g, '')}/callback`;
    if (configured === undefined) warn(MISSING);
    else if (!new URL(configured).pathname.endsWith(suffix)) {
      warn(`users.redirectUri does not end with ${suffix}: logins only end if a proxy leads it there`);
    }
  }

  /**
   * As configured, else on the loopback host that the browser used. Any other host could be made up by who sends the
   * request.
   *
   * @throws FeishuLoginException
   */
  uriFor(request: { host: string | undefined; protocol: string; path: string }): string {
    const { configured } = this.options;
    if (configured !== undefined) return configured;
    const { host = '', protocol, path } = request;
    const scheme = protocol === 'https' ? 'https' : 'http';
    if (isLoopbackHost(host)) return `${scheme}://${host}${path.replace(/\/$/, '')}/callback`;
    throw new FeishuLoginException('misconfigured', 'ERR_FEISHU_CONFIG_INVALID');
  }
}

function isLoopbackHost(host: string): boolean {
  return /^[\w.:[\]-]+$/.test(host) && isSafeOrigin(`http://${host}`);
}
