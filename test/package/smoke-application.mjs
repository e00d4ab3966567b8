/**
 * The smallest application that needs a token: boots, gets one from the emulator, closes.
 * The modules come from the caller, who says by which way they were loaded.
 */
export async function runSmokeApplication(
  { NestFactory },
  { FeishuAuthModule, TokenService },
  { FeishuEmulator },
) {
  const app = { appId: 'cli_smoke', appSecret: 'smoke-secret' };
  const emulator = await FeishuEmulator.start();
  try {
    emulator.apps.add(app);
    const module = FeishuAuthModule.forRoot({ ...app, domain: emulator.domain });
    const context = await NestFactory.createApplicationContext(module, {
      logger: ['error'],
      abortOnError: false,
    });
    try {
      const token = await context.get(TokenService).getTenantAccessToken();
      if (!token.startsWith('t-')) throw new Error(`not a tenant access token: ${JSON.stringify(token)}`);
    } finally {
      await context.close();
    }
  } finally {
    await emulator.stop();
  }
}
