/** Light and dark value of each colour. A picture cannot see the page around it, so it has an opaque background. */
const COLOURS = {
  paper: ['#ffffff', '#161b22'],
  ink: ['#1f2328', '#e6edf3'],
  soft: ['#59636e', '#9198a1'],
  line: ['#d1d9e0', '#3d444d'],
  blue: ['#0969da', '#4493f8'],
  pale: ['#ddf4ff', '#12325c'],
  amber: ['#fff1c2', '#5c4306'],
  gold: ['#9a6700', '#e3b341'],
  rose: ['#ffe2e0', '#5d1f1a'],
  red: ['#b42318', '#ff8f87'],
  green: ['#1a7f37', '#3fb950'],
};

const STYLE = `
svg{${variables(0)}}
@media (prefers-color-scheme:dark){svg{${variables(1)}}}
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;font-size:14px;fill:var(--ink)}
.halo{paint-order:stroke;stroke:var(--paper);stroke-width:6px;stroke-linejoin:round}.soft{fill:var(--soft)}.small{font-size:12.5px}.bold{font-weight:600}.middle{text-anchor:middle}.end{text-anchor:end}
.mono,.mono tspan{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.rule{stroke:var(--line);fill:none}.arrow{stroke:var(--soft);fill:none;stroke-width:1.4}.answer{stroke-dasharray:5 4}
.box{fill:var(--paper);stroke:var(--line);stroke-width:1.4}
`.trim();

/**
 * A complete picture.
 *
 * @param {{ width: number; height: number; title: string; description: string; body: string }} content
 */
export function picture({ width, height, title, description, body }) {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escape(title)}</title>
<desc>${escape(description)}</desc>
<style>${STYLE}</style>
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="var(--soft)"/></marker></defs>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10" fill="var(--paper)" stroke="var(--line)"/>
${body}
</svg>
`;
}

/** @param {number} x @param {number} y @param {string} content @param {string} [classes] */
export function text(x, y, content, classes = '') {
  return `<text x="${x}" y="${y}"${classes && ` class="${classes}"`}>${escape(content)}</text>`;
}

/** @param {number} x @param {number} y @param {number} width @param {number} height @param {string} fill the name of a colour */
export function block(x, y, width, height, fill) {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="var(--${fill})"/>`;
}

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 @param {string} [classes] */
export function arrow(x1, y1, x2, y2, classes = '') {
  return `<path d="M${x1} ${y1}L${x2} ${y2}" class="arrow ${classes}" marker-end="url(#head)"/>`;
}

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 @param {string} [classes] */
export function rule(x1, y1, x2, y2, classes = '') {
  return `<path d="M${x1} ${y1}L${x2} ${y2}" class="rule ${classes}"/>`;
}

/** A box with a heading and lines below it. */
export function box(x, y, width, height, heading, lines = []) {
  const middle = x + width / 2;
  const top = y + height / 2 - (lines.length * 18) / 2 + 5;
  return [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8" class="box"/>`,
    text(middle, top, heading, 'bold middle'),
    ...lines.map((line, index) => text(middle, top + 19 + index * 18, line, 'soft small middle')),
  ].join('\n');
}

/** A horizontal bracket that opens downwards, with its text above. */
export function bracket(from, to, y, content, classes = 'small soft') {
  const path = `<path d="M${from + 1} ${y + 6}V${y}H${to - 1}V${y + 6}" class="rule" style="stroke:var(--soft)"/>`;
  return `${path}\n${text((from + to) / 2, y - 7, content, `middle ${classes}`)}`;
}

export function escape(content) {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function variables(scheme) {
  return Object.entries(COLOURS)
    .map(([name, values]) => `--${name}:${values[scheme]}`)
    .join(';');
}
