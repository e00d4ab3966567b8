import { type Clock } from '../time/clock.js';
import { EnvelopeScanner } from './envelope-scanner.js';

/** Feishu's error answers are a few hundred bytes long. */
const MAX_PEEKED_BYTES = 64 * 1024;
/** How long the body of an HTTP 2xx may take until its code is known. Bodies with an error status are not streams. */
const MAX_BODY_WAIT_MS = 1_000;
const JSON_TYPE = /^(?:application|text)\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/**
 * Reads Feishu's `code` from a copy of the answer's body, for any HTTP status: the answer itself stays unread. Downloads,
 * other content types and large answers are not read.
 *
 * @returns the code; `undefined` if there is none, if it is 0, or if it does not arrive in time
 *
 * @internal
 */
export async function peekCode(response: Response, clock: Clock): Promise<number | undefined> {
  if (!mayBeEnvelope(response)) return undefined;
  const reader = response.clone().body?.getReader();
  if (!reader) return undefined;
  // Not awaited: the cancellation ends only when the other copy of the body is done as well.
  const stop = (): void => void reader.cancel().catch(() => undefined);
  const timer = response.ok ? clock.setTimeout(stop, MAX_BODY_WAIT_MS, { ref: true }) : undefined;
  try {
    return await scan(reader);
  } catch {
    // The caller sees the same error when it reads the body.
    return undefined;
  } finally {
    timer?.cancel();
    stop();
  }
}

function mayBeEnvelope({ headers, body, bodyUsed }: Response): boolean {
  return body !== null && !bodyUsed && hasEnvelopeHeaders(headers);
}

/**
 * Returns whether an answer with these headers may be an error of Feishu: short JSON that is not a download.
 *
 * @internal
 */
export function hasEnvelopeHeaders(headers: Headers): boolean {
  return (
    JSON_TYPE.test(headers.get('content-type') ?? '') &&
    !/^\s*attachment\b/i.test(headers.get('content-disposition') ?? '') &&
    Number(headers.get('content-length') ?? 0) <= MAX_PEEKED_BYTES
  );
}

async function scan(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<number | undefined> {
  const scanner = new EnvelopeScanner();
  const decoder = new TextDecoder();
  let bytes = 0;
  while (bytes < MAX_PEEKED_BYTES) {
    const { done, value } = await reader.read();
    if (done) return undefined;
    const verdict = scanner.push(
      decoder.decode(value.subarray(0, MAX_PEEKED_BYTES - bytes), { stream: true }),
    );
    if (verdict !== undefined) return verdict === 'none' ? undefined : verdict;
    bytes += value.byteLength;
  }
  return undefined;
}
