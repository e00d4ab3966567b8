import 'reflect-metadata';
import { type FeishuUser } from '../users/feishu-user.js';

/** Where {@link OnFeishuLogin} leaves its mark. */
const HANDLES_LOGIN = Symbol.for('nestjs-feishu-auth:handles-login');

/**
 * A user who has just logged in, and the browser that waits for an answer.
 *
 * @publicApi
 */
export interface FeishuLogin {
  user: FeishuUser;
  /** The path on this origin where the user wanted to go; `/` unless told. */
  returnTo: string;
  /** The host's own request: Express's or Fastify's. */
  request: unknown;
  /** The host's own response. A handler that answers by it has the last word. */
  response: unknown;
}

/**
 * @publicApi
 */
export interface OnFeishuLoginOptions {
  /** The instance of the module. @default the unnamed one */
  name?: string;
}

/**
 * Called by the endpoint of `loginPath` when a user has logged in; the login is stored by then. The method begins the
 * application's own session, and returns the path to go on to, or nothing for `returnTo`. What it throws is the answer, so
 * that a `ForbiddenException` keeps a user out.
 *
 * For one method of one provider or controller of the default scope.
 *
 * @example
 * @OnFeishuLogin()
 * async onLogin({ user, response }: FeishuLogin): Promise<void> {
 *   const sessionId = await this.sessions.begin(user.openId);
 *   (response as Response).cookie('session', sessionId, { httpOnly: true, sameSite: 'lax', secure: true });
 * }
 *
 * @publicApi
 */
export function OnFeishuLogin(options: OnFeishuLoginOptions = {}): MethodDecorator {
  return (_target, _key, descriptor: PropertyDescriptor) => {
    const method: unknown = descriptor.value;
    if (typeof method !== 'function') throw new TypeError('@OnFeishuLogin() is for methods');
    const instances = [options.name ?? 'default', ...loginsHandledBy(method)];
    Reflect.defineMetadata(HANDLES_LOGIN, instances, method);
  };
}

/** The instances whose logins `method` handles. @internal */
export function loginsHandledBy(method: unknown): readonly string[] {
  if (typeof method !== 'function') return [];
  return (Reflect.getMetadata(HANDLES_LOGIN, method) as string[] | undefined) ?? [];
}
