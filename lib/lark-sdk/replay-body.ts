import { types } from 'node:util';
import { isReplayableBody } from '../recovery/replayable-body.js';
import { type HttpRequest } from './sdk.js';

/** How deep the fields of a form are looked through for a stream. */
const MAX_DEPTH = 8;

/**
 * What to send a second time, exactly what was sent the first.
 *
 * @param request as it was asked for
 * @param sent as axios has sent it: JSON is text by then, a form is a stream that has been read
 * @returns what of the request is different in the replay; `undefined` if the body cannot be had again
 */
export function replayOf(request: HttpRequest, sent: HttpRequest): Partial<HttpRequest> | undefined {
  // What axios has written out; what the caller does to the object meanwhile does not matter.
  if (typeof sent.data === 'string') {
    const headers = { ...request.headers, ...contentTypeOf(sent.headers) };
    return { data: sent.data, headers, transformRequest: asItIs };
  }
  if (isReplayableBody(request.data) || isReplayableValue(request.data, 0)) return {};
  return undefined;
}

function asItIs(data: unknown): unknown {
  return data;
}

function contentTypeOf(headers: HttpRequest['headers']): Record<string, unknown> {
  const found = Object.entries(headers ?? {}).filter(([name]) => name.toLowerCase() === 'content-type');
  return Object.fromEntries(found);
}

/** Plain data all through: of a form with a stream in it, the stream is used up. */
function isReplayableValue(value: unknown, depth: number): boolean {
  if (typeof value === 'function' || depth > MAX_DEPTH) return false;
  if (typeof value !== 'object' || value === null) return true;
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value) || types.isDate(value)) return true;
  if (value instanceof Blob) return true;
  if (!Array.isArray(value) && !isPlain(value)) return false;
  return Object.values(value).every((inner) => isReplayableValue(inner, depth + 1));
}

/** By the prototype's prototype, because an object may come from another realm. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
