import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { FeishuAuthError } from '../../errors/feishu-auth.error.js';
import { checkedLimit, dueTimeOf } from './due-time.js';
import { DamagedLoginError } from './file/damaged-login.error.js';
import { type DueMarker, DueMarkers } from './file/due-markers.js';
import { diskOperations, type FileOperations } from './file/file-operations.js';
import { LoginFolder } from './file/login-folder.js';
import { UserTokenStore } from './user-token-store.js';

/** What the file of a login contains. The key is there to tell which login it is: its folder has a hash as its name. */
interface FileRecord {
  readonly key: string;
  readonly value: string;
  readonly dueAt?: number | undefined;
}

/**
 * @publicApi
 */
export interface FileUserTokenStoreOptions {
  /**
   * The folder of the logins. It is created if it does not exist, for the owner only (0700), and must be on a disk of this
   * host, not on a network share. All processes of the application use the same one, under the same account. Keep it
   * across deployments, and back it up: without it every user has to log in again.
   */
  directory: string;
}

/**
 * Logins in files, for an application whose processes all run on one host. Nothing else is needed: no server, no package.
 *
 * A write that was answered is on the disk. Processes need no lock, so a process that is killed or paused at any moment
 * blocks no other. The value is stored as it is given: set `encryptionKeys`, or the files contain refresh tokens in clear
 * text. Files are readable by their owner only (0600).
 *
 * @example
 * FeishuAuthModule.forRoot({ ..., users: { store: new FileUserTokenStore({ directory: '/var/lib/my-app/logins' }) } });
 *
 * @publicApi
 */
export class FileUserTokenStore extends UserTokenStore {
  private readonly directory: string;
  private readonly spare: string;
  private readonly due: DueMarkers;

  /**
   * @param files what tests replace; the disk by default
   * @throws FeishuAuthError `ERR_FEISHU_CONFIG_INVALID` if the directory cannot be created, read and written
   */
  constructor(
    { directory }: FileUserTokenStoreOptions,
    private readonly files: FileOperations = diskOperations,
  ) {
    super();
    if (typeof directory !== 'string' || directory === '') {
      throw new FeishuAuthError('ERR_FEISHU_CONFIG_INVALID', 'FileUserTokenStore: directory must be a path');
    }
    this.directory = resolve(directory);
    this.spare = join(this.directory, 'spare');
    this.due = new DueMarkers(files, join(this.directory, 'due'));
    try {
      files.prepare(this.directory);
    } catch (cause) {
      throw new FeishuAuthError(
        'ERR_FEISHU_CONFIG_INVALID',
        `FileUserTokenStore: the directory ${this.directory} cannot be written (${String((cause as NodeJS.ErrnoException).code)}). Give the path of a folder that this process may create, read and write.`,
        { cause },
      );
    }
  }

  async get(key: string): Promise<{ value: string; version: string } | undefined> {
    const found = await this.read(idOf(key));
    return found && { value: found.record.value, version: found.version };
  }

  async put(
    key: string,
    value: string,
    ifVersion: string | null,
    options?: { dueAt?: Date | undefined },
  ): Promise<string | undefined> {
    const dueAt = dueTimeOf(options);
    const login = idOf(key);
    const before = await this.read(login);
    if ((before?.version ?? null) !== ifVersion) return undefined;

    if (dueAt !== undefined) await this.due.add({ login, dueAt });
    const record: FileRecord = { key, value, dueAt };
    const version = await this.folderOf(login).write(JSON.stringify(record), ifVersion);
    if (version === undefined) {
      await this.removeMarker(login, dueAt);
      return undefined;
    }
    // Another process may have removed it before there was a record that needs it.
    if (dueAt !== undefined) await this.due.ensure({ login, dueAt });
    if (before?.record.dueAt !== dueAt) await this.removeMarker(login, before?.record.dueAt);
    return version;
  }

  async delete(key: string, ifVersion: string): Promise<boolean> {
    const login = idOf(key);
    const before = await this.read(login);
    if (before?.version !== ifVersion || !(await this.folderOf(login).delete(ifVersion))) return false;
    await this.removeMarker(login, before.record.dueAt);
    return true;
  }

  override async dueBefore(time: Date, limit: number): Promise<string[]> {
    const damaged = new Set<string>();
    for (;;) {
      const markers = await this.due.earliest(time.getTime(), checkedLimit(limit), damaged);
      const keys: string[] = [];
      for (const marker of markers) {
        const key = await this.keyOf(marker).catch((error: unknown) => {
          // One damaged login must not keep all others from being listed. A read of it tells.
          if (!(error instanceof DamagedLoginError)) throw error;
          damaged.add(marker.login);
        });
        if (key !== undefined) keys.push(key);
      }
      if (keys.length === markers.length || markers.length < limit) return keys;
    }
  }

  /** The key of a login that is due as its marker says. */
  private async keyOf({ login, dueAt }: DueMarker): Promise<string | undefined> {
    const record = (await this.read(login))?.record;
    if (record?.dueAt === dueAt) return record.key;
    // Left behind by a process that was killed.
    await this.removeMarker(login, dueAt);
    return undefined;
  }

  /** The folder of a login. 256 folders of folders, because some file systems allow only 32,000 folders in one. */
  private folderOf(login: string): LoginFolder {
    const folder = join(this.directory, 'logins', login.slice(0, 2), login);
    return new LoginFolder(this.files, folder, this.spare);
  }

  private async read(login: string): Promise<{ record: FileRecord; version: string } | undefined> {
    const found = await this.folderOf(login).read();
    return found && { record: recordOf(found.text, login), version: found.version };
  }

  private async removeMarker(login: string, dueAt: number | undefined): Promise<void> {
    if (dueAt === undefined) return;
    const isNeeded = async (): Promise<boolean> => (await this.read(login))?.record.dueAt === dueAt;
    await this.due.removeUnlessNeeded({ login, dueAt }, isNeeded);
  }
}

/** A file name for any key: keys may be long, and may differ in case only. */
const idOf = (key: string): string => createHash('sha256').update(key, 'utf16le').digest('hex');

function recordOf(text: string, login: string): FileRecord {
  try {
    const record = JSON.parse(text) as Partial<FileRecord>;
    if (typeof record.key === 'string' && typeof record.value === 'string') return record as FileRecord;
  } catch {
    // Not as the cause of the error below: a JSON error quotes the text.
  }
  throw new DamagedLoginError(login, 'its record is not what this store wrote');
}
