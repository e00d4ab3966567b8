import { jest } from '@jest/globals';
import { TestClock } from '../testing/test-clock.js';
import { peekCode } from './rejection-code.js';

const REJECTED = '{"code":99991663,"msg":"Invalid access token"}';
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
const clock = new TestClock();

/** A body that counts its pulls and lets the test send the rest. */
function streamed(first: string, status = 200) {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(own) {
      controller = own;
      if (first !== '') own.enqueue(encoder.encode(first));
    },
  });
  return {
    response: new Response(body, { status, headers: JSON_TYPE }),
    push: (text: string) => controller.enqueue(encoder.encode(text)),
    end: () => controller.close(),
    fail: (error: Error) => controller.error(error),
  };
}

describe('peekCode', () => {
  it.each([200, 400, 401, 500])('reads the code of HTTP %i and leaves the body unread', async (status) => {
    const response = new Response(REJECTED, { status, headers: JSON_TYPE });
    expect(await peekCode(response, clock)).toBe(99991663);
    expect(response.bodyUsed).toBe(false);
    expect(await response.text()).toBe(REJECTED);
  });

  it.each(['application/json', 'application/JSON;charset=utf-8', 'text/json', 'application/problem+json'])(
    'reads %s',
    async (type) => {
      expect(await peekCode(new Response(REJECTED, { headers: { 'content-type': type } }), clock)).toBe(
        99991663,
      );
    },
  );

  it.each([
    ['another content type', { 'content-type': 'application/octet-stream' }],
    ['no content type', { 'content-type': '' }],
    ['a JSON sequence', { 'content-type': 'application/jsonl' }],
    ['a download', { ...JSON_TYPE, 'content-disposition': 'attachment; filename="a.json"' }],
    ['a large answer', { ...JSON_TYPE, 'content-length': '65537' }],
  ])('does not touch %s', async (_what, headers) => {
    const response = new Response(REJECTED, { headers });
    const clone = jest.spyOn(response, 'clone');
    expect(await peekCode(response, clock)).toBeUndefined();
    expect(clone).not.toHaveBeenCalled();
  });

  it('ignores an answer without a body', async () => {
    expect(await peekCode(new Response(null, { status: 400, headers: JSON_TYPE }), clock)).toBeUndefined();
  });

  it('stops at the first bytes of a success', async () => {
    const { response, push, end } = streamed('{"code":0');
    expect(await peekCode(response, clock)).toBeUndefined();
    push(',"msg":"ok"}');
    end();
    expect(await response.json()).toEqual({ code: 0, msg: 'ok' });
  });

  it('stops waiting for the body of a 2xx after one second', async () => {
    const { response, push, end } = streamed('{"msg":"');
    const peeked = peekCode(response, clock);
    let isDone = false;
    void peeked.then(() => (isDone = true));
    await clock.advance(999);
    expect(isDone).toBe(false);
    await clock.advance(1);
    expect(await peeked).toBeUndefined();
    push('ok","code":99991663}');
    end();
    expect(await response.json()).toEqual({ msg: 'ok', code: 99991663 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('waits longer for the body of an error status', async () => {
    const { response, push } = streamed('{"code":9999', 400);
    const peeked = peekCode(response, clock);
    await clock.advance(60_000);
    push('1663}');
    expect(await peeked).toBe(99991663);
    expect(clock.pendingTimers).toBe(0);
  });

  it('stops after 64 KB', async () => {
    let pulled = 0;
    const filler = new TextEncoder().encode(' '.repeat(1024));
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled++;
          controller.enqueue(filler);
        },
      },
      { highWaterMark: 0 },
    );
    const response = new Response(body, { status: 400, headers: JSON_TYPE });
    expect(await peekCode(response, clock)).toBeUndefined();
    expect(pulled).toBeGreaterThanOrEqual(64);
    expect(pulled).toBeLessThanOrEqual(70);
  });

  it('ignores a body that breaks off; its reader gets the error', async () => {
    const { response, fail } = streamed('{"msg":"', 400);
    const peeked = peekCode(response, clock);
    fail(new Error('reset'));
    expect(await peeked).toBeUndefined();
    await expect(response.text()).rejects.toThrow('reset');
  });

  it('lets the reader cancel the body', async () => {
    const cancelled = jest.fn<() => void>();
    const bytes = new TextEncoder().encode('{"code":0,');
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(bytes),
      cancel: cancelled,
    });
    const response = new Response(body, { headers: JSON_TYPE });
    await peekCode(response, clock);
    await response.body?.cancel();
    expect(cancelled).toHaveBeenCalledTimes(1);
  });
});
