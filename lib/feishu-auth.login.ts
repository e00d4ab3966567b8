import { type Provider, type Type } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { FeishuAuthEngine } from './feishu-auth.engine.js';
import { getFeishuServiceToken } from './feishu-auth.injection.js';
import { INSTANCE_NAME } from './feishu-auth.instance-name.js';
import { type FeishuAuthModuleExtras } from './feishu-auth.options.js';
import { FeishuLoginService } from './login/feishu-login.service.js';
import { LoginCookies } from './login/login-cookies.js';
import { LOGIN_LIFETIME_MS, LoginFlow } from './login/login-flow.js';
import { LOGIN_PATH, LoginHandler } from './login/login-handler.js';
import { LoginRedirect } from './login/login-redirect.js';
import { loginCipher } from './login/login-secret.js';
import { createLoginController } from './login/login.controller.js';
import { PendingLoginSeal } from './login/pending-login.js';
import { UsedStates } from './login/used-states.js';
import { type ModuleLogger, ThrottledLog } from './time/throttled-log.js';
import { cacheKey } from './tokens/token-query.js';

/** The login service of one instance, put together from its engine. */
export function createLoginService({ options, users, clock }: FeishuAuthEngine): FeishuLoginService {
  return new FeishuLoginService({
    appId: options.appId,
    clock,
    users,
    redirectUri: options.users?.redirectUri,
    scopes: options.users?.scopes ?? [],
  });
}

/** The controller of `loginPath`, if there is one. */
export function loginControllersOf({ loginPath, loginDecorators = [] }: FeishuAuthModuleExtras): Type[] {
  return loginPath === undefined ? [] : [createLoginController(loginPath, loginDecorators)];
}

export function loginProvidersOf(
  { loginPath, name }: FeishuAuthModuleExtras,
  logger: ModuleLogger,
): Provider[] {
  const handler: Provider = {
    provide: LoginHandler,
    useFactory: (
      instance: string,
      discovery: DiscoveryService,
      scanner: MetadataScanner,
      modules: ModulesContainer,
    ) => new LoginHandler({ instance, loginPath, discovery, scanner, modules }),
    inject: [INSTANCE_NAME, DiscoveryService, MetadataScanner, ModulesContainer],
  };
  if (loginPath === undefined) return [handler];
  return [
    handler,
    { provide: LOGIN_PATH, useValue: loginPath },
    {
      provide: LoginFlow,
      useFactory: (engine: FeishuAuthEngine, logins: FeishuLoginService) =>
        createLoginFlow(engine, logins, logger),
      inject: [FeishuAuthEngine, getFeishuServiceToken(FeishuLoginService, name)],
    },
    {
      provide: LoginRedirect,
      useFactory: ({ options }: FeishuAuthEngine) =>
        new LoginRedirect({
          configured: options.users?.redirectUri,
          loginPath,
          warn: (message) => logger.warn(message),
        }),
      inject: [FeishuAuthEngine],
    },
  ];
}

function createLoginFlow(
  { options, lock, clock }: FeishuAuthEngine,
  logins: FeishuLoginService,
  logger: ModuleLogger,
): LoginFlow {
  const { instance, appId, openOrigin, users } = options;
  return new LoginFlow({
    logins,
    cookies: new LoginCookies(instance),
    seal: new PendingLoginSeal(loginCipher(options), [openOrigin, appId, instance].join(' ')),
    states: new UsedStates({
      lock,
      clock,
      lifetimeMs: LOGIN_LIFETIME_MS,
      keyOf: (digest) => cacheKey(options, 'login', digest),
    }),
    clock,
    scopes: users?.scopes ?? [],
    log: new ThrottledLog(logger, clock),
  });
}
