import { hkdfSync } from 'node:crypto';
import { RecordCipher } from '../store/record-cipher.js';

const PURPOSE = 'nestjs-feishu-auth:login-cookie';
/** Names the key that comes from the app secret; an id of `encryptionKeys` cannot be empty. */
const BY_SECRET = '';

/** @internal */
export interface LoginSecretOptions {
  readonly appId: string;
  readonly appSecret: string | undefined;
  readonly encryptionKeys: readonly { readonly id: string; readonly key: Uint8Array }[];
}

/**
 * What seals a login while the user is at Feishu: keys for this purpose only, derived from `encryptionKeys` (the first
 * seals, all open), else from the app secret. Every process of a fleet has the same.
 */
export function loginCipher({ appId, appSecret, encryptionKeys }: LoginSecretOptions): RecordCipher {
  const derive = (secret: Uint8Array | string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', secret, appId, PURPOSE, 32));
  if (encryptionKeys.length > 0) {
    return new RecordCipher(encryptionKeys.map(({ id, key }) => ({ id, key: derive(key) })));
  }
  if (appSecret === undefined) throw new Error('a login needs the app secret or encryptionKeys');
  return new RecordCipher([{ id: BY_SECRET, key: derive(appSecret) }]);
}
