import { types } from 'node:util';

/**
 * Returns whether the body can be sent a second time. The first request consumes streams and iterables; unknown types
 * count as consumed.
 *
 * @internal
 */
export function isReplayableBody(body: unknown): boolean {
  return (
    body === undefined ||
    body === null ||
    typeof body === 'string' ||
    ArrayBuffer.isView(body) ||
    types.isAnyArrayBuffer(body) ||
    body instanceof URLSearchParams ||
    body instanceof FormData ||
    body instanceof Blob
  );
}
