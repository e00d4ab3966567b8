import { parseCommand } from './command-line.js';

const SECTIONS = ['readPath', 'growth'];
const parse = (...args: string[]): ReturnType<typeof parseCommand> => parseCommand(args, SECTIONS);

describe('parseCommand', () => {
  it('without options: a quick run that does not write docs/', () => {
    expect(parse()).toEqual({ size: 'quick', only: [], keepDocs: true, rendersOnly: false });
  });

  it('writes docs/ after a full run', () => {
    expect(parse('--full')).toMatchObject({ size: 'full', only: [], keepDocs: false });
    expect(parse('--write-docs')).toMatchObject({ size: 'quick', only: [], keepDocs: false });
  });

  it('does not write docs/ from some sections without --write-docs', () => {
    expect(parse('--full', '--only', 'growth')).toMatchObject({
      size: 'full',
      only: ['growth'],
      keepDocs: true,
    });
    expect(parse('--only', 'growth', '--write-docs')).toMatchObject({ only: ['growth'], keepDocs: false });
  });

  it('rejects an unknown section and names the known ones', () => {
    expect(() => parse('--only', 'speed')).toThrow("no section 'speed'; there are: readPath, growth");
    expect(() => parse('--fast')).toThrow(/--fast/);
  });

  it('--render measures nothing', () => {
    expect(parse('--render')).toMatchObject({ rendersOnly: true });
  });
});
