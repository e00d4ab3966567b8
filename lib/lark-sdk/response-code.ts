import { Readable } from 'node:stream';
import { type ReadableStream } from 'node:stream/web';
import { types } from 'node:util';
import { hasEnvelopeHeaders, peekCode } from '../recovery/rejection-code.js';
import { type Clock } from '../time/clock.js';
import { type HttpAnswer } from './sdk.js';

/** What a Response takes no body for. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);
const TELLING_HEADERS = ['content-type', 'content-length', 'content-disposition'];

/**
 * Feishu's `code` of an answer of any status and response type. Of a stream as much is read as it takes to tell, at
 * most 64 KB and only of what may be an error; `answer.data` is then another stream, with everything in it.
 */
export async function codeOf(answer: HttpAnswer, clock: Clock): Promise<unknown> {
  const { data } = answer;
  if (BODILESS.has(answer.status)) return undefined;
  if (isStream(data)) return codeOfStream(answer, data, clock);
  const isRaw = typeof data === 'string' || ArrayBuffer.isView(data) || types.isAnyArrayBuffer(data);
  if (isRaw) return peekCode(new Response(data as string, responseInit(answer)), clock);
  return (data as { code?: unknown } | null | undefined)?.code;
}

/** Lets go of an answer that nobody is going to read. */
export function discardAnswer({ data }: HttpAnswer): void {
  if (!isStream(data)) return;
  // Destroyed before its end, it may have something to say about that.
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
  const telling = new Headers();
  for (const name of TELLING_HEADERS) {
    const value = headers[name];
    if (typeof value === 'string') telling.set(name, value);
  }
  // A Response takes no other; which one it is matters only by being 2xx or not.
  return { status: status >= 200 && status <= 599 ? status : 500, headers: telling };
}

function isStream(data: unknown): data is Readable {
  const stream = data as Partial<Readable> | null;
  return (
    typeof stream === 'object' && typeof stream?.pipe === 'function' && typeof stream.destroy === 'function'
  );
}
