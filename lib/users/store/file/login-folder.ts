import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { DamagedLoginError } from './damaged-login.error.js';
import { type FileOperations, isMissing, isTaken } from './file-operations.js';

/** More than any race needs; then the folder is damaged. */
const ATTEMPTS = 100;

/** What a pointer says: the record `id` is present or absent, and `after` is the id that it succeeded. */
interface State {
  readonly kind: 'present' | 'absent';
  readonly id: string;
  readonly after: string;
}

const pointerOf = ({ kind, id, after }: State): string => `${kind}.${id}.${after}`;
const fileOf = ({ id, after }: State): string => `${id}.${after}.json`;

/**
 * One login: a folder that is a compare-and-set register for all processes of a host, without a lock that a killed process
 * could leave behind.
 *
 * An empty file, the *pointer*, has the state as its name, and the record is in a file of the same id. To change the state
 * means to rename the pointer. A rename finds its source or fails, so of all writers that saw a state one succeeds, and
 * ids are never used twice, so a writer may pause between any two steps for any time.
 *
 * @internal
 */
export class LoginFolder {
  /** @param spare a folder on the same disk, where new folders are prepared */
  constructor(
    private readonly files: FileOperations,
    private readonly folder: string,
    private readonly spare: string,
  ) {}

  async read(): Promise<{ text: string; version: string } | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const state = await this.state();
      if (state?.kind !== 'present') return undefined;
      const text = await unlessMissing(this.files.read(join(this.folder, fileOf(state))));
      if (text !== undefined) return { text, version: state.id };
      // Replaced since the pointer was read.
    }
    throw this.damaged('its record is missing');
  }

  /** The new version, or `undefined` if the login does not have the version `ifVersion`. */
  async write(text: string, ifVersion: string | null): Promise<string | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const state = await this.state();
      if (versionOf(state) !== ifVersion) return undefined;
      if (!state) {
        await this.makeFolder();
        continue;
      }
      const next: State = { kind: 'present', id: randomUUID(), after: state.id };
      const file = join(this.folder, fileOf(next));
      await this.files.create(file, text);
      // The pointer must not reach the disk before the record that it points to.
      await this.files.sync(this.folder);
      if (await this.moved(state, next)) {
        // The write is done. What cannot be removed now is removed after the next one.
        await this.removeGarbage(next.id).catch(() => undefined);
        return next.id;
      }
      await unlessMissing(this.files.remove(file));
    }
    throw this.damaged('its pointer cannot be renamed');
  }

  /** Whether the login had the version `ifVersion`; if so, its record is gone from the disk. */
  async delete(ifVersion: string): Promise<boolean> {
    const state = await this.state();
    if (!state || versionOf(state) !== ifVersion) return false;
    const next: State = { kind: 'absent', id: randomUUID(), after: state.id };
    if (!(await this.moved(state, next))) return false;
    await this.removeGarbage(next.id);
    return true;
  }

  /** The state at some time during the call; `undefined` if the login was never written. */
  private async state(): Promise<State | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const names = await unlessMissing(this.files.list(this.folder));
      if (!names) {
        // Rejects if the disk was unmounted: then there may well be a login.
        await this.files.access(this.spare);
        return undefined;
      }
      const [state, ...others] = names.map(stateOf).filter((found) => found !== undefined);
      // A list that is made during a rename may have both names or neither.
      if (state && others.length === 0) return state;
      await new Promise(setImmediate);
    }
    throw this.damaged('it has no pointer, or several');
  }

  private async moved(from: State, to: State): Promise<boolean> {
    try {
      await this.files.rename(join(this.folder, pointerOf(from)), join(this.folder, pointerOf(to)));
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
    await this.files.sync(this.folder);
    return true;
  }

  /**
   * Removes the records that can never be current again: neither current nor prepared to succeed the current one. That stays
   * true, so this process may pause before it deletes them. The names are listed first: a record that is prepared later must
   * not be judged by an older state.
   */
  private async removeGarbage(current: string): Promise<void> {
    const names = await this.files.list(this.folder);
    // A later writer removes the garbage itself, once its pointer is on the disk.
    if ((await this.state())?.id !== current) return;
    for (const name of names.filter((found) => found.endsWith('.json'))) {
      const [id, after] = name.split('.');
      if (id === current || after === current) continue;
      await unlessMissing(this.files.remove(join(this.folder, name)));
    }
  }

  /** Prepares a folder with its first pointer and renames it, so that there never is one without a pointer. */
  private async makeFolder(): Promise<void> {
    const prepared = join(this.spare, randomUUID());
    await this.files.makeFolder(prepared);
    await this.files.create(
      join(prepared, pointerOf({ kind: 'absent', id: randomUUID(), after: 'none' })),
      '',
    );
    await this.files.sync(prepared);
    await this.files.makeFolder(dirname(this.folder));
    try {
      await this.files.rename(prepared, this.folder);
    } catch (error) {
      if (!isTaken(error) && !isMissing(error)) throw error;
      await this.files.removeFolder(prepared);
    }
    await this.files.sync(dirname(this.folder));
    await this.files.sync(dirname(dirname(this.folder)));
  }

  private damaged(why: string): Error {
    return new DamagedLoginError(this.folder, why);
  }
}

function stateOf(name: string): State | undefined {
  const [kind, id, after, ...others] = name.split('.');
  if ((kind !== 'present' && kind !== 'absent') || !id || !after || others.length > 0) return undefined;
  return { kind, id, after };
}

const versionOf = (state: State | undefined): string | null => (state?.kind === 'present' ? state.id : null);

async function unlessMissing<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
