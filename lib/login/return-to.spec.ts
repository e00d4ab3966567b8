import * as fc from 'fast-check';
import { propertyRuns } from '../../test/fixtures/property-runs.js';
import { localPath } from './return-to.js';

describe('localPath', () => {
  it.each([
    ['/', '/'],
    ['/home', '/home'],
    ['/a/b?c=d&e=//f#g', '/a/b?c=d&e=//f#g'],
    ['/文档/ü?q=ü', '/%E6%96%87%E6%A1%A3/%C3%BC?q=%C3%BC'],
    ['/a%2Fb', '/a%2Fb'],
    ['/a/../b', '/b'],
    ['/a b', '/a%20b'],
    ['/@evil.test', '/@evil.test'],
    ['/https://evil.test', '/https://evil.test'],
    ['/?returnTo=//evil.test', '/?returnTo=//evil.test'],
  ])('takes %s', (value, path) => {
    expect(localPath(value)).toBe(path);
  });

  it.each([
    '',
    'home',
    'evil.test',
    'https://evil.test',
    'https:/evil.test',
    'https:evil.test',
    'HTTPS://evil.test/',
    'javascript:alert(1)',
    'data:text/html,x',
    '//evil.test',
    '///evil.test',
    '//\tevil.test',
    '/\\evil.test',
    '\\/evil.test',
    '\\\\evil.test',
    '/\t/evil.test',
    '/\n/evil.test',
    '\t//evil.test',
    ' //evil.test',
    ' /home',
    '/a\r\nSet-Cookie: x=y',
    '/\u0000/evil.test',
    '/\u007f',
    '/\u0085/evil.test',
    '/\u2028/evil.test',
    '/\ud800',
    '/.//evil.test',
    '/..//evil.test',
    '/a/..//evil.test',
    '/a/../..//evil.test',
    '/%2e//evil.test',
    '/a/%2e%2e//evil.test',
    '/%2f/evil.test',
    '/%2F%2Fevil.test',
    '/%2fevil.test',
    '/%2f..',
    '/%5cevil.test',
    '/%5C%5Cevil.test',
    '/%252fevil.test',
    '/%25252fevil.test',
    '/%2525252525252525252fevil.test',
    '/a%2f..%2f%2fevil.test',
    '/%09/evil.test',
    '/a%0d%0aLocation:%20//evil.test',
    '/%c0%af/evil.test',
    '/100%',
  ])('refuses %j', (value) => {
    expect(localPath(value)).toBeUndefined();
  });

  it('refuses a path that no cookie can hold', () => {
    expect(localPath(`/${'a'.repeat(2_000)}`)).toBeUndefined();
  });

  it('never lets a browser leave the origin, and is plain ASCII', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      '%2f',
      '%5c',
      '%2e',
      '%25',
      '\t',
      '\n',
      '@',
      ':',
      '?',
      '#',
      'a',
      '／',
      'į',
      'ü',
    );
    const value = fc.oneof(
      fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
      fc.string(),
    );
    fc.assert(
      fc.property(value, (text) => {
        const path = localPath(text);
        if (path === undefined) return;
        const base = 'https://app.test/auth/feishu/callback';
        expect(new URL(path, base).origin).toBe('https://app.test');
        expect(path).toMatch(/^\/(?![/\\])[\x21-\x7e]*$/);
        expect(localPath(path)).toBe(path);
      }),
      propertyRuns(2_000),
    );
  });
});
