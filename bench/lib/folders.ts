// Folders for the data of what is under load: gone when the run is over, also when it is broken off (Ctrl-C, SIGTERM).

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders = new Set<string>();
process.once('exit', removeAll);

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tenuto-bench-'));
  folders.add(folder);
  return folder;
}

export function removeFolder(folder: string): void {
  folders.delete(folder);
  // A process that was told to end may still write.
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

function removeAll(): void {
  for (const folder of folders) removeFolder(folder);
}
