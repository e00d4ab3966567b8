import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { saysTokenRejected } from './token-rejection.js';

const TOKEN = 't-given';
const CODE = 99991663;

/** An error as axios throws it. */
function axiosError(data: unknown, authorization?: string, name = 'Authorization'): Error {
  return Object.assign(new Error('Request failed with status code 400'), {
    code: 'ERR_BAD_REQUEST',
    config: { headers: { Accept: 'application/json', ...(authorization && { [name]: authorization }) } },
    response: { status: 400, data },
  });
}

describe('saysTokenRejected', () => {
  it.each([
    ['an error with a code', Object.assign(new Error('rejected'), { code: CODE })],
    ['an envelope', { code: 99991664, msg: 'rejected' }],
    ['an error with a feishuCode', Object.assign(new Error('rejected'), { feishuCode: 99991665 })],
    ['an axios error', axiosError({ code: CODE })],
    ['an axios error that shows this bearer', axiosError({ code: CODE }, `Bearer ${TOKEN}`)],
    ['an axios error of another casing', axiosError({ code: CODE }, `bearer ${TOKEN}`, 'AUTHORIZATION')],
    ['a cause', new Error('outer', { cause: new Error('inner', { cause: axiosError({ code: CODE }) }) })],
  ])('knows %s', (_what, error) => {
    expect(saysTokenRejected(error, TOKEN)).toBe(true);
  });

  it.each([
    ['another code', { code: 99991672 }],
    ['a code in text', { code: String(CODE) }],
    ['an error without any', new Error(`code ${CODE}`)],
    ['an axios error of the network', axiosError(undefined)],
    ['an axios error with a text', axiosError(`{"code":${CODE}}`)],
    ['another bearer', axiosError({ code: CODE }, 'Bearer t-other')],
    ['nothing', undefined],
    ['null', null],
    ['a number', CODE],
  ])('is not fooled by %s', (_what, error) => {
    expect(saysTokenRejected(error, TOKEN)).toBe(false);
  });

  it('is false if the cause was sent with another token', () => {
    const cause = axiosError({ code: CODE }, 'Bearer t-other');
    expect(saysTokenRejected(Object.assign(new Error('wrapped', { cause }), { code: CODE }), TOKEN)).toBe(
      false,
    );
  });

  it('is false for a grant that Feishu refused', () => {
    const refused = new FeishuAuthError('ERR_FEISHU_TENANT_REJECTED', 'refused', { feishuCode: 99991665 });
    expect(saysTokenRejected(refused, TOKEN)).toBe(false);
    expect(saysTokenRejected(new Error('wrapped', { cause: refused }), TOKEN)).toBe(false);
  });

  it('ends with circular causes', () => {
    const error = new Error('round');
    error.cause = error;
    expect(saysTokenRejected(error, TOKEN)).toBe(false);
  });
});
