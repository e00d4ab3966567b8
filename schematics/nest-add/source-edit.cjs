'use strict';
const { loadTypescript } = require('./typescript.cjs');

/** A file that has another shape than the Nest CLI gives it: it is not edited. */
class UnusualSource extends Error {}

/** Edits one TypeScript file by its syntax tree, and leaves everything else in it as it is. */
class SourceEdit {
  #tree;
  #insertions = [];

  constructor(tree, path) {
    this.#tree = tree;
    this.path = path;
    this.text = tree.read(path)?.toString('utf8') ?? '';
    this.ts = loadTypescript();
    this.source = this.ts.createSourceFile(path, this.text, this.ts.ScriptTarget.Latest, true);
  }

  /** Whether the code has this identifier; a comment does not count. */
  mentions(name) {
    const visit = (node) =>
      (this.ts.isIdentifier(node) && node.text === name) || this.ts.forEachChild(node, visit) === true;
    return visit(this.source);
  }

  /** Imports names from a module: in the import that is there, or in a new one after the others. */
  addImport(names, from) {
    const { ts } = this;
    const imports = this.source.statements.filter((statement) => ts.isImportDeclaration(statement));
    const named = imports
      .filter(({ moduleSpecifier }) => moduleSpecifier.text === from)
      .map(({ importClause }) => importClause)
      .find(
        (clause) => clause?.namedBindings && ts.isNamedImports(clause.namedBindings) && !isTypeOnly(clause),
      );
    if (named) {
      const { elements } = named.namedBindings;
      const missing = names.filter((name) => !elements.some((element) => element.name.text === name));
      if (missing.length > 0) this.#insert(elements.at(-1).getEnd(), `, ${missing.join(', ')}`);
      return;
    }
    const text = `import { ${names.join(', ')} } from '${from}';`;
    const last = imports.at(-1);
    if (last) this.#insert(last.getEnd(), `\n${text}`);
    else this.#insert(0, `${text}\n`);
  }

  /**
   * Adds elements to the lists of the class's `@Module()`.
   *
   * @param {string} className
   * @param {Record<string, string[]>} lists by their name, e.g. `imports`
   */
  addToModule(className, lists) {
    const metadata = this.#moduleMetadata(className);
    const propertyOf = (list) => metadata.properties.find(({ name }) => name?.getText() === list);
    const wanted = Object.entries(lists).filter(([, elements]) => elements.length > 0);
    for (const [list, elements] of wanted) {
      const property = propertyOf(list);
      if (property) this.#addToList(className, list, property, elements);
    }
    const missing = wanted.filter(([list]) => propertyOf(list) === undefined);
    const lines = missing.map(([list, elements]) => `  ${list}: ${listOf(elements)}`).join(',\n');
    const last = metadata.properties.at(-1);
    if (lines === '') return;
    if (last) this.#insert(last.getEnd(), `,\n${lines}`);
    else this.#replace(metadata, `{\n${lines},\n}`);
  }

  /** Gives `NestFactory.create()` an option. */
  addCreateOption(name, value) {
    const { ts } = this;
    const [call] = this.nestFactoryCalls().filter(({ expression }) => expression.name.text === 'create');
    if (!call) throw new UnusualSource('NestFactory.create() is not called there');
    const options = call.arguments.at(-1);
    if (ts.isObjectLiteralExpression(options)) {
      const existing = options.properties.find((property) => property.name?.getText() === name);
      if (existing) {
        if (existing.getText() === `${name}: ${value}`) return;
        throw new UnusualSource(`\`${name}\` is set to something else`);
      }
      const [first] = options.properties;
      if (first) this.#insert(first.getStart(), `${name}: ${value}, `);
      else this.#replace(options, `{ ${name}: ${value} }`);
    } else if (call.arguments.length === 1 || ts.isNewExpression(options)) {
      this.#insert(options.getEnd(), `, { ${name}: ${value} }`);
    } else {
      throw new UnusualSource('the options of NestFactory.create() are not written out there');
    }
  }

  /** The calls `NestFactory.create...(...)`, in the order of the file. */
  nestFactoryCalls() {
    const { ts } = this;
    const calls = [];
    const visit = (node) => {
      if (
        ts.isCallExpression(node) &&
        ts.isPropertyAccessExpression(node.expression) &&
        node.expression.expression.getText() === 'NestFactory'
      ) {
        calls.push(node);
      }
      ts.forEachChild(node, visit);
    };
    visit(this.source);
    return calls;
  }

  /** The module that `name` is imported from. */
  importedFrom(name) {
    const { ts } = this;
    const declaration = this.source.statements.find(
      (statement) =>
        ts.isImportDeclaration(statement) &&
        statement.importClause?.namedBindings !== undefined &&
        ts.isNamedImports(statement.importClause.namedBindings) &&
        statement.importClause.namedBindings.elements.some((element) => element.name.text === name),
    );
    return declaration?.moduleSpecifier.text;
  }

  /** The names of the classes under `@Module()`. */
  moduleClasses() {
    const { ts } = this;
    return this.source.statements
      .filter((statement) => ts.isClassDeclaration(statement) && this.#moduleDecorator(statement))
      .map((statement) => statement.name?.text ?? '');
  }

  save() {
    let text = this.text;
    for (const { start, end, inserted } of this.#fromTheEnd()) {
      text = text.slice(0, start) + inserted + text.slice(end);
    }
    if (text !== this.text) this.#tree.overwrite(this.path, text);
  }

  /** So that an edit moves none that is still to be made; those at one place keep their order. */
  #fromTheEnd() {
    return this.#insertions.toReversed().toSorted((a, b) => b.start - a.start);
  }

  #moduleMetadata(className) {
    const { ts } = this;
    const declaration = this.source.statements.find(
      (statement) => ts.isClassDeclaration(statement) && statement.name?.text === className,
    );
    const decorator = declaration && this.#moduleDecorator(declaration);
    if (!decorator) throw new UnusualSource(`it has no class ${className} under @Module()`);
    const [metadata] = decorator.expression.arguments;
    if (!metadata || !ts.isObjectLiteralExpression(metadata)) {
      throw new UnusualSource(`@Module() of ${className} is not given an object that is written out`);
    }
    return metadata;
  }

  #moduleDecorator(declaration) {
    const { ts } = this;
    return ts
      .getDecorators(declaration)
      ?.find(
        ({ expression }) => ts.isCallExpression(expression) && expression.expression.getText() === 'Module',
      );
  }

  #addToList(className, list, property, elements) {
    const { ts } = this;
    const array = ts.isPropertyAssignment(property) ? property.initializer : undefined;
    if (!array || !ts.isArrayLiteralExpression(array)) {
      throw new UnusualSource(`\`${list}\` of ${className} is not a list that is written out`);
    }
    const last = array.elements.at(-1);
    const isOneLine = !array.getText().includes('\n');
    if (last && !isOneLine) {
      const indent = indentOf(this.text, last);
      this.#insert(last.getEnd(), `,\n${elements.map((element) => shift(element, indent)).join(',\n')}`);
    } else {
      this.#replace(array, listOf([...array.elements.map((element) => element.getText()), ...elements]));
    }
  }

  #insert(position, inserted) {
    this.#insertions.push({ start: position, end: position, inserted });
  }

  #replace(node, inserted) {
    this.#insertions.push({ start: node.getStart(), end: node.getEnd(), inserted });
  }
}

const isTypeOnly = (clause) => clause.isTypeOnly === true;

const LINE_WIDTH = 80;

/** A list as a property of the metadata of a module: on one line where it is short, with one element a line elsewhere. */
function listOf(elements) {
  const line = `[${elements.join(', ')}]`;
  if (line.length < LINE_WIDTH - '  controllers: ,'.length && !line.includes('\n')) return line;
  return `[\n${elements.map((element) => `${shift(element, '    ')},\n`).join('')}  ]`;
}

const shift = (text, indent) => text.replaceAll(/^(?=.)/gm, indent);

function indentOf(text, node) {
  const lineStart = text.lastIndexOf('\n', node.getStart()) + 1;
  return /^\s*/.exec(text.slice(lineStart))[0];
}

module.exports = { SourceEdit, UnusualSource };
