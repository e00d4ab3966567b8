import { EnvelopeScanner } from './envelope-scanner.js';

function scan(...pieces: string[]): number | 'none' | undefined {
  const scanner = new EnvelopeScanner();
  for (const piece of pieces) {
    const verdict = scanner.push(piece);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

describe('EnvelopeScanner', () => {
  it.each([
    ['first', '{"code":99991663,"msg":"invalid"}', 99991663],
    ['last, with blanks', ' {\n "msg" : "invalid" ,\t"code" : 99991664 \n}', 99991664],
    ['after an empty data', '{"data":{ },"code":99991665}', 99991665],
    ['after a null data', '{"data":null,"code":99991665}', 99991665],
    ['after a nested code', '{"error":{"code":0,"more":[{"code":1}]},"code":99991663}', 99991663],
    ['after a text that looks like it', '{"msg":"\\"code\\":1,}{","code":99991663}', 99991663],
    ['after a text that is "code"', '{"msg":"code","code":99991663}', 99991663],
    ['after a longer key', '{"code_of_honour":1,"code":99991663}', 99991663],
  ])('finds a code %s', (_where, text, code) => {
    expect(scan(text)).toBe(code);
    expect(scan(...text)).toBe(code);
  });

  it('finds a code that is split into two pieces', () => {
    expect(scan('{"co', 'de":9999', '1663', '}')).toBe(99991663);
  });

  it.each([
    ['success', '{"code":0'],
    ['data', '{"data":{"items":['],
    ['a list in data', '{"msg":"ok","data":[1'],
    ['a list', '[{"code":99991663}]'],
    ['a text', '"code"'],
    ['no code', '{"msg":"ok"}'],
    ['an empty object', '{}'],
    ['a code that is a text', '{"code":"99991663"}'],
    ['a code that is null', '{"code":null'],
    ['a fraction', '{"code":1.5'],
    ['a negative code', '{"code":-1'],
    ['an endless code', '{"code":9999999999999'],
    ['no JSON', 'code: 99991663'],
  ])('says at once that there is nothing to wait for: %s', (_what, text) => {
    expect(scan(text)).toBe('none');
  });

  it.each(['', ' ', '{', '{"code"', '{"code":', '{"code":9999', '{"msg":"', '{"error":{"code":99991663}'])(
    'waits for more after %j',
    (text) => {
      expect(scan(text)).toBeUndefined();
    },
  );
});
