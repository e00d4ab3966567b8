'use strict';

/** Adds the lines whose variable the file does not have yet; the file is made if there is none. */
exports.addLines = (tree, path, lines, isKnown) => {
  const before = tree.read(path)?.toString('utf8') ?? '';
  const missing = lines.filter((line) => !isKnown(before, line));
  if (missing.length === 0) return;
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  const text = `${before}${gap}${missing.join('\n')}\n`;
  if (tree.exists(path)) tree.overwrite(path, text);
  else tree.create(path, text);
};

/** Whether `.env.example` names the variable of this line, with whatever value. */
exports.namesVariable = (text, line) =>
  text.split(/\r?\n/).some((one) => one.split('=')[0].trim() === line.split('=')[0]);

exports.hasLine = (text, line) => text.split(/\r?\n/).includes(line);

/** Adds the dependencies that package.json does not name. Returns whether it changed. */
exports.addDependencies = (tree, wanted) => {
  const text = tree.read('/package.json').toString('utf8');
  const manifest = JSON.parse(text);
  const { dependencies = {}, devDependencies = {} } = manifest;
  const missing = Object.entries(wanted).filter(
    ([name]) => !(name in dependencies) && !(name in devDependencies),
  );
  if (missing.length === 0) return false;
  const all = { ...dependencies, ...Object.fromEntries(missing) };
  const sorted = Object.fromEntries(Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const indent = /^[ \t]+/m.exec(text)?.[0] ?? '  ';
  tree.overwrite('/package.json', `${JSON.stringify({ ...manifest, dependencies: sorted }, null, indent)}\n`);
  return true;
};
