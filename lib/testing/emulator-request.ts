import { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

/** The parameters of an OAuth request. @internal */
export type RequestParameters = Partial<Record<string, string>>;

/**
 * One request as the endpoints see it; the body is read only by those that want it.
 *
 * @internal
 */
export class EmulatorRequest {
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  private read: Promise<string> | undefined;

  constructor(private readonly message: IncomingMessage) {
    const url = message.url ?? '/';
    const queryAt = url.indexOf('?');
    this.method = message.method ?? 'GET';
    this.path = queryAt === -1 ? url : url.slice(0, queryAt);
    this.query = new URLSearchParams(queryAt === -1 ? '' : url.slice(queryAt));
    this.headers = message.headers;
  }

  text(): Promise<string> {
    this.read ??= (async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of this.chunks()) chunks.push(chunk);
      return Buffer.concat(chunks).toString('utf8');
    })();
    return this.read;
  }

  /** The body, of any size, as it comes in. To be read once, and not together with {@link text}. */
  chunks(): AsyncIterable<Uint8Array> {
    return this.message as AsyncIterable<Uint8Array>;
  }

  /** The fields of a JSON object; `undefined` if the body is something else. */
  async fields(): Promise<Partial<Record<string, unknown>> | undefined> {
    try {
      const parsed: unknown = JSON.parse(await this.text());
      if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
      return parsed;
    } catch {
      return undefined;
    }
  }

  /** The parameters of a form, or of a JSON object, whose values may be numbers; `undefined` where the body is neither. */
  async parameters(): Promise<RequestParameters | undefined> {
    if (/^application\/x-www-form-urlencoded\b/.test(this.headers['content-type'] ?? '')) {
      return Object.fromEntries(new URLSearchParams(await this.text()));
    }
    const fields = await this.fields();
    if (!fields) return undefined;
    const parameters: RequestParameters = {};
    for (const [name, value] of Object.entries(fields)) {
      if (typeof value === 'string' || typeof value === 'number') parameters[name] = String(value);
    }
    return parameters;
  }

  /** A whole number, 0 or more, from the query. */
  count(name: string, otherwise: number): number {
    const value = Number(this.query.get(name) ?? otherwise);
    return Number.isSafeInteger(value) && value >= 0 ? value : otherwise;
  }
}

/**
 * Feishu does not mind a slash at the end.
 *
 * @internal
 */
export function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
