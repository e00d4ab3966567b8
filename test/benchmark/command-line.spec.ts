import { parseCommand } from './command-line.js';

const SECTIONS = ['readPath', 'growth'];
const parse = (...args: string[]): ReturnType<typeof parseCommand> => parseCommand(args, SECTIONS);

describe('parseCommand', () => {
  it('is a quick look that leaves docs/ alone, unless told otherwise', () => {
    expect(parse()).toEqual({ size: 'quick', only: [], keepDocs: true });
  });

  it('writes docs/ after a full run', () => {
    expect(parse('--full')).toEqual({ size: 'full', only: [], keepDocs: false });
    expect(parse('--write-docs')).toEqual({ size: 'quick', only: [], keepDocs: false });
  });

  it('never writes docs/ from a part', () => {
    expect(parse('--full', '--only', 'growth')).toEqual({ size: 'full', only: ['growth'], keepDocs: true });
    expect(parse('--only', 'growth', '--write-docs')).toMatchObject({ only: ['growth'], keepDocs: false });
  });

  it('names the sections there are when asked for another', () => {
    expect(() => parse('--only', 'speed')).toThrow("no section 'speed'; there are: readPath, growth");
    expect(() => parse('--fast')).toThrow(/--fast/);
  });
});
