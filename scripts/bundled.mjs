// Runs a program of ours that is written in TypeScript and not part of dist/: bundled first, since Node 20 runs no TypeScript. Each source keeps its
// own `import.meta.url`. sim.mjs keeps its bundles by what is in them, and takes the options alone.
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './ensure.mjs';

/** For esbuild. @param {string} entry of the program, from the root */
export const bundleOptions = (entry, plugins = []) => ({
  entryPoints: [join(ROOT, entry)],
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: 'inline',
  packages: 'external',
  logLevel: 'warning',
  plugins: [...plugins, OWN_URLS],
});

const OWN_URLS = {
  name: 'own-urls',
  setup(builder) {
    builder.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
      loader: 'ts',
    }));
  },
};

/** What `tenuto/client` and the like are. */
const packageFrom = (tenuto) => ({
  name: 'own-package',
  setup(builder) {
    builder.onResolve({ filter: /^tenuto\// }, ({ path }) => {
      const part = path.slice('tenuto/'.length);
      if (tenuto === 'sources') return { path: join(ROOT, 'sdk', part, 'index.ts') };
      return { path: pathToFileURL(join(ROOT, 'dist/sdk', part, 'index.js')).href, external: true };
    });
  },
});

/**
 * Dependencies must be installed by now.
 * @param {string} entry of the program, from the root
 * @param {string} name of the bundle in the cache
 * @param {'sources' | 'built'} tenuto what `tenuto/client` and the like are: our sources, as vitest's aliases have them, or what is in dist/ (a worker
 *   bundles and starts modules of its own, by their places)
 */
export async function runBundled(entry, name, tenuto) {
  const outfile = join(ROOT, `node_modules/.cache/tenuto/${name}.mjs`);
  mkdirSync(dirname(outfile), { recursive: true });
  const { build } = await import('esbuild');
  await build({ ...bundleOptions(entry, [packageFrom(tenuto)]), outfile });
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(outfile).href);
}
