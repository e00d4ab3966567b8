import { type DynamicModule, type INestApplication, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { FeishuAuthModule } from '../../lib/index.js';
import { type FeishuEmulator } from '../../lib/testing/index.js';
import { SELF_BUILT } from '../fixtures/feishu-platform.js';

/** An application with the unnamed instance and one named `eu`, not yet initialised. */
export async function createTelemetryApp(
  emulator: FeishuEmulator,
  imports: readonly (DynamicModule | Type)[],
): Promise<INestApplication> {
  const options = { ...SELF_BUILT, domain: emulator.domain, prewarm: false } as const;
  const moduleRef = await Test.createTestingModule({
    imports: [
      FeishuAuthModule.forRoot(options),
      FeishuAuthModule.forRoot({ ...options, name: 'eu' }),
      ...imports,
    ],
  }).compile();
  return moduleRef.createNestApplication({ logger: false });
}
