const FENCE = /^(?<indent> *)```(?<info>.*)$/;

/**
 * The blocks of a markdown text that are fenced as ```ts.
 *
 * @param {string} markdown
 * @returns {{ text: string; line: number; indent: number; checked: boolean }[]} `line` is that of the first line of the text, from 1
 */
export function snippetsOf(markdown) {
  const snippets = [];
  let open;
  for (const [index, content] of markdown.split(/\r?\n/).entries()) {
    const fence = FENCE.exec(content)?.groups;
    if (open !== undefined && fence?.info.trim() === '') {
      if (open.language === 'ts') snippets.push({ ...open.place, text: `${open.lines.join('\n')}\n` });
      open = undefined;
    } else if (open !== undefined) {
      open.lines.push(content.slice(open.place.indent));
    } else if (fence !== undefined) {
      const [language, ...marks] = fence.info.trim().split(/\s+/);
      const place = { line: index + 2, indent: fence.indent.length, checked: !marks.includes('no-check') };
      open = { language, place, lines: [] };
    }
  }
  return snippets;
}
