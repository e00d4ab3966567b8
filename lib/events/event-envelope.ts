import { isObject, type JsonObject } from './event-body.js';
import { eventTime } from './event-time.js';
import { type FeishuEvent } from './feishu-event.js';

/** What a body claims to be. `token` is the Verification Token in it, which is not compared yet. */
export type Envelope =
  | { readonly kind: 'challenge'; readonly challenge: string; readonly token: unknown }
  | { readonly kind: 'event'; readonly event: FeishuEvent; readonly token: unknown };

const ID = /^[\x21-\x7e]{1,256}$/;
// Narrow: the reply to an unsigned request must not reveal text that this module decrypted.
const CHALLENGE = /^[\w.~+/=-]{1,256}$/;

/** Reads both schemas; `undefined` for anything that is not an envelope of Feishu. */
export function parseEnvelope(body: JsonObject): Envelope | undefined {
  if (body['type'] === 'url_verification') return challengeOf(body);
  return body['schema'] === undefined ? firstSchema(body) : secondSchema(body);
}

function challengeOf({ challenge, token, header }: JsonObject): Envelope | undefined {
  if (typeof challenge !== 'string' || !CHALLENGE.test(challenge)) return undefined;
  return { kind: 'challenge', challenge, token: token ?? (isObject(header) ? header['token'] : undefined) };
}

function firstSchema({ token, ...payload }: JsonObject): Envelope | undefined {
  const { uuid, ts, event } = payload;
  if (!isObject(event)) return undefined;
  return envelope(token, {
    schema: '1.0',
    eventId: uuid,
    eventType: event['type'],
    tenantKey: event['tenant_key'],
    appId: event['app_id'],
    createdAt: eventTime(ts),
    event,
    payload,
  });
}

function secondSchema(body: JsonObject): Envelope | undefined {
  const { schema, header: sent, event = {} } = body;
  if (schema !== '2.0' || !isObject(sent) || !isObject(event)) return undefined;
  const { token, ...header } = sent;
  return envelope(token, {
    schema,
    eventId: header['event_id'],
    eventType: header['event_type'],
    tenantKey: header['tenant_key'],
    appId: header['app_id'],
    createdAt: eventTime(header['create_time']),
    event,
    payload: { ...body, header },
  });
}

interface Facts {
  readonly schema: FeishuEvent['schema'];
  readonly eventId: unknown;
  readonly eventType: unknown;
  readonly tenantKey: unknown;
  readonly appId: unknown;
  readonly createdAt: number | undefined;
  readonly event: JsonObject;
  readonly payload: JsonObject;
}

function envelope(token: unknown, facts: Facts): Envelope | undefined {
  const { schema, eventId, eventType, tenantKey, appId, createdAt, event, payload } = facts;
  if (!isId(eventId) || !isId(eventType)) return undefined;
  return {
    kind: 'event',
    token,
    event: {
      schema,
      eventId,
      eventType,
      ...(isId(tenantKey) && { tenantKey }),
      appId: typeof appId === 'string' ? appId : '',
      ...(createdAt !== undefined && { createdAt: new Date(createdAt) }),
      event,
      payload,
    },
  };
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}
