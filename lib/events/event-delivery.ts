import { type DeliverySignature } from './event-signature.js';

/**
 * The headers of a delivery, as Node, Express and Fastify have them, or as a `Headers`.
 *
 * @publicApi
 */
export type FeishuEventHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/** One request to the event URL. @internal */
export interface EventDelivery {
  readonly headers: FeishuEventHeaders;
  /** The bytes as they came in: a body that was parsed and written again is another one. */
  readonly rawBody: Uint8Array;
}

/** What the headers say of the signature. A header that was sent twice is none. */
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
