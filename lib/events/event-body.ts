/** A JSON object of somebody else's: nothing is known of what is in it. */
export type JsonObject = Readonly<Partial<Record<string, unknown>>>;

// Fatal: bytes that are no UTF-8 must not turn into something else than what was signed.
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The JSON object in `bytes`; `undefined` where there is none. */
export function parseJsonObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(utf8.decode(bytes));
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
