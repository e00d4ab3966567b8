import { arrow, picture, text } from './svg.mjs';

const LEFT = 30;
const WIDTH = 700;
const ROW = 54;
const STEP = 80;

/**
 * Each row may import the rows below it. The rules that CI checks are in `.dependency-cruiser.mjs`.
 *
 * @type {readonly (readonly [string, readonly string[]])[]}
 */
const ROWS = [
  ['module and wiring', ['feishu-auth.module', 'feishu-auth.services', 'feishu-auth.engine']],
  ['subpaths, status', ['lark-sdk', 'redis', 'exporters', 'testing', 'status']],
  ['ways in and out', ['request', 'http', 'login', 'telemetry']],
  ['operation', ['events', 'health', 'prewarm', 'recovery']],
  ['facade', ['token.service']],
  ['identities', ['users', 'tenants', 'metrics']],
  ['the heart', ['tokens']],
  ['what it needs', ['ticket', 'store', 'lock', 'platform']],
  ['base', ['errors', 'time', 'identity', 'discovery']],
];

/** The folders of `lib/` as layers. */
export function layers() {
  const height = ROWS.length * STEP + 12;
  return picture({
    width: LEFT * 2 + WIDTH,
    height,
    title: 'The layers of lib/',
    description: ROWS.map(([name, folders]) => `${name}: ${folders.join(', ')}`).join('. '),
    body: ROWS.flatMap(([name, folders], row) => {
      const y = 24 + row * STEP;
      const isLast = row === ROWS.length - 1;
      return [
        `<rect x="${LEFT}" y="${y}" width="${WIDTH}" height="${ROW}" rx="8" fill="var(--pale)"/>`,
        text(LEFT + 16, y + 32, name, 'soft small'),
        ...folders.map((folder, index) => chip(folder, index, folders.length, y)),
        ...(isLast ? [] : [arrow(LEFT + WIDTH / 2, y + ROW + 4, LEFT + WIDTH / 2, y + STEP - 4)]),
      ];
    }).join('\n'),
  });
}

function chip(name, index, count, y) {
  const from = LEFT + 134;
  const space = (WIDTH - 140) / count;
  const width = Math.min(space - 6, name.length * 7 + 22);
  const middle = from + space * (index + 0.5);
  return [
    `<rect x="${middle - width / 2}" y="${y + 10}" width="${width}" height="34" rx="6" class="box"/>`,
    text(middle, y + 32, name, 'middle small'),
  ].join('\n');
}
