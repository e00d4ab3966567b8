import { join } from 'node:path';
import { Earliest } from '../earliest.js';
import { type FileOperations, isMissing, isTaken } from './file-operations.js';

const DIGITS = String(Number.MAX_SAFE_INTEGER).length;

/**
 * @internal
 */
export interface DueMarker {
  readonly login: string;
  readonly dueAt: number;
}

/**
 * Which logins are due when: an empty file for each, with date and login as its name. The markers are an index only; the
 * record of a login says when it is due. A marker is made before the record that needs it, so a process that is killed
 * leaves a marker too many, which the next list removes.
 *
 * @internal
 */
export class DueMarkers {
  constructor(
    private readonly files: FileOperations,
    private readonly folder: string,
  ) {}

  /** Makes the marker if it is missing; resolves when it is on the disk. */
  async add(marker: DueMarker): Promise<void> {
    await this.create(marker);
    await this.files.sync(this.folder);
  }

  /** Makes the marker if it was removed since it was added. */
  async ensure(marker: DueMarker): Promise<void> {
    if (await this.create(marker)) await this.files.sync(this.folder);
  }

  /**
   * Removes a marker that its login does not need.
   *
   * @param isNeeded whether the record of the login has this date now
   */
  async removeUnlessNeeded(marker: DueMarker, isNeeded: () => Promise<boolean>): Promise<void> {
    if (await isNeeded()) return;
    await this.files.remove(this.fileOf(marker)).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
    // A writer may have made the record in between. It makes its marker again after that, or we do here.
    if (await isNeeded()) await this.ensure(marker);
  }

  /** The earliest `limit` markers before `time`, in order, without those of the logins `except`. */
  async earliest(time: number, limit: number, except: ReadonlySet<string>): Promise<DueMarker[]> {
    const earliest = new Earliest<DueMarker>(limit);
    for await (const name of this.files.scan(this.folder)) {
      const [date, login] = name.split('.');
      const dueAt = Number(date);
      if (login !== undefined && dueAt < time && !except.has(login)) earliest.offer(dueAt, { login, dueAt });
    }
    return earliest.items();
  }

  private async create(marker: DueMarker): Promise<boolean> {
    try {
      await this.files.create(this.fileOf(marker), '');
      return true;
    } catch (error) {
      if (isTaken(error)) return false;
      throw error;
    }
  }

  private fileOf({ login, dueAt }: DueMarker): string {
    return join(this.folder, `${String(dueAt).padStart(DIGITS, '0')}.${login}`);
  }
}
