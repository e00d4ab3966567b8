// Checks the documents as they stand in the repository: links and anchors, the tables and sections that follow the sources, the length of
// the README. Takes less than a second; the built site has its own check.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unlisted } from '../../../docs/.vitepress/pages.mjs';
import { anchorsOf, linksOf } from './markdown-links.mjs';
import { referenceProblems } from './reference.mjs';

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const README_LIMIT = 300;
/** Written by `npm run docs:build`. */
const GENERATED = /^(api|\.vitepress)\//;

const documents = new Map(documentNames().map((name) => [name, textOf(name)]));
const problems = [
  ...brokenLinks(),
  ...navigationProblems(),
  ...readmeProblems(),
  ...(await referenceProblems(REPOSITORY)),
];
for (const problem of problems) console.error(problem);
console.log(`${documents.size} documents checked, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;

function brokenLinks() {
  return [...documents].flatMap(([name, markdown]) =>
    linksOf(markdown).flatMap(({ line, path, anchor }) => {
      const target = path === '' ? name : posix.join(posix.dirname(name), decodeURIComponent(path));
      const at = `${name}:${line}`;
      if (!existsSync(join(REPOSITORY, target))) return [`${at}: ${path} does not exist`];
      if (name.startsWith('docs/') && !target.startsWith('docs/'))
        return [`${at}: ${path} is not part of the manual; name it as code instead`];
      if (anchor === '' || !target.endsWith('.md')) return [];
      const anchors = anchorsOf(documents.get(target) ?? textOf(target));
      return anchors.has(anchor) ? [] : [`${at}: ${target} has no heading #${anchor}`];
    }),
  );
}

function navigationProblems() {
  const pages = [...documents.keys()].filter((name) => name.startsWith('docs/')).map((name) => name.slice(5));
  return unlisted(pages).map((page) => `docs/${page} has no place in docs/.vitepress/pages.mjs`);
}

function readmeProblems() {
  const lines = textOf('README.md').split('\n').length;
  return lines > README_LIMIT ? [`README.md has ${lines} lines, more than ${README_LIMIT}`] : [];
}

function documentNames() {
  const manual = readdirSync(join(REPOSITORY, 'docs'), { recursive: true })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.md') && !GENERATED.test(name))
    .map((name) => `docs/${name}`);
  const others = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md'];
  return [...others, ...manual].filter((name) => existsSync(join(REPOSITORY, name)));
}

function textOf(name) {
  return readFileSync(join(REPOSITORY, name), 'utf8');
}
