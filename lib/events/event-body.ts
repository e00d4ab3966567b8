/** A JSON object that another party wrote: its fields have to be checked. */
export type JsonObject = Readonly<Partial<Record<string, unknown>>>;

// Fatal: invalid UTF-8 must not decode to text that differs from what was signed.
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The JSON object in `bytes`; `undefined` for anything else. */
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
