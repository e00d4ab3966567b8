import { createCipheriv, createHash, randomBytes, randomUUID } from 'node:crypto';
import { randomText } from './random-text.js';

/**
 * An event as it happens at the platform.
 *
 * @publicApi
 */
export interface EmulatedEvent {
  /** E.g. `im.message.receive_v1`. */
  type: string;
  /** The tenant it happens in. */
  tenantKey?: string;
  /** Its own fields, as its documentation lists them. @default {} */
  event?: Record<string, unknown>;
  /** `'1.0'` is the old envelope. @default '2.0' */
  schema?: '1.0' | '2.0';
  /** @default a new one */
  eventId?: string;
  /** When it happened, in epoch milliseconds: its `create_time`, which may be long before it is delivered. @default now */
  createdAt?: number;
}

/** @internal */
export interface EventKeys {
  readonly encryptKey?: string | undefined;
  readonly verificationToken?: string | undefined;
}

/**
 * One request to an event URL.
 *
 * @publicApi
 */
export interface SignedRequest {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** The envelope of `event`, which stays the same however often it is delivered. @internal */
export function envelopeOf(
  appId: string,
  { type, tenantKey, event = {}, schema = '2.0', eventId = randomUUID() }: Readonly<EmulatedEvent>,
  { verificationToken = '' }: EventKeys,
  at: number,
): object {
  const tenant = tenantKey === undefined ? {} : { tenant_key: tenantKey };
  if (schema === '1.0') {
    return {
      ts: (at / 1_000).toFixed(7),
      uuid: eventId,
      token: verificationToken,
      type: 'event_callback',
      event: { app_id: appId, ...tenant, ...event, type },
    };
  }
  return {
    schema,
    header: {
      event_id: eventId,
      event_type: type,
      create_time: String(at),
      token: verificationToken,
      app_id: appId,
      ...tenant,
    },
    event,
  };
}

/** Encrypted and signed where there is an Encrypt Key; plain, and with no signature, where there is none. @internal */
export function signedRequest(envelope: object, { encryptKey }: EventKeys, at: number): SignedRequest {
  const body = bodyOf(envelope, encryptKey);
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  if (!encryptKey) return { headers, body };
  const timestamp = String(Math.floor(at / 1_000));
  const nonce = randomText(16);
  const signature = createHash('sha256')
    .update(timestamp + nonce + encryptKey + body)
    .digest('hex');
  return {
    headers: {
      ...headers,
      'x-lark-request-timestamp': timestamp,
      'x-lark-request-nonce': nonce,
      'x-lark-signature': signature,
    },
    body,
  };
}

/** What the console sends to see whether a URL is the app's: encrypted like an event, and never signed. @internal */
export function challengeRequest(
  challenge: string,
  { encryptKey, verificationToken = '' }: EventKeys,
): SignedRequest {
  const body = bodyOf({ challenge, token: verificationToken, type: 'url_verification' }, encryptKey);
  return { headers: { 'content-type': 'application/json; charset=utf-8' }, body };
}

function bodyOf(envelope: object, encryptKey: string | undefined): string {
  const text = JSON.stringify(envelope);
  return encryptKey ? JSON.stringify({ encrypt: encrypted(text, encryptKey) }) : text;
}

function encrypted(text: string, encryptKey: string): string {
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-cbc', createHash('sha256').update(encryptKey).digest(), iv);
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final()]).toString('base64');
}
