// Builds the manual as a static site in .build/site: the API reference by TypeDoc, the pages by VitePress, which fails on a link to a page
// that does not exist; then every anchor of the built pages is checked. `--manual` leaves the API reference as it is.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vitepress';
import { buildApi } from './build-api.mjs';
import { siteProblems } from './check-site.mjs';

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

if (!process.argv.includes('--manual')) await buildApi();
await build(join(REPOSITORY, 'docs'));
const { pages, problems } = siteProblems(join(REPOSITORY, '.build', 'site'));
for (const problem of problems) console.error(problem);
console.log(`.build/site: ${pages} pages, ${problems.length} broken links or anchors`);
process.exitCode = problems.length === 0 ? 0 : 1;
