// Folders for the data of what is under load: gone when the run is over, also when it is broken off.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './at-end.ts';

/** What takes back that it is removed at the end. */
const folders = new Map<string, () => void>();

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tenuto-bench-'));
  folders.set(
    folder,
    atEnd(() => remove(folder)),
  );
  return folder;
}

export function removeFolder(folder: string): void {
  folders.get(folder)?.();
  folders.delete(folder);
  remove(folder);
}

function remove(folder: string): void {
  // A process that was told to end may still write.
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
