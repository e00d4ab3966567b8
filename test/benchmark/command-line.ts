import { parseArgs } from 'node:util';
import { type SectionName } from './sections/index.js';

/** The command line of `npm run bench`. */
export interface Command {
  readonly size: 'tiny' | 'quick' | 'full';
  /** Measures these sections only; all if empty. */
  readonly only: readonly SectionName[];
  /** Does not write docs/. A run of some sections writes only with `--write-docs`. */
  readonly keepDocs: boolean;
  /** Measures nothing: writes docs/ again from the published figures. */
  readonly rendersOnly: boolean;
}

export const HELP = `npm run bench [-- options]

  --full            for figures to publish, and writes docs/benchmarks.md; default: a quick look, under two minutes
  --tiny            everything once, to see that it works
  --only <section>  one section, more than once for several; docs/ stays as it is
  --write-docs      writes docs/benchmarks.md from a quick run too; with --only, replaces these sections in docs/
  --render          measures nothing: writes docs/benchmarks.md and the README's section again from the published figures

npm run bench:compare -- <before.json> <after.json>    what moved beyond the noise
`;

/** @throws TypeError for an unknown option */
export function parseCommand(args: readonly string[], sections: readonly string[]): Command {
  const { values } = parseArgs({
    args: [...args],
    options: {
      full: { type: 'boolean', default: false },
      tiny: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      'write-docs': { type: 'boolean', default: false },
      render: { type: 'boolean', default: false },
    },
  });
  const unknown = values.only.find((name) => !sections.includes(name));
  if (unknown !== undefined)
    throw new TypeError(`no section '${unknown}'; there are: ${sections.join(', ')}`);
  const size = values.full ? 'full' : values.tiny ? 'tiny' : 'quick';
  const writesDocs = values['write-docs'] || (values.full && values.only.length === 0);
  return { size, only: values.only as SectionName[], keepDocs: !writesDocs, rendersOnly: values.render };
}
