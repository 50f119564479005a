// `npm run build`: compiles the sources into dist/, and bundles the `tenuto` command into dist/cli/. Loading the command's hundreds of files one by
// one would take longer than all the rest of a node's start (docs/decisions/0045-the-command-is-a-bundle.md). Used by ensure.mjs and the image too.

import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Throws with what tsc or esbuild says.
 * @param {string} root
 */
export function build(root) {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const done = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, encoding: 'utf8' });
  if (done.status !== 0) {
    throw new Error(`${done.stdout ?? ''}${done.stderr ?? ''}`.trim() || done.error?.message || 'tsc said nothing');
  }
  const outdir = join(root, 'dist', 'cli');
  // Chunks are called after what is in them.
  rmSync(outdir, { recursive: true, force: true });
  createRequire(join(root, 'package.json'))('esbuild').buildSync({
    absWorkingDir: root,
    entryPoints: { tenuto: 'dist/src/cli/main.js' },
    outdir,
    bundle: true,
    // What a command does not use is not loaded, as before.
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    sourcemap: true,
    logLevel: 'silent',
  });
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    build(fileURLToPath(new URL('..', import.meta.url)));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
