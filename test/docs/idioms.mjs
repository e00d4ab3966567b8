// Counts words and phrases that make the project's prose hard to read: inverted, pronoun-led or translated-sounding sentences.
//
//   node test/docs/idioms.mjs               how many per 1,000 words, before the rewrite and now
//   node test/docs/idioms.mjs --list lib    each of them, with file and line, where the name of a group or file contains "lib"
//   node test/docs/idioms.mjs --check       fails if a group that has reached the limit is above it again
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { commentsOf, filesBelow, markdownProse, messagesOf, textOf, titlesOf } from './prose.mjs';

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Per 1,000 words. */
const LIMIT = 1;
/** The groups that `--check` holds to the limit: those that have reached it. Add a group when it has. */
const CHECKED = ['README.md', 'docs', 'other documents'];

const IDIOMS = [
  // Pronouns that hide the subject.
  /\b(?:who|what|which)(?:so)?ever\b/gi,
  /\b(?:no|some|any|every)body\b/gi,
  /(?:^|[.;:] +)(?:who|whom|whose) (?!\w+ [^.]*\?)\w+/gim,
  /\bone's\b/gi,
  // "is no option" for "is not an option".
  /\b(?<!there )(?:is|are|was|were|be) (?:no|none)\b(?! longer)/gi,
  /\bknows? (?:the|an?) \w+ not\b/gi,
  // Words that the field does not use.
  /\bmend(?:s|ed|ing)?\b/gi,
  /\blet(?:s|ting)? (?:it |them |him )?go\b/gi,
  /\bmeanwhile\b/gi,
  /\bof (?:its|their|his|your|our|my|one's) own\b/gi,
  /\b(?:at|in) hand\b/gi,
  /\b(?:anew|thereby|therein|thereof|hence|till|lest|whence|whereby|rubbish)\b/gi,
  /\ball the same\b|\bfor want of\b|\bfor ever\b|\bas ever\b|\bever (?:less|more)\b/gi,
  /\b(?:may|might|must|could|should|would|will) else\b/gi,
  /\bso much as\b|\bas good as\b|\bnothing but\b|\bnone but\b|\ball but\b/gi,
  /\b(?:can|could|cannot|may|to|was) be had\b|\bto be had\b/gi,
  /\b(?:behind \w+ backs?|is believed|are believed|believes|rides? along)\b/gi,
  // Inverted sentences.
  /(?:^|[.;:] +)(?:only|not|never|nor|neither|so) (?:then|now|once|before|does|do|is|are|has|have|can|may|will|would)\b/gim,
  /(?:^|[.;:] +)(?:of|by|beside|beneath|among|from) (?!default)(?:\w+ ){1,4}(?:is|are|has|have|comes?|goes?|does|do)\b/gim,
];

const isSource = (path) => path.endsWith('.ts') && !path.endsWith('spec.ts');
const isMarkdown = (path) => path.endsWith('.md') && !path.startsWith('docs/api/');

const GROUPS = {
  'lib, comments': () => passages(filesBelow(REPOSITORY, 'lib', isSource), commentsOf),
  'lib, messages': () => passages(filesBelow(REPOSITORY, 'lib', isSource), messagesOf),
  'README.md': () => passages(['README.md'], markdownProse),
  docs: () => passages(filesBelow(REPOSITORY, 'docs', isMarkdown), markdownProse),
  'other documents': () => passages(['CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md'], markdownProse),
  'sample, comments': () => passages(filesBelow(REPOSITORY, 'sample', isSource), commentsOf),
  'test titles': () => passages([...specs('lib'), ...specs('test')], titlesOf),
  'test, comments': () => passages([...specs('lib'), ...filesBelow(REPOSITORY, 'test', isTest)], commentsOf),
};

/** Per 1,000 words, as this script counted them before the rewrite (commit 7afe7d9). The READMEs of fastify, jose and pino have 0. */
const BEFORE = {
  'lib, comments': 12.4,
  'lib, messages': 6.3,
  'README.md': 10.7,
  docs: 9.8,
  'other documents': 5.5,
  'sample, comments': 10.1,
  'test titles': 11.0,
  'test, comments': 11.1,
};

const { values } = parseArgs({ options: { check: { type: 'boolean' }, list: { type: 'string' } } });

const counted = Object.entries(GROUPS).map(([name, read]) => count(name, read()));
if (values.list !== undefined) {
  const isWanted = ({ group, file }) => group.includes(values.list) || file.includes(values.list);
  for (const { file, line, text } of counted.flatMap((it) => it.found).filter(isWanted))
    console.log(`${file}:${line}  ${text}`);
}
console.log(
  'idioms per 1,000 words'.padEnd(24),
  'before'.padStart(8),
  'now'.padStart(8),
  'words'.padStart(9),
);
for (const { name, rate, words } of counted)
  console.log(
    name.padEnd(24),
    (BEFORE[name]?.toFixed(1) ?? '').padStart(8),
    rate.toFixed(1).padStart(8),
    words.toLocaleString('en-US').padStart(9),
  );

const above = counted.filter(({ name, rate }) => CHECKED.includes(name) && rate > LIMIT);
if (values.check && above.length > 0) {
  const names = above.map(({ name }) => name).join('; ');
  console.error(
    `More than ${LIMIT} per 1,000 words in: ${names}. See them: node test/docs/idioms.mjs --list "<group>"`,
  );
  process.exitCode = 1;
}

function specs(folder) {
  return filesBelow(REPOSITORY, folder, (path) => path.endsWith('spec.ts'));
}

function isTest(path) {
  return /\.(ts|mjs)$/.test(path) && path !== 'test/docs/idioms.mjs';
}

function passages(files, read) {
  return files
    .filter((file) => existsSync(join(REPOSITORY, file)))
    .flatMap((file) => read(file, textOf(REPOSITORY, file)));
}

function count(group, all) {
  const words = all.reduce((sum, { text }) => sum + (text.match(/[A-Za-z][\w'’-]*/g)?.length ?? 0), 0);
  const found = all.flatMap(({ file, line, text }) => {
    const at = new Map();
    for (const idiom of IDIOMS)
      for (const { 0: match, index } of text.matchAll(idiom)) if (!at.has(index)) at.set(index, match.trim());
    return [...at].map(([index, match]) => ({
      group,
      file,
      line: line + text.slice(0, index).split('\n').length - 1,
      text: match.replaceAll(/\s+/g, ' '),
    }));
  });
  return { name: group, words, found, rate: words === 0 ? 0 : (1_000 * found.length) / words };
}
