import { innermostReason, isRefusal, ReasonError } from './innermost-reason.js';

class ClientClosedError extends Error {}

describe('innermostReason()', () => {
  it.each<[string, unknown, string]>([
    [
      'an error of the operating system',
      new Error('connect ECONNREFUSED ::1:6379'),
      'connect ECONNREFUSED ::1:6379',
    ],
    ['a refusal', new Error('NOPERM no permissions to run set'), 'NOPERM no permissions to run set'],
    ['an error of this module', new ReasonError('no answer within 250 ms'), 'no answer within 250 ms'],
    ['another error by its class', new ClientClosedError('t-secret'), 'ClientClosedError'],
    ['another error with a code', Object.assign(new Error('t-secret'), { code: '42501' }), 'Error (42501)'],
    ['an error without a message', new TypeError(), 'TypeError'],
    ['a text', 't-secret', 'a value of type string was thrown'],
    ['nothing', undefined, 'a value of type undefined was thrown'],
    ['a cause', new Error('outer', { cause: new Error('read ECONNRESET') }), 'read ECONNRESET'],
    ['several addresses', new AggregateError([new Error('connect ETIMEDOUT')]), 'connect ETIMEDOUT'],
    ['no addresses', new AggregateError([], 'all failed'), 'AggregateError'],
    [
      'a refusal without the arguments of the command',
      new Error("ERR unknown command 'SET', with args beginning with: 'key' 't-secret' "),
      "ERR unknown command 'SET'",
    ],
  ])('shows %s', (_, error, reason) => {
    expect(innermostReason(error)).toBe(reason);
  });

  it('G ends with a cause that contains itself', () => {
    const error = new Error('EPIPE');
    error.cause = error;
    expect(innermostReason(error)).toBe('EPIPE');
  });

  it('cuts a long refusal', () => {
    expect(innermostReason(new Error(`ERR ${'x'.repeat(10_000)}`))).toHaveLength(203);
  });
});

describe('isRefusal()', () => {
  it.each([
    ['NOPERM this user has no permissions', true],
    ['READONLY You can not write against a read only replica.', true],
    ['connect ECONNREFUSED 127.0.0.1:6379', false],
    ['ClientClosedError', false],
  ])('%j: %p', (reason, expected) => {
    expect(isRefusal(reason)).toBe(expected);
  });
});
