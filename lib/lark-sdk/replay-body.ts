import { types } from 'node:util';
import { isReplayableBody } from '../recovery/replayable-body.js';
import { type HttpRequest } from './sdk.js';

/** How deep the search for a stream in a form goes. */
const MAX_DEPTH = 8;

/**
 * Returns what to change in the request so that the replay sends the same body.
 *
 * @param request the request of the caller
 * @param sent the request that axios sent: JSON has become text, a form has become a consumed stream
 * @returns the changed properties; `undefined` if the body cannot be sent again
 */
export function replayOf(request: HttpRequest, sent: HttpRequest): Partial<HttpRequest> | undefined {
  // The text that axios sent: the caller may have changed the object since.
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

/** Returns whether the value is plain data: a stream in a form is consumed. */
function isReplayableValue(value: unknown, depth: number): boolean {
  if (typeof value === 'function' || depth > MAX_DEPTH) return false;
  if (typeof value !== 'object' || value === null) return true;
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value) || types.isDate(value)) return true;
  if (value instanceof Blob) return true;
  if (!Array.isArray(value) && !isPlain(value)) return false;
  return Object.values(value).every((inner) => isReplayableValue(inner, depth + 1));
}

/** Checks the prototype of the prototype, because an object may come from another realm. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
