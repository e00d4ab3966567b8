import { runInNewContext } from 'node:vm';
import { isErrorLike, sanitizeCause } from './sanitize-cause.js';

describe('sanitizeCause', () => {
  it('keeps name, message and code', () => {
    const cause = Object.assign(new RangeError('out of range'), { code: 'ERR_X', request: { secret: 1 } });
    const clean = sanitizeCause(cause);
    expect(clean).toMatchObject({ name: 'RangeError', message: 'out of range', code: 'ERR_X' });
    expect('request' in clean).toBe(false);
  });

  it('drops the stack, whose frames may quote arguments', () => {
    expect(sanitizeCause(new Error('a\nb')).stack).toBe('Error: a\nb');
  });

  it.each([[42], ['E1']])('keeps the code %p', (code) => {
    expect(sanitizeCause(Object.assign(new Error('e'), { code }))).toMatchObject({ code });
  });

  it('drops a code that is an object', () => {
    expect('code' in sanitizeCause(Object.assign(new Error('e'), { code: { request: 1 } }))).toBe(false);
  });

  it('follows the causes', () => {
    const root = Object.assign(new Error('connect'), { code: 'ECONNREFUSED', request: {} });
    const clean = sanitizeCause(new TypeError('fetch failed', { cause: root }));
    expect(clean.cause).toMatchObject({ message: 'connect', code: 'ECONNREFUSED' });
    expect('request' in (clean.cause as object)).toBe(false);
  });

  it('ends with circular causes', () => {
    const error = new Error('in a circle');
    error.cause = error;
    expect(sanitizeCause(error).message).toBe('in a circle');
  });

  it.each([
    ['a secret', 'string'],
    [{ app_secret: 'a secret' }, 'object'],
    [undefined, 'undefined'],
  ])('replaces a value that is not an error with its type: %p', (cause, type) => {
    const clean = sanitizeCause(cause);
    expect(clean.message).toBe(`a value of type ${type} was thrown`);
  });

  it('recognises an error of another realm', () => {
    const foreign: unknown = runInNewContext("Object.assign(new TypeError('elsewhere'), { code: 'E' })");
    expect(foreign instanceof Error).toBe(false);
    expect(isErrorLike(foreign)).toBe(true);
    expect(sanitizeCause(foreign)).toMatchObject({ name: 'TypeError', message: 'elsewhere', code: 'E' });
  });
});

describe('isErrorLike', () => {
  it.each([[{ message: 'm', name: 'Error' }], ['Error'], [null], [undefined]])('is not %p', (value) => {
    expect(isErrorLike(value)).toBe(false);
  });
});
