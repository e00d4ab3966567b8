import { Readable } from 'node:stream';
import { replayOf } from './replay-body.js';

const headers = { 'X-Trace': '1' };

describe('replayOf', () => {
  it('repeats the text that was sent and its content type', () => {
    const request = { headers, data: { a: 1 } };
    const sent = { headers: { ...headers, 'Content-Type': 'application/json' }, data: '{"a":1}' };
    expect(replayOf(request, sent)).toEqual({
      data: '{"a":1}',
      headers: sent.headers,
      // The text must not be transformed a second time.
      transformRequest: expect.any(Function),
    });
  });

  it.each([
    ['nothing', undefined],
    ['bytes', Buffer.from('a')],
    ['parameters', new URLSearchParams('a=1')],
    ['a form with a buffer', { type: 'stream', file: Buffer.from('a'), list: [1, { when: new Date() }] }],
    ['a form with a blob', { file: new Blob(['a']) }],
  ])('repeats %s', (_what, data) => {
    expect(replayOf({ headers, data }, { data: {} })).toEqual({});
  });

  it.each([
    ['a stream', Readable.from(['a'])],
    ['a form with a stream', { type: 'stream', file: Readable.from(['a']) }],
    ['a form with a stream deep in it', { list: [{ file: Readable.from(['a']) }] }],
    ['what nobody knows', new Error('an instance of some class')],
    ['a function', { file: () => 'a' }],
  ])('does not repeat %s', (_what, data) => {
    expect(replayOf({ headers, data }, { data: {} })).toBeUndefined();
  });
});
