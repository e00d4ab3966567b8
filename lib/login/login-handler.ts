import { type DiscoveryService, type MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { decoratedMethods, type DecoratedMethod } from '../discovery/decorated-methods.js';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { INSTANCE_NAME } from '../feishu-auth.instance-name.js';
import { type FeishuLogin, loginsHandledBy } from './on-feishu-login.decorator.js';
import { localPath } from './return-to.js';

/** Where an instance's login endpoint is, `undefined` without one: one provider in each instance's module. */
export const LOGIN_PATH = 'FEISHU_AUTH_LOGIN_PATH';

/** @internal */
export interface LoginHandlerDependencies {
  readonly instance: string;
  readonly loginPath: string | undefined;
  readonly discovery: DiscoveryService;
  readonly scanner: MetadataScanner;
  readonly modules: ModulesContainer;
}

/** Finds the one method under `@OnFeishuLogin()` of this instance, and calls it. */
export class LoginHandler {
  private handler: DecoratedMethod<string> | undefined;

  constructor(private readonly deps: LoginHandlerDependencies) {}

  /** @internal */
  onModuleInit(): void {
    const { instance, loginPath, discovery, scanner } = this.deps;
    const all = decoratedMethods(discovery, scanner, loginsHandledBy);
    for (const { mark, name } of all) this.assertInstanceExists(mark, name);
    const own = all.filter(({ mark }) => mark === instance);
    const [handler, ...others] = own;
    const names = own.map(({ name }) => name).join(' and ');
    if (loginPath === undefined) {
      if (handler)
        throw invalid(`@OnFeishuLogin() on ${names}: ${this.who} has no loginPath, so nothing calls it`);
      return;
    }
    if (!handler) {
      throw invalid(
        `loginPath: no method of ${this.who} receives the users; put @OnFeishuLogin() on a method of one provider, and list the provider in a module`,
      );
    }
    if (others.length > 0) throw invalid(`@OnFeishuLogin() on ${names}: ${this.who} needs exactly one`);
    if (!handler.isSingleton) {
      throw invalid(
        `@OnFeishuLogin() on ${names}: request-scoped and transient providers cannot handle logins; use a singleton`,
      );
    }
    this.assertPathIsOurs(loginPath);
    this.handler = handler;
  }

  /**
   * @returns the path to go on to; `undefined` if the handler has none
   * @throws what the handler throws
   */
  async handle(login: FeishuLogin): Promise<string | undefined> {
    const { handler } = this;
    if (!handler) throw invalid('the login endpoint was called before the application was initialized');
    const result = await handler.call(login);
    if (result === undefined || result === null) return undefined;
    const path = typeof result === 'string' ? localPath(result) : undefined;
    if (path !== undefined) return path;
    throw new FeishuAuthError(
      'ERR_FEISHU_INVALID_ARGUMENT',
      `@OnFeishuLogin() on ${handler.name} must return a path on this origin, such as '/home', or nothing; to send the browser elsewhere, answer with login.response`,
    );
  }

  private assertInstanceExists(instance: string, handler: string): void {
    if (this.instances.some((module) => module.providers.get(INSTANCE_NAME)?.instance === instance)) return;
    const which = instance === 'default' ? 'no unnamed instance' : `no instance named '${instance}'`;
    throw invalid(`@OnFeishuLogin() on ${handler}: there is ${which} of FeishuAuthModule`);
  }

  private assertPathIsOurs(loginPath: string): void {
    const same = this.instances.filter((module) => {
      const path: unknown = module.providers.get(LOGIN_PATH)?.instance;
      return typeof path === 'string' && trimmed(path) === trimmed(loginPath);
    });
    if (same.length > 1)
      throw invalid(`loginPath: two instances have the path '${loginPath}'; give each its own`);
  }

  private get instances(): readonly Pick<ModuleOf<ModulesContainer>, 'providers'>[] {
    return [...this.deps.modules.values()];
  }

  private get who(): string {
    const { instance } = this.deps;
    return instance === 'default' ? 'the unnamed instance' : `the instance '${instance}'`;
  }
}

type ModuleOf<T> = T extends Map<string, infer TModule> ? TModule : never;

function trimmed(path: string): string {
  return path.replaceAll(/^\/+|\/+$/g, '');
}

function invalid(message: string): FeishuAuthError {
  return new FeishuAuthError('ERR_FEISHU_CONFIG_INVALID', message);
}
