// `npm run sim`: bundles test/sim/main.ts (with --gossip: test/sim/gossip.ts; Node 20 runs no TypeScript) and runs it.
// The bundle is named after what is in it: a campaign starts more processes from it, and goes on with the same code while the sources change.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleOptions } from './bundled.mjs';
import { EnsureError, ensureInstalled, ensureNode } from './ensure.mjs';

try {
  ensureNode();
  ensureInstalled();
} catch (error) {
  if (!(error instanceof EnsureError)) throw error;
  console.error(error.message);
  process.exit(1);
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const entry = process.argv.some((argument) => argument.split('=')[0] === '--gossip') ? 'gossip' : 'main';
const cache = join(root, 'node_modules/.cache/tenuto');
mkdirSync(cache, { recursive: true });
const { build } = await import('esbuild');
const { outputFiles } = await build({ ...bundleOptions(`test/sim/${entry}.ts`), outdir: cache, write: false });
const [{ contents }] = outputFiles;
const name = `sim-${entry}-${createHash('sha256').update(contents).digest('hex').slice(0, 16)}.mjs`;
const outfile = join(cache, name);
/** ms after which nobody runs a bundle any more. */
const UNUSED_MS = 7 * 24 * 3_600_000;
for (const other of readdirSync(cache).filter((file) => /^sim-.*\.mjs$/.test(file))) {
  const path = join(cache, other);
  if (Date.now() - statSync(path).mtimeMs > UNUSED_MS) rmSync(path);
}
try {
  writeFileSync(outfile, contents, { flag: 'wx' });
} catch (error) {
  if (error.code !== 'EEXIST') throw error;
  utimesSync(outfile, new Date(), new Date());
}
process.argv[1] = outfile;
process.setSourceMapsEnabled(true);
await import(pathToFileURL(outfile).href);
