import { jest } from '@jest/globals';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { inspect } from 'node:util';
import { userTokenStoreConformance } from '../../testing/user-token-store-conformance.js';
import { FileUserTokenStore } from './file-user-token-store.js';

/** In memory where that is possible: a busy disk takes seconds to sync. */
const DISK = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

jest.setTimeout(60_000);

describe('FileUserTokenStore', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(DISK, 'logins-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const newStore = (): FileUserTokenStore => new FileUserTokenStore({ directory: folder });

  function pathsBelow(directory: string): string[] {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((path) => join(directory, path));
  }

  const recordFile = (): string => pathsBelow(folder).find((path) => path.endsWith('.json')) ?? 'none';

  userTokenStoreConformance(newStore, { makeFailingStore: storeOnUnmountedDisk });

  function storeOnUnmountedDisk(): FileUserTokenStore {
    const store = newStore();
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    return store;
  }

  it('keeps its files from other users', async () => {
    const previous = process.umask(0);
    try {
      const directory = join(folder, 'made', 'by', 'the store');
      await new FileUserTokenStore({ directory }).put('key', 'value', null, { dueAt: new Date(1_000) });
      for (const path of [directory, ...pathsBelow(directory)]) {
        const stats = statSync(path);
        expect((stats.mode & 0o777).toString(8)).toBe(stats.isDirectory() ? '700' : '600');
      }
    } finally {
      process.umask(previous);
    }
  });

  it('puts neither the key nor the value into a file name', async () => {
    await newStore().put('ou_the-open-id/../x', 'a secret value', null, { dueAt: new Date(1_000) });
    expect(pathsBelow(folder).join()).not.toMatch(/ou_the|secret/);
    for (const path of pathsBelow(folder)) expect(basename(path).length).toBeLessThan(100);
  });

  it('is not written where the directory cannot be made, and says why', () => {
    writeFileSync(join(folder, 'file'), '');
    const directory = join(folder, 'file', 'logins');
    expect(() => new FileUserTokenStore({ directory })).toThrow(
      expect.objectContaining({
        code: 'ERR_FEISHU_CONFIG_INVALID',
        message: `FileUserTokenStore: the directory ${directory} cannot be written (ENOTDIR). Give the path of a folder that this process may create, read and write.`,
      }),
    );
  });

  it.each([undefined, '', 1, {}])('refuses %p as directory', (directory) => {
    expect(() => new FileUserTokenStore({ directory: directory as string })).toThrow(
      expect.objectContaining({ code: 'ERR_FEISHU_CONFIG_INVALID' }),
    );
  });

  it('refuses a date that is not valid, and a limit that is not a positive integer', async () => {
    const store = newStore();
    const invalid = { code: 'ERR_FEISHU_INVALID_ARGUMENT' };
    await expect(store.put('key', 'v', null, { dueAt: new Date(NaN) })).rejects.toMatchObject(invalid);
    await expect(store.put('key', 'v', null, { dueAt: new Date(-1) })).rejects.toMatchObject(invalid);
    for (const limit of [0, 1.5, NaN]) {
      await expect(store.dueBefore(new Date(), limit)).rejects.toMatchObject(invalid);
    }
    expect(await store.get('key')).toBeUndefined();
  });

  it('finds the logins of a process before it', async () => {
    const version = await newStore().put('key', 'value', null, { dueAt: new Date(1_000) });
    expect(await newStore().get('key')).toEqual({ value: 'value', version });
    expect(await newStore().dueBefore(new Date(1_001), 1)).toEqual(['key']);
  });

  it('leaves no file of the writers that lose', async () => {
    const store = newStore();
    const version = await store.put('key', 'value', null, { dueAt: new Date(1) });
    const dates = Array.from({ length: 10 }, (_, i) => new Date(1_000 + i));
    await Promise.all(dates.map((dueAt) => store.put('key', 'value', version ?? '', { dueAt })));
    expect(readdirSync(join(folder, 'due'))).toHaveLength(1);
    expect(pathsBelow(folder).filter((path) => path.endsWith('.json'))).toHaveLength(1);
  });

  it('fails for a damaged login, does not show what is in it, and lists the others that are due', async () => {
    const store = newStore();
    const version = await store.put('key', 'value', null, { dueAt: new Date(1_000) });
    writeFileSync(recordFile(), 'a secret value that is no JSON');
    await store.put('other', 'value', null, { dueAt: new Date(2_000) });
    for (const failure of [store.get('key'), store.put('key', 'new', version ?? '')]) {
      const error = await failure.catch((found: unknown) => found);
      expect(error).toMatchObject({ name: 'DamagedLoginError' });
      expect(inspect(error, { showHidden: true })).not.toContain('secret');
    }
    expect(await store.dueBefore(new Date(5_000), 1)).toEqual(['other']);
  });

  it('fails for a login whose pointer or record was removed by hand', async () => {
    const store = newStore();
    await store.put('key', 'value', null);
    const record = recordFile();
    renameSync(record, `${record}.bak`);
    await expect(store.get('key')).rejects.toThrow('is damaged: its record is missing');
    renameSync(`${record}.bak`, record);
    expect(await store.get('key')).toMatchObject({ value: 'value' });
    const pointer = pathsBelow(folder).find((path) => basename(path).startsWith('present.')) ?? 'none';
    writeFileSync(pointer.replace('present.', 'present.another-'), '');
    await expect(store.get('key')).rejects.toThrow('is damaged: it has no pointer, or several');
    rmSync(pointer.replace('present.', 'present.another-'));
    rmSync(pointer);
    await expect(store.get('key')).rejects.toThrow('is damaged: it has no pointer, or several');
  });

  it('removes what processes that were killed have left behind, after an hour', () => {
    newStore();
    for (const [name, hours] of [
      ['old', 2],
      ['new', 0],
    ] as const) {
      const spare = join(folder, 'spare', name);
      mkdirSync(spare);
      const time = Date.now() / 1_000 - hours * 3_600;
      utimesSync(spare, time, time);
    }
    newStore();
    expect(readdirSync(join(folder, 'spare'))).toEqual(['new']);
  });
});
