import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { snippetsOf } from './snippets.mjs';

const REPOSITORY = new URL('../../', import.meta.url);

/**
 * What the one example of `document` that has `text` in it exports. It runs as it stands there, so it may import types
 * and nothing else; whether they are right is for the typecheck to tell.
 */
export async function runSnippet(document: string, text: string): Promise<unknown> {
  const found = snippetsOf(readFileSync(new URL(document, REPOSITORY), 'utf8')).filter((snippet) =>
    snippet.text.includes(text),
  );
  const [snippet] = found;
  if (!snippet?.checked || found.length > 1) {
    throw new Error(`${document} should have one example with '${text}', and a typechecked one`);
  }
  const { outputText } = ts.transpileModule(snippet.text, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
  });
  return import(`data:text/javascript,${encodeURIComponent(outputText)}`);
}
