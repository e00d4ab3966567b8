import { Readable } from 'node:stream';
import { isReplayableBody } from './replayable-body.js';

describe('isReplayableBody', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a string', 'text'],
    ['a Buffer', Buffer.from('text')],
    ['a typed array', new Uint16Array(2)],
    ['an ArrayBuffer', new ArrayBuffer(2)],
    ['a DataView', new DataView(new ArrayBuffer(2))],
    ['URLSearchParams', new URLSearchParams('a=b')],
    ['FormData', new FormData()],
    ['a Blob', new Blob(['text'])],
  ])('%s can be sent again', (_what, body) => {
    expect(isReplayableBody(body)).toBe(true);
  });

  it.each([
    ['a ReadableStream', new ReadableStream()],
    ['a Node stream', Readable.from(['text'])],
    ['an async iterable', (async function* () {})()],
    ['an iterable', [new Uint8Array(1)].values()],
    ['what is not known', { pipe: () => undefined }],
  ])('%s cannot', (_what, body) => {
    expect(isReplayableBody(body)).toBe(false);
  });
});
