// `npm run profile`: installs and builds what is missing, then runs bench/profile/main.ts.
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
await import('../dist/bench/profile/main.js');
