import { FeishuAuthError } from '../errors/feishu-auth.error.js';

// What URL parsers disagree about, or silently drop: none of it belongs into a path or a host.
// oxlint-disable-next-line no-control-regex
const AMBIGUOUS = /^[^?#]*\\|[\u0000-\u001f\u007f]|^\s|\s$/;

/**
 * The absolute URL of an API call. A path (`/open-apis/...`) is taken on the open host; a URL must already be there.
 *
 * @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` for any other origin, for user info, and for what could be
 * read as another host by another parser
 *
 * @internal
 */
export function resolveTarget(input: string | URL, openOrigin: string): URL {
  const text: unknown = input instanceof URL ? input.href : input;
  if (typeof text !== 'string') throw refused('the target is a path or a URL', openOrigin);
  if (AMBIGUOUS.test(text)) throw refused('a backslash or a control character in the target', openOrigin);
  const isPath = text.startsWith('/') && !text.startsWith('//');
  if (!isPath && !URL.canParse(text)) throw refused('the target is no absolute path', openOrigin);

  const url = new URL(text, openOrigin);
  if (url.origin !== new URL(openOrigin).origin) throw refused('the target is on another origin', openOrigin);
  if (url.username !== '' || url.password !== '') throw refused('user info in the target', openOrigin);
  return url;
}

// The target itself stays out of the message: it may carry somebody's credentials.
function refused(what: string, openOrigin: string): FeishuAuthError {
  return new FeishuAuthError(
    'ERR_FEISHU_INVALID_ARGUMENT',
    `${what}: give a path such as /open-apis/im/v1/messages, or a URL on ${openOrigin}. ` +
      'A Feishu token goes nowhere else.',
  );
}
