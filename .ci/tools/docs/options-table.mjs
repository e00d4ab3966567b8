import ts from 'typescript';

/**
 * The properties of an options interface as a markdown table: option and type, default, meaning. Interfaces of the same sources are
 * followed, so that `refresh.aheadMs` has a row. Texts come from the docstrings.
 *
 * @param {readonly string[]} sources the text of `lib/feishu-auth.options.ts` and of what it imports
 * @param {string} name an interface in them
 * @returns {string}
 */
export function optionsTable(sources, name) {
  const statements = sources.flatMap(
    (source) => ts.createSourceFile('options.ts', source, ts.ScriptTarget.Latest, true).statements,
  );
  const interfaces = new Map(
    statements
      .filter(ts.isInterfaceDeclaration)
      .filter((declaration) => /(Options|Key|Extras)$/.test(declaration.name.text))
      .map((declaration) => [declaration.name.text, declaration]),
  );
  const aliases = new Map(
    statements.filter(ts.isTypeAliasDeclaration).map((alias) => [alias.name.text, typeText(alias.type)]),
  );
  const rows = rowsOf(interfaces, interfaces.get(name), '');
  return [
    ['option', 'default', 'meaning'],
    ['---', '---', '---'],
    ...rows.map(({ path, type, fallback, meaning }) => [
      `${code(path)}<br>${code(aliases.get(type) ?? type)}`,
      fallback,
      meaning,
    ]),
  ]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function rowsOf(interfaces, declaration, prefix) {
  if (declaration === undefined) throw new Error('no such interface in the options');
  return declaration.members.filter(ts.isPropertySignature).flatMap((property) => {
    const path = prefix + property.name.getText();
    const nested = nestedInterface(interfaces, property.type);
    const isList = /\[\]$|^Array</.test(typeText(property.type));
    const below = nested ? rowsOf(interfaces, interfaces.get(nested), `${path}${isList ? '[]' : ''}.`) : [];
    const { meaning, fallback } = docOf(property);
    if (meaning === '' && nested) return below;
    if (meaning === '') throw new Error(`${path} has no docstring`);
    const type = nested ? typeText(property.type).replace(nested, 'object') : typeText(property.type);
    const isRequired = property.questionToken === undefined && (prefix === '' || !below.length);
    return [{ path, type, fallback: fallback ?? (isRequired ? 'required' : 'none'), meaning }, ...below];
  });
}

/** The interface of this file that a type refers to, possibly in a union or a list. */
function nestedInterface(interfaces, type) {
  let found;
  const visit = (node) => {
    if (ts.isTypeReferenceNode(node) && interfaces.has(node.typeName.getText()))
      found = node.typeName.getText();
    ts.forEachChild(node, visit);
  };
  visit(type);
  return found;
}

function typeText(type) {
  return type
    .getText()
    .replace(/^readonly /, '')
    .replace(/ \| undefined$/, '')
    .replaceAll(/\s+/g, ' ');
}

function docOf(property) {
  const [doc] = ts.getJSDocCommentsAndTags(property).filter(ts.isJSDoc);
  const text = (comment) => (ts.getTextOfJSDocComment(comment) ?? '').replaceAll(/\s*\n\s*/g, ' ').trim();
  const fallback = doc?.tags?.find((tag) => tag.tagName.text === 'default');
  return {
    meaning: cell(text(doc?.comment)),
    fallback: fallback && cell(literal(text(fallback.comment))),
  };
}

/** `30_000 (30 s)`: the value as code, the note behind it as text. */
function literal(text) {
  const [, value, note = ''] =
    /^('[^']*'|\[[^\]]*\]|[\d_]+|true|false|globalThis\.\w+)(.*)$/s.exec(text) ?? [];
  return value === undefined ? text : `${code(value)}${note}`;
}

const code = (text) => `\`${text.replaceAll('|', '\\|')}\``;
const cell = (text) => text.replaceAll(/\{@link (\w+)\}/g, '`$1`').replaceAll('|', '\\|');
