// One process that loads both builds: the module from `import`, its users from `require()`, and the other way round.
// Prints nothing unless a check fails.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { Controller, Get, Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FeishuEmulator } from 'nestjs-feishu-auth/testing';
import * as imported from 'nestjs-feishu-auth';

const required = createRequire(import.meta.url)('nestjs-feishu-auth');
assert.notEqual(required.TokenService, imported.TokenService);

const APP = { appId: 'cli_copies', appSecret: 'copies-secret' };
const warnings = [];
const logger = { log() {}, error: console.error, warn: (message) => warnings.push(message) };

const emulator = await FeishuEmulator.start();
try {
  emulator.apps.add(APP);
  await check({ provider: imported, user: required });
  await check({ provider: required, user: imported });
} finally {
  await emulator.stop();
}
// Two applications with two instances each: one report.
const reports = warnings.filter((text) => text.includes('2 copies of nestjs-feishu-auth'));
assert.equal(reports.length, 1, warnings.join('\n'));
assert.match(reports[0], /\d+\.\d+\.\d+ \(ES modules\), \d+\.\d+\.\d+ \(CommonJS\)/);

async function check({ provider, user }) {
  const app = await NestFactory.create(applicationOf(provider, user), { logger, abortOnError: false });
  try {
    await app.listen(0, '127.0.0.1');
    for (const path of ['unnamed', 'named', 'mixed']) {
      const response = await fetch(`${await app.getUrl()}/${path}`);
      assert.match(await response.text(), /^t-/, `${path} got no token`);
    }
    // The class of either copy finds the one service that there is.
    assert.equal(app.get(user.TokenService), app.get(provider.TokenService));
    const error = await app
      .get(user.TokenService)
      .getTenantAccessToken({ tenantKey: 'x' })
      .catch((it) => it);
    assert.equal(imported.isFeishuAuthError(error, 'ERR_FEISHU_INVALID_ARGUMENT'), true);
    assert.equal(required.isFeishuAuthError(error, 'ERR_FEISHU_INVALID_ARGUMENT'), true);
  } finally {
    await app.close();
  }
}

/** The module is registered before its users are declared, as in a file that is loaded first. */
function applicationOf(provider, user) {
  const options = { ...APP, domain: emulator.domain };
  const instances = [
    provider.FeishuAuthModule.forRoot(options),
    provider.FeishuAuthModule.forRoot({ ...options, name: 'other' }),
  ];

  class TokenController {
    constructor(tokens, other) {
      Object.assign(this, { tokens, other });
    }
    unnamed() {
      return this.tokens.getTenantAccessToken();
    }
    named() {
      return this.other.getTenantAccessToken();
    }
    mixed(token) {
      return token;
    }
  }
  decorate(TokenController, 'unnamed', Get('unnamed'));
  decorate(TokenController, 'named', Get('named'));
  decorate(TokenController, 'mixed', Get('mixed'), user.FeishuAuth());
  provider.FeishuToken()(TokenController.prototype, 'mixed', 0);
  Inject(user.TokenService)(TokenController, undefined, 0);
  user.InjectTokenService('other')(TokenController, undefined, 1);
  Controller()(TokenController);

  function AppModule() {}
  Module({ imports: instances, controllers: [TokenController] })(AppModule);
  return AppModule;
}

function decorate(type, method, ...decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(type.prototype, method);
  for (const decorator of decorators) decorator(type.prototype, method, descriptor);
}
