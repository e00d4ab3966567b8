/** Longer ones would not fit into the cookie. */
const MAX_LENGTH = 2_000;
/** A percent sign may itself be encoded, and so on. Servers and proxies decode once or twice. */
const MAX_DECODINGS = 5;
/** Never sent: a URL needs an origin to be parsed. */
const ANY_ORIGIN = 'http://origin.invalid';
/** Browsers ignore tabs and line breaks in a URL, and take a backslash for a slash. */
const UNSAFE = /[\\\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * The path as it may stand in a `Location` header; `undefined` for a path that could lead a browser to another origin, also
 * after a server on the way has decoded it.
 */
export function localPath(value: string): string | undefined {
  if (!value.startsWith('/') || beginsWithTwoSlashes(value) || UNSAFE.test(value)) return undefined;
  const url = new URL(value, ANY_ORIGIN);
  const path = url.pathname + url.search + url.hash;
  return path.length <= MAX_LENGTH && staysLocal(url.pathname) ? path : undefined;
}

function staysLocal(pathname: string): boolean {
  let path = pathname;
  for (let round = 0; round <= MAX_DECODINGS; round += 1) {
    if (beginsWithTwoSlashes(path) || /\p{Cc}/u.test(path)) return false;
    // Dot segments may hide two slashes.
    if (beginsWithTwoSlashes(new URL(path, ANY_ORIGIN).pathname)) return false;
    const decoded = decode(path);
    if (decoded === undefined) return false;
    if (decoded === path) return true;
    path = decoded;
  }
  return false;
}

function beginsWithTwoSlashes(path: string): boolean {
  return /^[/\\]{2}/.test(path);
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
