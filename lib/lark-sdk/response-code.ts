import { Readable } from 'node:stream';
import { type ReadableStream } from 'node:stream/web';
import { types } from 'node:util';
import { hasEnvelopeHeaders, peekCode } from '../recovery/rejection-code.js';
import { type Clock } from '../time/clock.js';
import { type HttpAnswer } from './sdk.js';

/** Statuses with which a Response must not have a body. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);
const COPIED_HEADERS = ['content-type', 'content-length', 'content-disposition'];

/**
 * Reads Feishu's `code` from an answer of any status and response type. Reads at most 64 KB of a stream, and only if it
 * may be an error; `answer.data` becomes a new stream with the whole content.
 */
export async function codeOf(answer: HttpAnswer, clock: Clock): Promise<unknown> {
  const { data } = answer;
  if (BODILESS.has(answer.status)) return undefined;
  if (isStream(data)) return codeOfStream(answer, data, clock);
  const isRaw = typeof data === 'string' || ArrayBuffer.isView(data) || types.isAnyArrayBuffer(data);
  if (isRaw) return peekCode(new Response(data as string, responseInit(answer)), clock);
  return (data as { code?: unknown } | null | undefined)?.code;
}

/** Discards an unread answer. */
export function discardAnswer({ data }: HttpAnswer): void {
  if (!isStream(data)) return;
  // A stream that is destroyed before its end may emit an error.
  data.on('error', () => undefined);
  data.destroy();
}

async function codeOfStream(answer: HttpAnswer, stream: Readable, clock: Clock): Promise<unknown> {
  const init = responseInit(answer);
  if (!hasEnvelopeHeaders(init.headers)) return undefined;
  const response = new Response(Readable.toWeb(stream) as never, init);
  const code = await peekCode(response, clock);
  answer.data = Readable.fromWeb(response.body as ReadableStream);
  return code;
}

function responseInit({ status, headers }: HttpAnswer): { status: number; headers: Headers } {
  const copied = new Headers();
  for (const name of COPIED_HEADERS) {
    const value = headers[name];
    if (typeof value === 'string') copied.set(name, value);
  }
  // Response accepts only these. Later code only checks whether the status is 2xx.
  return { status: status >= 200 && status <= 599 ? status : 500, headers: copied };
}

function isStream(data: unknown): data is Readable {
  const stream = data as Partial<Readable> | null;
  return (
    typeof stream === 'object' && typeof stream?.pipe === 'function' && typeof stream.destroy === 'function'
  );
}
