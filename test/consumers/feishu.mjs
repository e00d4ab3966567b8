import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const FIRST = { appId: 'cli_consumer', appSecret: 'consumer-secret' };
const SECOND = { appId: 'cli_consumer_two', appSecret: 'consumer-secret-two' };

/** The emulator with two apps, and the environment in which a generated application finds them. */
export async function startFeishu(repository) {
  const entry = pathToFileURL(join(repository, 'dist', 'esm', 'testing', 'index.js')).href;
  const { FeishuEmulator } = await import(entry);
  const emulator = await FeishuEmulator.start();
  emulator.apps.add(FIRST);
  emulator.apps.add(SECOND);
  return {
    environment: {
      FEISHU_APP_ID: FIRST.appId,
      FEISHU_APP_SECRET: FIRST.appSecret,
      FEISHU_SECOND_APP_ID: SECOND.appId,
      FEISHU_SECOND_APP_SECRET: SECOND.appSecret,
      FEISHU_ORIGIN: emulator.domain.open,
      FEISHU_ENCRYPT_KEY: 'consumer-encrypt-key',
      FEISHU_VERIFICATION_TOKEN: 'consumer-verification-token',
      FEISHU_REDIRECT_URI: 'http://localhost:3000/feishu/login/callback',
    },
    stop: () => emulator.stop(),
  };
}
