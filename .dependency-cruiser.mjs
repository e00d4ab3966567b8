// The arrows of docs/architecture.md: a layer may import the layers below it, and no folder imports another folder of its own layer.
import { readdirSync } from 'node:fs';

/**
 * From the top to the bottom.
 *
 * @type {readonly (readonly [string, readonly string[]])[]}
 */
const LAYERS = [
  ['wiring', ['index.ts', 'feishu-auth.*']],
  [
    'subpaths',
    [
      'lark-sdk',
      'axios',
      'prometheus',
      'opentelemetry',
      'redis',
      'sql',
      'status',
      'testing',
      'cli',
      'doctor',
    ],
  ],
  ['ways in and out', ['http', 'request', 'login', 'telemetry']],
  ['recovery and operation', ['recovery', 'events', 'health', 'prewarm']],
  ['injection tokens', ['feishu-auth.injection.ts']],
  ['facade', ['token.service.ts']],
  ['identities', ['tenants', 'users', 'jsapi', 'metrics']],
  ['tokens', ['tokens']],
  ['ticket', ['ticket']],
  ['services of tokens', ['platform', 'store', 'lock']],
  ['discovery and identity of copies', ['discovery', 'identity']],
  ['base', ['errors', 'time']],
];

/**
 * Files that a lower layer imports although they stand with the wiring: types and checks without imports of their own logic. To be
 * emptied.
 */
const EXCEPTIONS = [
  'feishu-auth.options.ts',
  'feishu-auth.options.checks.ts',
  'feishu-auth.instance-name.ts',
];

const known = LAYERS.flatMap(([, members]) => members);
for (const { name } of readdirSync(new URL('lib/', import.meta.url), { withFileTypes: true }).filter(
  (entry) => entry.isDirectory(),
))
  if (!known.includes(name))
    throw new Error(`lib/${name} has no layer: add it to LAYERS in .dependency-cruiser.mjs`);

const INJECTION = 'feishu-auth\\.injection\\.ts';

/** A regular expression for the members of a layer. */
function pathOf(members) {
  const alternatives = members.map((member) => {
    // The wiring is every file `feishu-auth.*`, except the one that has its own layer.
    if (member === 'feishu-auth.*') return `(?!${INJECTION})feishu-auth\\.[^/]+`;
    return member.endsWith('.ts') ? escaped(member) : `${member}/`;
  });
  return `^lib/(${alternatives.join('|')})`;
}

function escaped(member) {
  return member.replaceAll('.', '\\.');
}

const exceptions = `^lib/(${EXCEPTIONS.map(escaped).join('|')})$`;

/** No import of a layer above. */
const upwards = LAYERS.slice(1).map(([name, members], index) => ({
  name: `${name}: no import of a layer above`,
  comment: 'Move the code down, or let the lower layer own an interface that the upper one implements.',
  severity: 'error',
  from: { path: pathOf(members) },
  to: { path: pathOf(LAYERS.slice(0, index + 1).flatMap(([, above]) => above)), pathNot: exceptions },
}));

/** No import of another folder of the same layer. */
const sideways = LAYERS.slice(1)
  .filter(([, members]) => members.length > 1)
  .map(([name, members]) => ({
    name: `${name}: no import of a sibling`,
    comment: 'Move the code down, or put one of the two above the other in LAYERS.',
    severity: 'error',
    from: { path: `^lib/(${members.map(escaped).join('|')})` },
    to: { path: pathOf(members), pathNot: '^lib/$1' },
  }));

export default {
  forbidden: [
    ...upwards,
    ...sideways,
    {
      name: 'no cycle',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'testing is for tests',
      severity: 'error',
      from: { pathNot: '^lib/testing/' },
      to: { path: '^lib/testing/' },
    },
    {
      name: 'freshness imports nothing',
      severity: 'error',
      from: { path: '^lib/tokens/freshness\\.ts$' },
      to: { path: '.' },
    },
    {
      name: 'no import of a barrel',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: ['^lib/index\\.ts$', '^lib/[^/]+/index\\.ts$'] },
    },
  ],
  options: {
    includeOnly: '^lib/',
    exclude: { path: 'spec\\.ts$' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
