import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const SPARE_LIFE_MS = 3_600_000;

/**
 * Creates the folders of a file store for the owner only, proves that files can be made there, and removes what killed
 * processes have left behind. Synchronous, so that a wrong path stops the start of the application.
 *
 * @throws what the file system reports
 * @internal
 */
export function prepareFolders(directory: string): void {
  const made = ['logins', 'due', 'spare'].map((name) =>
    mkdirSync(join(directory, name), { recursive: true, mode: 0o700 }),
  );
  // A new folder survives a power cut only if the one above it is on the disk.
  for (const folder of made) if (folder !== undefined) syncFolders(directory, dirname(folder));
  const spare = join(directory, 'spare');
  const probe = join(spare, randomUUID());
  closeSync(openSync(probe, 'wx', 0o600));
  rmSync(probe);
  removeOldSpares(spare);
}

function removeOldSpares(spare: string): void {
  for (const name of readdirSync(spare)) {
    const path = join(spare, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > SPARE_LIFE_MS) rmSync(path, { recursive: true, force: true });
  }
}

/** From `folder` up to `last`. */
function syncFolders(folder: string, last: string): void {
  syncFolder(folder);
  if (folder !== last && folder !== dirname(folder)) syncFolders(dirname(folder), last);
}

function syncFolder(folder: string): void {
  // Windows does not open folders.
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
