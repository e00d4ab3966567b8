/**
 * What the emulator sends back.
 *
 * @internal
 */
export interface EmulatorReply {
  status: number;
  /** For the request log: the `code` that the body carries, 0 when all went well, {@link NO_CODE} when there is none. */
  code: number;
  headers?: Record<string, string>;
  /** An iterable is streamed, piece by piece, no faster than the client reads. */
  body: string | AsyncIterable<string | Uint8Array>;
  /** Runs once the answer is on its way. */
  afterwards?: () => void;
}

/**
 * Stands in the request log for an answer that carries no Feishu `code`: plain text, bad JSON, or no answer at all.
 *
 * @internal
 */
export const NO_CODE = -1;

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
const TEXT_TYPE = { 'content-type': 'text/plain; charset=utf-8' };

/** @internal */
export function json(body: object, status = 200): EmulatorReply {
  const code = 'code' in body && typeof body.code === 'number' ? body.code : NO_CODE;
  return { status, code, headers: { ...JSON_TYPE }, body: JSON.stringify(body) };
}

/** @internal */
export function text(body: string, status = 200): EmulatorReply {
  return { status, code: codeIn(body), headers: { ...TEXT_TYPE }, body };
}

/** What Feishu's gateway says to a wrong path or method: no JSON. @internal */
export function notFound(): EmulatorReply {
  return text('404 page not found', 404);
}

/** @internal */
export function failure(code: number, msg: string, status = 200): EmulatorReply {
  return json({ code, msg }, status);
}

/** The usual answer of a business API. @internal */
export function success(data: object): EmulatorReply {
  return json({ code: 0, msg: 'success', data });
}

function codeIn(body: string): number {
  try {
    const parsed: unknown = JSON.parse(body);
    if (
      typeof parsed === 'object' &&
      parsed !== null &&
      'code' in parsed &&
      typeof parsed.code === 'number'
    ) {
      return parsed.code;
    }
  } catch {
    // Not JSON, so no code: often just what a fault wants to send.
  }
  return NO_CODE;
}
