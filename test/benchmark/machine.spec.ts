import { machine } from './machine.js';

describe('machine', () => {
  it('names the version of every package that is measured', () => {
    const { versions } = machine();
    expect(versions).toMatchObject({ '@redis/client': expect.stringMatching(/^\d/) });
    expect(Object.values(versions)).not.toContain('unknown');
  });
});
