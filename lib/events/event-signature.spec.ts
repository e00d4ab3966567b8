import { isSameText, isSignedBy, signatureOf } from './event-signature.js';

const BODY = Buffer.from(
  '{"schema":"2.0","header":{"event_id":"f7984f25108f8137722bb63cee927e66","event_type":"contact.user.created_v3","app_id":"cli_xxxxxxxx","tenant_key":"xxxxxxx","create_time":"1603977298000000","token":"v"},"event":{"object":{"open_id":"ou_7dab8a3d3cdcc9da365777c7ad535d62","union_id":"on_576833b917gda3d939b9a3c2d53e72c8","user_id":"e33ggbyz","name":"张三","employee_no":"employee_no"}},"challenge":"1212","type":"url_verification"}',
);
const SIGNATURE = '4dca085198cb3216defc5b65b0668c1328b038a22dbadf2bc6c4fdc3d32bbc45';
const SIGNED = { timestamp: 'timestamp', nonce: 'nonce', signature: SIGNATURE };

describe('the signature of a delivery', () => {
  it("is that of the Go SDK's event (V4)", () => {
    expect(BODY).toHaveLength(432);
    const signature = signatureOf('timestamp', 'nonce', '1212121212', BODY);
    expect(Buffer.from(signature).toString('hex')).toBe(SIGNATURE);
    expect(isSignedBy(SIGNED, '1212121212', BODY)).toBe(true);
  });

  it('may be written in capitals', () => {
    const signed = { ...SIGNED, signature: SIGNATURE.toUpperCase() };
    expect(isSignedBy(signed, '1212121212', BODY)).toBe(true);
  });

  it.each([
    ['no timestamp', { timestamp: undefined }],
    ['an empty timestamp', { timestamp: '' }],
    ['no nonce', { nonce: undefined }],
    ['an empty nonce', { nonce: '' }],
    ['no signature', { signature: undefined }],
    ['another timestamp', { timestamp: 'timestamq' }],
    ['another nonce', { nonce: 'Nonce' }],
    ['a signature that is cut off', { signature: SIGNATURE.slice(0, -2) }],
    ['a signature that is too long', { signature: `${SIGNATURE}00` }],
    ['a signature with what is no hex', { signature: `${SIGNATURE.slice(0, -1)}g` }],
    ['another signature', { signature: `${SIGNATURE.slice(0, -1)}6` }],
  ])('is wrong with %s', (_name, change) => {
    expect(isSignedBy({ ...SIGNED, ...change }, '1212121212', BODY)).toBe(false);
  });

  it('is wrong for another key, and for JSON that means the same', () => {
    expect(isSignedBy(SIGNED, '1212121213', BODY)).toBe(false);
    const rewritten = Buffer.from(JSON.stringify(JSON.parse(BODY.toString()), null, 1));
    expect(isSignedBy(SIGNED, '1212121212', rewritten)).toBe(false);
  });
});

describe('isSameText', () => {
  it.each([
    ['a', 'a', true],
    ['a', 'b', false],
    ['a', 'aa', false],
    ['', '', true],
  ])('compares %j and %j', (a, b, expected) => {
    expect(isSameText(a, b)).toBe(expected);
  });
});
