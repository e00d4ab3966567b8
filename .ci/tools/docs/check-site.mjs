import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';

/**
 * The links of a built site that lead nowhere: to a page, a file or an anchor that does not exist. Looks at what a browser gets, so it
 * also sees the API reference and what VitePress made of each link.
 *
 * @param {string} site
 * @returns {{ pages: number; problems: string[] }}
 */
export function siteProblems(site) {
  const pages = new Map(
    readdirSync(site, { recursive: true })
      .map((name) => name.replaceAll('\\', '/'))
      .filter((name) => name.endsWith('.html'))
      .map((name) => [name, contentOf(readFileSync(join(site, name), 'utf8'))]),
  );
  const problems = [...pages].flatMap(([name, { links }]) =>
    links.flatMap((link) => {
      const problem = problemOf(site, pages, name, link);
      return problem === undefined ? [] : [`${name}: ${link} ${problem}`];
    }),
  );
  return { pages: pages.size, problems: [...new Set(problems)] };
}

function problemOf(site, pages, from, link) {
  const [path, anchor = ''] = decodeURIComponent(link).split('#');
  const absolute = path === '' ? `/${from}` : posix.resolve(`/${posix.dirname(from)}`, path);
  const target = targetOf(site, pages, absolute.slice(1), path.endsWith('/'));
  if (target === undefined) return 'does not exist';
  const ids = pages.get(target)?.ids;
  return anchor !== '' && ids && !ids.has(anchor) ? 'has no such anchor' : undefined;
}

/** `events` is events.html, `api/` is api/index.html, everything else a file. */
function targetOf(site, pages, path, isFolder) {
  const candidates = isFolder || path === '' ? [posix.join(path, 'index.html')] : [path, `${path}.html`];
  return candidates.find(
    (name) => pages.has(name) || (existsSync(join(site, name)) && statSync(join(site, name)).isFile()),
  );
}

function contentOf(html) {
  const attributes = (name) =>
    [...html.matchAll(new RegExp(`\\s${name}="([^"]*)"`, 'g'))].map(([, value]) =>
      value.replaceAll('&amp;', '&'),
    );
  return {
    ids: new Set(attributes('id')),
    links: [...attributes('href'), ...attributes('src')].filter(
      (link) => link !== '' && !/^([a-z][a-z+.-]*:|\/\/)/i.test(link),
    ),
  };
}
