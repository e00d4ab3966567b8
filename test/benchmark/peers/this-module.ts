import { type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FeishuAuthModule, TokenService } from 'nestjs-feishu-auth';
import { type HostedPlatform, SELF_BUILT_APP } from '../load/platform.js';
import { type Peer } from './peer.js';

/** This module in an application of its own, with its defaults; cold. */
export function startModule(platform: HostedPlatform): Promise<INestApplicationContext> {
  const module = FeishuAuthModule.forRoot({
    ...SELF_BUILT_APP,
    domain: platform.domain,
    prewarm: { onBootstrap: 'off' },
  });
  return NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
}

export const THIS_MODULE: Peer = {
  id: 'module',
  name: 'getTenantAccessToken()',
  difference: '',
  async build(platform) {
    const app = await startModule(platform);
    const tokens = app.get(TokenService);
    return {
      get: () => tokens.getTenantAccessToken(),
      async readMany(count) {
        let sum = 0;
        for (let i = 0; i < count; i++) sum += (await tokens.getTenantAccessToken()).length;
        return sum;
      },
      close: () => app.close(),
    };
  },
};
