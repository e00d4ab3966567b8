import { FeishuAuthError } from '../errors/feishu-auth.error.js';

// Characters that URL parsers interpret differently or drop.
// oxlint-disable-next-line no-control-regex
const AMBIGUOUS = /^[^?#]*\\|[\u0000-\u001f\u007f]|^\s|\s$/;

/**
 * Returns the absolute URL of an API call. A path (`/open-apis/...`) is resolved on the open host; a URL must be on its
 * origin.
 *
 * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` for another origin, for user info, and for characters that
 * another parser may read as another host
 *
 * @internal
 */
export function resolveTarget(input: string | URL, openOrigin: string): URL {
  const text: unknown = input instanceof URL ? input.href : input;
  if (typeof text !== 'string') throw refused('must be a string or a URL', openOrigin);
  if (AMBIGUOUS.test(text))
    throw refused('contains a backslash, a control character or outer white space', openOrigin);
  const isPath = text.startsWith('/') && !text.startsWith('//');
  if (!isPath && !URL.canParse(text)) throw refused('is neither an absolute path nor a URL', openOrigin);

  const url = new URL(text, openOrigin);
  if (url.origin !== new URL(openOrigin).origin)
    throw refused('is on another origin, and the token must not be sent there', openOrigin);
  if (url.username !== '' || url.password !== '') throw refused('contains user info', openOrigin);
  return url;
}

// The message does not quote the target, which may contain credentials.
function refused(problem: string, openOrigin: string): FeishuAuthError {
  return new FeishuAuthError(
    'ERR_FEISHU_INVALID_ARGUMENT',
    `the URL of the API call ${problem}; use a path such as /open-apis/im/v1/messages, or a URL on ${openOrigin}`,
  );
}
