import { isReplayableBody } from '../recovery/replayable-body.js';

/** The limit of the fetch standard. */
const MAX_REDIRECTS = 20;
const REDIRECT_STATUS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Headers that authenticate the caller and belong to one origin. */
const CREDENTIAL_HEADERS = ['authorization', 'proxy-authorization', 'cookie', 'host'];
/** Headers that describe a body. */
const BODY_HEADERS = [
  'content-encoding',
  'content-language',
  'content-location',
  'content-type',
  'content-length',
];

/**
 * The last answer of a redirect chain.
 *
 * @internal
 */
export interface FollowedResponse {
  readonly response: Response;
  /** Whether the last request still carried the caller's credentials. */
  readonly hadCredentials: boolean;
}

/**
 * `fetch` that follows redirects itself: a custom `fetch` (node-fetch, a proxy agent) may keep credentials on a redirect
 * to another origin. The semantics are those of the fetch standard; `redirect: 'error'` and `'manual'` are passed on.
 *
 * @throws TypeError as `fetch` does for a redirect that cannot be followed
 *
 * @internal
 */
export async function fetchFollowing(
  fetch: typeof globalThis.fetch,
  target: URL,
  init: RequestInit,
): Promise<FollowedResponse> {
  const mode = init.redirect ?? 'follow';
  if (mode !== 'follow') return { response: await fetch(target.href, init), hadCredentials: true };

  let url = target;
  let request: RequestInit = { ...init, redirect: 'manual' };
  let hadCredentials = true;
  for (let redirects = 0; ; redirects++) {
    const response = await fetch(url.href, request);
    const location = response.headers.get('location');
    if (!REDIRECT_STATUS.has(response.status) || location === null) return { response, hadCredentials };

    discardBody(response);
    if (redirects === MAX_REDIRECTS) throw unfollowable('redirect count exceeded');
    const next = nextUrl(location, url);
    request = nextRequest(request, response.status);
    if (next.origin !== url.origin) {
      request.headers = without(request.headers, CREDENTIAL_HEADERS);
      hadCredentials = false;
    }
    url = next;
  }
}

/**
 * Discards an unread answer, so that its connection becomes free.
 *
 * @internal
 */
export function discardBody(response: Response): void {
  response.body?.cancel().catch(() => undefined);
}

function nextUrl(location: string, from: URL): URL {
  if (!URL.canParse(location, from.href)) throw unfollowable('invalid redirect location');
  const next = new URL(location, from);
  if (next.protocol !== 'https:' && next.protocol !== 'http:') {
    throw unfollowable('URL scheme must be a HTTP(S) scheme');
  }
  if (next.username !== '' || next.password !== '') throw unfollowable('user info in a redirect location');
  if (next.hash === '') next.hash = from.hash;
  return next;
}

function nextRequest(request: RequestInit, status: number): RequestInit {
  const method = (request.method ?? 'GET').toUpperCase();
  if (status !== 303 && !isReplayableBody(request.body)) throw unfollowable('the body cannot be sent again');
  const becomesGet =
    status === 303 ? method !== 'GET' && method !== 'HEAD' : status < 303 && method === 'POST';
  if (!becomesGet) return { ...request };
  const { body: _body, ...bodiless } = request;
  return { ...bodiless, method: 'GET', headers: without(request.headers, BODY_HEADERS) };
}

function without(headers: RequestInit['headers'], names: readonly string[]): Headers {
  const rest = new Headers(headers);
  for (const name of names) rest.delete(name);
  return rest;
}

function unfollowable(reason: string): TypeError {
  return new TypeError('fetch failed', { cause: new Error(reason) });
}
