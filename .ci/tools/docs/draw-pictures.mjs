// Writes docs/pictures/: the drawings, and the quick start's own output from a run that this script makes.
// `--drawings` leaves the quick start's picture as it is.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { layers } from './pictures/layers.mjs';
import { oneFlight } from './pictures/one-flight.mjs';
import { storeAppChain } from './pictures/store-app-chain.mjs';
import { terminal } from './pictures/terminal.mjs';
import { tokenLife } from './pictures/token-life.mjs';

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const FOLDER = join(REPOSITORY, 'docs', 'pictures');

const pictures = {
  'token-life.svg': tokenLife(),
  'one-flight.svg': oneFlight(),
  'layers.svg': layers(),
  'store-app-chain.svg': storeAppChain(),
  ...(process.argv.includes('--drawings') ? {} : { 'quick-start.svg': quickStart() }),
};
mkdirSync(FOLDER, { recursive: true });
for (const [name, svg] of Object.entries(pictures)) writeFileSync(join(FOLDER, name), svg);
console.log(`written: ${Object.keys(pictures).join(', ')}`);

/** Up to the report, which is a page of figures. */
function quickStart() {
  const { FEISHU_APP_ID: _id, FEISHU_APP_SECRET: _secret, ...environment } = process.env;
  const output = execFileSync('npm', ['start', '--silent', '--', '--once'], {
    cwd: REPOSITORY,
    env: { ...environment, NO_COLOR: '1' },
    encoding: 'utf8',
  });
  const [shown] = output.split('\n5. ');
  return terminal({
    command: 'npm start',
    output: shown,
    title: 'Output of the quick start',
    description: shown,
  });
}
