import { types } from 'node:util';

/**
 * Whether the same body can be sent a second time. Streams and iterables are consumed by the first; what is not known
 * counts as consumed as well.
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
