import { type ExecutionContext } from '@nestjs/common';
import { requestTokenOf, requestTokens } from './request-token.js';

const [A, B] = [Map, Set];
const one = (): void => undefined;
const two = (): void => undefined;

function context(type: new () => object, handler: () => void): ExecutionContext {
  return { getClass: () => type, getHandler: () => handler } as unknown as ExecutionContext;
}

describe('requestTokenOf', () => {
  it('returns no token outside a handler', () => {
    expect(requestTokenOf(context(A, one))).toBeUndefined();
  });

  it.each([
    ['its own handler', A, one, 't-1'],
    ['another handler', A, two, undefined],
    ['the same function of another class', B, one, undefined],
  ])('within a handler, gives the token to %s', (_what, type, handler, expected) => {
    const run = { context: context(A, one), value: 't-1' };
    expect(requestTokens.run(run, () => requestTokenOf(context(type, handler)))).toBe(expected);
  });
});
