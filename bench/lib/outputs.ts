// Files that a run writes at its end: looked at in its beginning, for who has waited for hours must not hear then that there is no such folder.

import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from './flags.ts';

/** @throws UsageError when the file cannot be written; nothing is written, and nothing made */
export function mustBeWritable(flag: string, file: string | undefined): void {
  if (file === undefined) return;
  const wrong = (why: string): UsageError => new UsageError(`${flag} ${file} cannot be written: ${why}`);
  if (file === '') throw new UsageError(`${flag} must name a file`);
  const folder = dirname(resolve(file));
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw wrong(`there is no folder ${folder}`);
  }
  const there = statSync(file, { throwIfNoEntry: false });
  if (there?.isDirectory() === true) throw wrong('it is a folder');
  try {
    accessSync(there === undefined ? folder : file, constants.W_OK);
  } catch {
    throw wrong('this user may not');
  }
}
