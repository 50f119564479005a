// `npm run chaos`: builds what is missing, and runs test/chaos/cluster/main.ts.
import { runBundled } from './bundled.mjs';
import { EnsureError, ensureBuilt, ensureInstalled, ensureNode } from './ensure.mjs';

try {
  ensureNode();
  ensureInstalled();
  ensureBuilt();
} catch (error) {
  if (!(error instanceof EnsureError)) throw error;
  console.error(error.message);
  process.exit(1);
}

await runBundled('test/chaos/cluster/main.ts', 'chaos', 'sources');
