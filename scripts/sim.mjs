// `npm run sim`: bundles test/sim/main.ts (with --gossip: test/sim/gossip.ts; Node 20 runs no TypeScript) and runs it. Each source keeps its own `import.meta.url`.
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
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
const outfile = join(root, `node_modules/.cache/tenuto/sim-${entry}.mjs`);
mkdirSync(dirname(outfile), { recursive: true });
const { build } = await import('esbuild');
await build({
  entryPoints: [join(root, `test/sim/${entry}.ts`)],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: 'inline',
  packages: 'external',
  logLevel: 'warning',
  plugins: [
    {
      name: 'own-url',
      setup(builder) {
        builder.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
          contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
          loader: 'ts',
        }));
      },
    },
  ],
});
process.setSourceMapsEnabled(true);
await import(pathToFileURL(outfile).href);
