// `npm run chaos`: builds what is missing, bundles test/chaos/cluster/main.ts (Node 20 runs no TypeScript) and runs it. Each source keeps its own
// `import.meta.url`.
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EnsureError, ensureBuilt, ensureInstalled, ensureNode, ROOT } from './ensure.mjs';

try {
  ensureNode();
  ensureInstalled();
  ensureBuilt();
} catch (error) {
  if (!(error instanceof EnsureError)) throw error;
  console.error(error.message);
  process.exit(1);
}

const outfile = join(ROOT, 'node_modules/.cache/tenuto/chaos.mjs');
mkdirSync(dirname(outfile), { recursive: true });
const { build } = await import('esbuild');
await build({
  entryPoints: [join(ROOT, 'test/chaos/cluster/main.ts')],
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
      name: 'own-sources',
      setup(builder) {
        // As vitest's aliases: our own package is its sources.
        builder.onResolve({ filter: /^tenuto\// }, ({ path }) => ({
          path: join(ROOT, 'sdk', path.slice('tenuto/'.length), 'index.ts'),
        }));
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
