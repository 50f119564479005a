// Packages say in their package.json which of Node's modules they can do without: `"browser": { "fs": false }`. Workflow code is such a place.

import { readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';

/** By the directory of a file of a package. */
const known = new Map<string, ReadonlySet<string>>();

/** Whether the package that this file is of can do without that module. A project's own files are not asked: there it would hide a mistake. */
export function canDoWithout(file: string, module: string): boolean {
  if (!file.split(sep).includes('node_modules')) return false;
  return doneWithout(dirname(file)).has(module.replace(/^node:/, ''));
}

function doneWithout(directory: string): ReadonlySet<string> {
  const before = known.get(directory);
  if (before !== undefined) return before;
  const found =
    read(join(directory, 'package.json')) ?? (isRoot(directory) ? new Set() : doneWithout(dirname(directory)));
  known.set(directory, found);
  return found;
}

const isRoot = (directory: string): boolean =>
  dirname(directory) === directory || directory.endsWith(`${sep}node_modules`);

/** Undefined where there is no such file, or it names no package: some only say of what kind their modules are. */
function read(file: string): ReadonlySet<string> | undefined {
  try {
    const { name, browser } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; browser?: unknown };
    if (name === undefined) return undefined;
    const replaced = typeof browser === 'object' && browser !== null ? Object.entries(browser) : [];
    return new Set(replaced.filter(([, by]) => by === false).map(([module]) => module.replace(/^node:/, '')));
  } catch {
    return undefined;
  }
}
