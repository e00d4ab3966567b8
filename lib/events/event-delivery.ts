import { type DeliverySignature } from './event-signature.js';

/**
 * The headers of a delivery: those of a request of Node, Express or Fastify, or a `Headers` object.
 *
 * @publicApi
 */
export type FeishuEventHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/** One request to the event URL. */
export interface EventDelivery {
  readonly headers: FeishuEventHeaders;
  /** The bytes as they arrived. A body that was parsed and serialized again has another signature. */
  readonly rawBody: Uint8Array;
}

/** The signature headers. A header that was sent twice counts as missing. */
export function signatureIn(headers: FeishuEventHeaders): DeliverySignature {
  return {
    timestamp: headerOf(headers, 'x-lark-request-timestamp'),
    nonce: headerOf(headers, 'x-lark-request-nonce'),
    signature: headerOf(headers, 'x-lark-signature'),
  };
}

function headerOf(headers: FeishuEventHeaders, name: string): string | undefined {
  if (isFetchHeaders(headers)) return headers.get(name) ?? undefined;
  const found = Object.keys(headers).filter((key) => key.toLowerCase() === name);
  const value = found.length === 1 ? headers[found[0] ?? ''] : undefined;
  return typeof value === 'string' ? value : undefined;
}

function isFetchHeaders(headers: FeishuEventHeaders): headers is Headers {
  return typeof headers.get === 'function';
}
