/** @typedef {{ line: number; path: string; anchor: string }} Link `path` is empty for a link within the document */

const LINK = /\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g;
const HEADING = /^#{1,6}\s+(.+?)\s*#*$/;

/**
 * The links and pictures of a document that point to other files of the repository or to its own headings.
 *
 * @param {string} markdown
 * @returns {Link[]}
 */
export function linksOf(markdown) {
  return textLines(markdown).flatMap(({ text, line }) =>
    [...text.replaceAll(/`[^`]*`/g, '``').matchAll(LINK)]
      .map(([, target]) => target)
      .filter((target) => !/^[a-z][a-z+.-]*:/i.test(target))
      .map((target) => {
        const [path = '', anchor = ''] = target.split('#');
        return { line, path, anchor };
      }),
  );
}

/**
 * The anchors of a document's headings, as GitHub makes them.
 *
 * @param {string} markdown
 * @returns {Set<string>}
 */
export function anchorsOf(markdown) {
  const seen = new Map();
  return new Set(
    textLines(markdown).flatMap(({ text }) => {
      const heading = HEADING.exec(text)?.[1];
      if (heading === undefined) return [];
      const slug = slugOf(heading.replaceAll(/`|\[([^\]]*)\]\([^)]*\)/g, '$1'));
      const count = seen.get(slug) ?? 0;
      seen.set(slug, count + 1);
      return [count === 0 ? slug : `${slug}-${count}`];
    }),
  );
}

/**
 * The anchor of a heading, as GitHub makes it. The site uses the same, so that a link works in both places.
 *
 * @param {string} heading
 */
export function slugOf(heading) {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-');
}

/** The lines outside of code blocks. */
function textLines(markdown) {
  let isCode = false;
  return markdown.split(/\r?\n/).flatMap((text, index) => {
    if (/^\s*(```|~~~)/.test(text)) {
      isCode = !isCode;
      return [];
    }
    return isCode ? [] : [{ text, line: index + 1 }];
  });
}
