import { prepareFolders } from './prepare-folders.js';
import { access, mkdir, open, opendir, readdir, readFile, rename, rm, unlink } from 'node:fs/promises';

const OWNER_ONLY = { file: 0o600, folder: 0o700 } as const;

/**
 * What the file store does with files. A test replaces it, to stop a process between any two steps.
 *
 * @internal
 */
export interface FileOperations {
  /** Creates the folders `logins`, `due` and `spare` in `directory`. Throws if they cannot be written. */
  readonly prepare: (directory: string) => void;
  /** The names in a folder. */
  readonly list: (folder: string) => Promise<string[]>;
  /** The names in a large folder, a few at a time. */
  readonly scan: (folder: string) => AsyncIterable<string>;
  readonly read: (file: string) => Promise<string>;
  /** Creates a file that does not exist yet, readable by the owner only; resolves when its content is on the disk. */
  readonly create: (file: string, text: string) => Promise<void>;
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly remove: (file: string) => Promise<void>;
  /** Creates a folder and those above it, open to the owner only. It may exist. */
  readonly makeFolder: (folder: string) => Promise<void>;
  readonly removeFolder: (folder: string) => Promise<void>;
  /** Rejects if the folder does not exist. */
  readonly access: (folder: string) => Promise<void>;
  /** Resolves when the names in `folder` are on the disk. */
  readonly sync: (folder: string) => Promise<void>;
}

/**
 * @internal
 */
export const diskOperations: FileOperations = {
  prepare: prepareFolders,
  list: (folder) => readdir(folder),
  async *scan(folder) {
    for await (const entry of await opendir(folder, { bufferSize: 256 })) yield entry.name;
  },
  read: (file) => readFile(file, 'utf8'),
  async create(file, text) {
    const handle = await open(file, 'wx', OWNER_ONLY.file);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  rename: (from, to) => rename(from, to),
  remove: (file) => unlink(file),
  async makeFolder(folder) {
    await mkdir(folder, { recursive: true, mode: OWNER_ONLY.folder });
  },
  removeFolder: (folder) => rm(folder, { recursive: true, force: true }),
  access: (folder) => access(folder),
  async sync(folder) {
    // Windows does not open folders; NTFS writes their changes to its journal in order.
    if (process.platform === 'win32') return;
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

/**
 * Whether an operation failed because a file or folder is not there.
 *
 * @internal
 */
export const isMissing = (error: unknown): boolean => codeOf(error) === 'ENOENT';

/**
 * Whether an operation failed because a file or folder is there already. Windows reports `EPERM` or `EACCES` when a folder
 * should be renamed to one that exists.
 *
 * @internal
 */
export const isTaken = (error: unknown): boolean =>
  ['EEXIST', 'ENOTEMPTY', ...(process.platform === 'win32' ? ['EPERM', 'EACCES'] : [])].includes(
    codeOf(error),
  );

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException | undefined)?.code);
