import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import ts from 'typescript';

/** @typedef {{ file: string; line: number; text: string }} Passage one piece of prose, and where it begins */

/**
 * The comments of a TypeScript source.
 *
 * @param {string} file @param {string} source
 * @returns {Passage[]}
 */
export function commentsOf(file, source) {
  const found = new Map();
  const visit = (node) => {
    if (ts.isJSDoc(node)) return;
    const ranges = [
      ...(ts.getLeadingCommentRanges(source, node.pos) ?? []),
      ...(ts.getTrailingCommentRanges(source, node.end) ?? []),
    ];
    for (const { pos, end } of ranges) found.set(pos, passage(file, source, pos, source.slice(pos, end)));
    for (const child of node.getChildren()) visit(child);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true));
  return [...found.values()].toSorted((a, b) => a.line - b.line);
}

/**
 * The sentences in a TypeScript source that a user or an operator reads: string literals and templates of three words or more.
 *
 * @param {string} file @param {string} source
 * @returns {Passage[]}
 */
export function messagesOf(file, source) {
  const messages = [];
  const visit = (node) => {
    if (
      ts.isStringLiteral(node) ||
      ts.isNoSubstitutionTemplateLiteral(node) ||
      ts.isTemplateExpression(node)
    ) {
      const text = ts.isTemplateExpression(node)
        ? [node.head, ...node.templateSpans.map((span) => span.literal)].map((part) => part.text).join(' … ')
        : node.text;
      if (/[a-z]+ [a-z]+ [a-z]+/i.test(text)) messages.push(passage(file, source, node.getStart(), text));
    } else ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true));
  return messages;
}

/**
 * The titles of the tests in a spec.
 *
 * @param {string} file @param {string} source
 * @returns {Passage[]}
 */
export function titlesOf(file, source) {
  const titles = [];
  const visit = (node) => {
    if (ts.isCallExpression(node) && /^(describe|it|test)/.test(node.expression.getText())) {
      const [title] = node.arguments;
      if (title && ts.isStringLiteralLike(title))
        titles.push(passage(file, source, title.getStart(), title.text));
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true));
  return titles;
}

/**
 * The text of a markdown document without its code, link targets and comments.
 *
 * @param {string} file @param {string} source
 * @returns {Passage[]}
 */
export function markdownProse(file, source) {
  let isCode = false;
  return source.split(/\r?\n/).flatMap((line, index) => {
    if (/^\s*(```|~~~)/.test(line)) {
      isCode = !isCode;
      return [];
    }
    const text = line
      .replaceAll(/`[^`]*`/g, ' ')
      .replaceAll(/\]\([^)]*\)/g, ']')
      .replaceAll(/<!--.*?-->/g, ' ');
    return isCode ? [] : [{ file, line: index + 1, text }];
  });
}

/**
 * Files below a folder, with forward slashes and relative to the repository.
 *
 * @param {string} repository @param {string} folder @param {(path: string) => boolean} isWanted
 * @returns {string[]}
 */
export function filesBelow(repository, folder, isWanted) {
  return readdirSync(join(repository, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(repository, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
    .filter((path) => !path.includes('node_modules/') && isWanted(path))
    .toSorted();
}

/** @param {string} repository @param {string} file */
export function textOf(repository, file) {
  return readFileSync(join(repository, file), 'utf8');
}

function passage(file, source, start, text) {
  return { file, line: source.slice(0, start).split('\n').length, text };
}
