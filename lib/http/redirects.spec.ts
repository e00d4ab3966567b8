import { fetchFollowing } from './redirects.js';

const ORIGIN = 'https://open.feishu.cn';

interface Seen {
  url: string;
  method: string;
  body: unknown;
  headers: Record<string, string>;
}

/** Records requests and returns the given answers in order. */
function answering(...answers: Response[]) {
  const seen: Seen[] = [];
  const fetch: typeof globalThis.fetch = async (url, init = {}) => {
    expect(init.redirect).toBe('manual');
    seen.push({
      url: url as string,
      method: init.method ?? 'GET',
      body: init.body,
      headers: Object.fromEntries(new Headers(init.headers)),
    });
    return answers.shift() ?? new Response('end');
  };
  return { fetch, seen };
}

const to = (location: string, status = 302) => new Response(null, { status, headers: { location } });
const headers = { authorization: 'Bearer t-1', cookie: 'a=b', 'x-own': '1', 'content-type': 'text/plain' };
const target = new URL('/start#part', ORIGIN);

describe('fetchFollowing', () => {
  it('follows a redirect on the same origin with credentials', async () => {
    const { fetch, seen } = answering(to('/next'), to(`${ORIGIN}/last`, 307));
    const { response, hadCredentials } = await fetchFollowing(fetch, target, { headers });
    expect(await response.text()).toBe('end');
    expect(hadCredentials).toBe(true);
    expect(seen.map(({ url }) => url)).toEqual([
      `${ORIGIN}/start#part`,
      `${ORIGIN}/next#part`,
      `${ORIGIN}/last#part`,
    ]);
    expect(seen[2]?.headers).toEqual(headers);
  });

  it.each(['https://evil.com/x', 'http://open.feishu.cn/x', 'https://open.feishu.cn:8443/x', '//evil.com/x'])(
    'sends no credentials to %s and none on the way back',
    async (elsewhere) => {
      const { fetch, seen } = answering(to(elsewhere), to(`${ORIGIN}/back`));
      const { hadCredentials } = await fetchFollowing(fetch, target, { headers });
      expect(hadCredentials).toBe(false);
      for (const hop of seen.slice(1))
        expect(hop.headers).toEqual({ 'x-own': '1', 'content-type': 'text/plain' });
      expect(seen).toHaveLength(3);
    },
  );

  it.each([
    [301, 'POST', 'GET'],
    [302, 'POST', 'GET'],
    [302, 'post', 'GET'],
    [303, 'PUT', 'GET'],
  ])('after %i a %s becomes a %s without its body', async (status, method, expected) => {
    const { fetch, seen } = answering(to('/next', status));
    await fetchFollowing(fetch, target, { method, headers, body: 'text' });
    expect(seen[1]).toMatchObject({ method: expected, body: undefined });
    expect(seen[1]?.headers).not.toHaveProperty('content-type');
    expect(seen[1]?.headers).toHaveProperty('authorization');
  });

  it.each([
    [301, 'PUT'],
    [307, 'POST'],
    [308, 'POST'],
  ])('after %i a %s stays what it is', async (status, method) => {
    const { fetch, seen } = answering(to('/next', status));
    await fetchFollowing(fetch, target, { method, headers, body: 'text' });
    expect(seen[1]).toMatchObject({ method, body: 'text', headers });
  });

  it('a HEAD stays a HEAD', async () => {
    const { fetch, seen } = answering(to('/next', 303));
    await fetchFollowing(fetch, target, { method: 'HEAD' });
    expect(seen[1]?.method).toBe('HEAD');
  });

  it('follows twenty redirects and rejects the next', async () => {
    const loop = (count: number): Response[] => Array.from({ length: count }, () => to('/again'));
    const twenty = answering(...loop(20));
    await fetchFollowing(twenty.fetch, target, {});
    expect(twenty.seen).toHaveLength(21);
    const more = answering(...loop(21));
    await expect(fetchFollowing(more.fetch, target, {})).rejects.toThrow(TypeError);
    expect(more.seen).toHaveLength(21);
  });

  it.each(['ftp://open.feishu.cn/x', 'javascript:0', 'https://u:p@open.feishu.cn/x', 'https://'])(
    'rejects as fetch does for a redirect to %s',
    async (location) => {
      await expect(fetchFollowing(answering(to(location)).fetch, target, {})).rejects.toThrow(TypeError);
    },
  );

  it('rejects a redirect that needs a consumed stream, and follows 303', async () => {
    const body = (): ReadableStream => new Response('text').body as ReadableStream;
    const kept = answering(to('/next', 307));
    await expect(fetchFollowing(kept.fetch, target, { method: 'POST', body: body() })).rejects.toThrow(
      TypeError,
    );
    const dropped = answering(to('/next', 303));
    await fetchFollowing(dropped.fetch, target, { method: 'POST', body: body() });
    expect(dropped.seen[1]).toMatchObject({ method: 'GET', body: undefined });
  });

  it('returns an answer without a location', async () => {
    const notModified = new Response(null, { status: 304, headers: { location: '/next' } });
    expect((await fetchFollowing(answering(notModified).fetch, target, {})).response).toBe(notModified);
    const nowhere = new Response(null, { status: 302 });
    expect((await fetchFollowing(answering(nowhere).fetch, target, {})).response).toBe(nowhere);
  });

  it.each(['manual', 'error'] as const)("passes redirect: '%s' on to fetch", async (redirect) => {
    const answer = to('/next');
    const modes: unknown[] = [];
    const fetch: typeof globalThis.fetch = async (_url, init) => {
      modes.push(init?.redirect);
      return answer;
    };
    const followed = await fetchFollowing(fetch, target, { redirect });
    expect(followed.response).toBe(answer);
    expect(modes).toEqual([redirect]);
  });

  it('does not change its arguments', async () => {
    const init = Object.freeze({ method: 'POST', headers: Object.freeze({ ...headers }), body: 'text' });
    await fetchFollowing(answering(to('https://evil.com/x', 303)).fetch, target, init);
    expect(init.headers).toEqual(headers);
  });
});
