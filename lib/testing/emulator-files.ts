/** Larger uploads are taken in and forgotten. */
const MAX_FILE_BYTES = 1024 * 1024;
const MAX_FILES = 16;

/** An uploaded file. @internal */
export interface EmulatedFile {
  name: string;
  content: Uint8Array;
}

/**
 * The last few small files that were uploaded, so that what is downloaded is what was uploaded.
 *
 * @internal
 */
export class EmulatorFiles {
  private readonly files = new Map<string, EmulatedFile>();

  /** Takes in a form with a `file`, of any size. @returns how many bytes there were in all */
  async take(key: string, type: string | undefined, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    const kept: Uint8Array[] = [];
    let received = 0;
    for await (const chunk of chunks) {
      received += chunk.length;
      if (received <= MAX_FILE_BYTES) kept.push(chunk);
    }
    if (received > 0 && received <= MAX_FILE_BYTES) this.keep(key, type ?? '', Buffer.concat(kept));
    return received;
  }

  find(key: string): EmulatedFile | undefined {
    return this.files.get(key);
  }

  private keep(key: string, type: string, body: Buffer): void {
    const parts = partsOf(body, /boundary="?([^";]+)"?/.exec(type)?.[1]);
    const file = parts.get('file');
    if (!file) return;
    this.files.set(key, { name: parts.get('file_name')?.toString('utf8') ?? key, content: file });
    const [oldest] = this.files.keys();
    if (this.files.size > MAX_FILES && oldest !== undefined) this.files.delete(oldest);
  }
}

/**
 * The parts of a `multipart/form-data` body by name. By hand, because the official SDK sends a file without a file name,
 * which the platform's own parser takes for text.
 */
function partsOf(body: Buffer, boundary: string | undefined): Map<string, Buffer> {
  const parts = new Map<string, Buffer>();
  if (boundary === undefined) return parts;
  const delimiter = `--${boundary}`;
  let start = body.indexOf(delimiter);
  while (start !== -1) {
    const end = body.indexOf(`\r\n${delimiter}`, start);
    const headEnd = body.indexOf('\r\n\r\n', start);
    if (end === -1 || headEnd === -1 || headEnd > end) break;
    const name = /[ ;]name="([^"]*)"/i.exec(body.toString('utf8', start, headEnd))?.[1];
    if (name !== undefined) parts.set(name, body.subarray(headEnd + 4, end));
    start = end + 2;
  }
  return parts;
}
