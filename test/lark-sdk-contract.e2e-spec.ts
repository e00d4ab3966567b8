import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { compileFunction } from 'node:vm';
import { jest } from '@jest/globals';
import * as lark from '@larksuiteoapi/node-sdk';
import { brokenClauses } from './fixtures/lark-contract.js';

jest.setTimeout(60_000);

const require = createRequire(import.meta.url);
const SDK = require.resolve('@larksuiteoapi/node-sdk');
const { version } = require('@larksuiteoapi/node-sdk/package.json') as { version: string };

/** Returns the SDK's source with one change, as a later version might have it. */
function changedSdk(from: string | RegExp, to: string): typeof lark {
  const source = readFileSync(SDK, 'utf8');
  const changed = source.replaceAll(from, to);
  if (changed === source) throw new Error(`the SDK has no ${String(from)}: change this test`);
  const module = { exports: {} };
  compileFunction(changed, ['exports', 'module', 'require', '__dirname'])(
    module.exports,
    module,
    createRequire(SDK),
    dirname(SDK),
  );
  return module.exports as typeof lark;
}

describe('what lib/lark-sdk relies on in the official SDK', () => {
  it(`holds in version ${version}`, async () => {
    // Each message names the difference and the file that relies on it.
    expect((await brokenClauses(lark, version)).join('\n\n')).toBe('');
  });

  it.each([
    [
      'the key of a store app’s token',
      'larkMarketAccessToken',
      'larkIsvAccessToken',
      /larkMarketAccessToken<tenant key>.*\n.*lark-cache\.ts/,
    ],
    [
      'the symbol of a token',
      "Symbol('tenant-access-token')",
      "Symbol('tat')",
      /the symbols by which it keeps tokens/,
    ],
    [
      'a key that is no longer the symbol',
      'get(CTenantAccessToken',
      "get('tenant-access-token'",
      /a self-built app's token/,
    ],
    ['the namespace', 'namespace: this.appId', 'namespace: this.domain', /under the app's id/],
    [
      'a ticket kept elsewhere',
      'cache.set(CAppTicket',
      "cache.set('app-ticket'",
      /the ticket of an app_ticket event/,
    ],
    [
      'the order: Feishu before the cache',
      'if (cachedTenantAccessToken) {',
      'if (false) {',
      /Feishu for none if there is one/,
    ],
    [
      'an expiry in seconds',
      'new Date().getTime() + expire * 1000 - 3 * 60 * 1000',
      'expire',
      /epoch milliseconds/,
    ],
    ['no more one way for all calls', /\bformatPayload\b/g, 'preparePayload', /every kind of call/],
    [
      'a withTenantToken() of another shape',
      'Authorization: `Bearer ${tenantAccessToken}`',
      'Token: tenantAccessToken',
      /withTenantToken\(\)/,
    ],
    [
      'the flag of downloads',
      '$return_headers: true',
      'returnHeaders: true',
      /a download as a stream with its headers/,
    ],
    ['user tokens that end', 'targetValue, Infinity', 'targetValue, 1', /a user's token/],
  ])('would fail with a message that says so: %s', async (_what, from, to, message) => {
    const broken = await brokenClauses(changedSdk(from, to), '99.0.0');
    expect(broken.join('\n\n')).toMatch(message);
    expect(broken[0]).toMatch(/^@larksuiteoapi\/node-sdk 99\.0\.0 is different: it no longer /);
  });
});
