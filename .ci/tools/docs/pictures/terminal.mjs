import { escape, picture } from './svg.mjs';

const CHARACTER = 8.1;
const LINE = 20;
const LEFT = 24;
const TOP = 66;

/**
 * The output of a command as a picture of a terminal.
 *
 * @param {{ command: string; output: string; title: string; description: string }} content
 */
export function terminal({ command, output, title, description }) {
  const lines = [`$ ${command}`, '', ...output.trimEnd().split('\n')];
  const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * CHARACTER + 2 * LEFT);
  const height = TOP + lines.length * LINE + 8;
  return picture({
    width,
    height,
    title,
    description,
    body: [
      `<path d="M0.5 38.5H${width - 0.5}" class="rule"/>`,
      ...['red', 'gold', 'green'].map(
        (colour, index) => `<circle cx="${22 + index * 20}" cy="20" r="5.5" fill="var(--${colour})"/>`,
      ),
      `<g class="mono" xml:space="preserve">`,
      ...lines.map((line, index) => lineOf(line, TOP + index * LINE)),
      '</g>',
    ].join('\n'),
  });
}

/** Headings are bold, figures are blue, and the sentence below them is soft. */
function lineOf(line, y) {
  if (line === '') return '';
  const open = (classes) =>
    `<text x="${LEFT}" y="${y}" textLength="${(line.length * CHARACTER).toFixed(1)}" class="mono ${classes}" xml:space="preserve">`;
  const row =
    /^( {3}[a-z][a-zA-Z ]*? {2,})([\d,]+)(.*)$/.exec(line) ??
    /^( {3}[A-Z]{3} calls +)([\d,]+)(.*)$/.exec(line);
  if (row) {
    const [, label, figure, remark] = row;
    return `${open('')}${escape(label)}<tspan style="fill:var(--blue);font-weight:600">${figure}</tspan><tspan style="fill:var(--soft)">${escape(remark)}</tspan></text>`;
  }
  const isHeading = /^(\$|\d\. |nestjs-feishu-auth)/.test(line);
  return `${open(isHeading ? 'bold' : 'soft')}${escape(line)}</text>`;
}
