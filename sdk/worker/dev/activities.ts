// Activities as a module that is loaded again when it changes: bundled without its packages, and imported under a name of its own each time, because
// Node keeps what it imported once.

import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { isRecord } from '../../common/type-helpers.ts';

export interface LoadedActivities {
  /** By name: the functions that the module exports. */
  readonly functions: ReadonlyMap<string, (...args: unknown[]) => unknown>;
  /** Its own files, absolute. */
  readonly files: readonly string[];
}

/** @throws Error of esbuild with file and line, or of the module itself as it is loaded */
export async function loadActivities(path: string): Promise<LoadedActivities> {
  const folder = folderFor(resolve(path));
  try {
    const outfile = join(folder, 'activities.mjs');
    const { metafile } = await build({
      ...{ entryPoints: [resolve(path)], outfile, bundle: true, packages: 'external', metafile: true },
      ...{ platform: 'node', target: 'node20', format: 'esm', sourcemap: 'inline', logLevel: 'silent' },
    });
    const module: unknown = await import(pathToFileURL(outfile).href);
    const functions = new Map<string, (...args: unknown[]) => unknown>();
    for (const [name, value] of Object.entries(isRecord(module) ? module : {})) {
      // What it takes and gives back is the activity's and its callers' affair.
      if (typeof value === 'function') functions.set(name, value as (...args: unknown[]) => unknown);
    }
    const files = Object.keys(metafile.inputs).map((file) => resolve(file));
    return { functions, files: files.filter((file) => !file.split(sep).includes('node_modules')) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where its packages are found from: beneath the nearest node_modules. */
function folderFor(path: string): string {
  for (let at = dirname(path); ; at = dirname(at)) {
    const modules = join(at, 'node_modules');
    if (existsSync(modules)) {
      const cache = join(modules, '.cache');
      mkdirSync(cache, { recursive: true });
      return mkdtempSync(join(cache, 'tenuto-'));
    }
    if (dirname(at) === at) return mkdtempSync(join(tmpdir(), 'tenuto-'));
  }
}
