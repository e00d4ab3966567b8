import { Test } from '@nestjs/testing';
import { FeishuAuthModule, TokenService } from '../lib/index.js';
import { FeishuEmulator } from '../lib/testing/index.js';

describe('tokens', () => {
  let emulator: FeishuEmulator;

  beforeAll(async () => {
    emulator = await FeishuEmulator.start();
    emulator.apps.add({ appId: 'cli_test', appSecret: 'secret-of-the-test-app' });
  });
  afterAll(() => emulator.stop());

  it('#1 1,000 cold callers cost one platform call', async () => {
    const moduleRef = await Test.createTestingModule({
      imports: [
        FeishuAuthModule.forRoot({
          appId: 'cli_test',
          appSecret: 'secret-of-the-test-app',
          domain: emulator.domain,
          prewarm: { onBootstrap: 'off' },
        }),
      ],
    }).compile();
    await moduleRef.init();
    const tokens = moduleRef.get(TokenService);
    const values = await Promise.all(Array.from({ length: 1_000 }, () => tokens.getTenantAccessToken()));
    expect(new Set(values).size).toBe(1);
    expect(emulator.requests).toHaveLength(1);
    expect(tokens.metrics().kinds.tenant).toMatchObject({ requests: 1_000, waits: 1_000, hits: 0 });
    await tokens.getTenantAccessToken();
    console.log(tokens.performanceReport());
    await moduleRef.close();
    await expect(tokens.getTenantAccessToken()).rejects.toMatchObject({ code: 'ERR_FEISHU_CLOSED' });
  });
});
