// A small file that is there as it was or as it is now, never in between. Used by state.ts and peer-memory.ts.

import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Beside, then in its place: a crash leaves the old one or the new one. Durable when it resolves; one call at a time for each file. */
export async function writeWhole(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const beside = `${file}.new`;
  const handle = await open(beside, 'w');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, file);
  const directory = await open(dirname(file), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
