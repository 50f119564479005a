// `npm start`: from a fresh clone to the running demo (examples/order-fulfillment). Arguments go to it: npm start -- --chaos

import { EnsureError, ensureBuilt, ensureInstalled, ensureNode } from './scripts/ensure.mjs';

try {
  ensureNode();
  ensureInstalled();
  ensureBuilt();
} catch (error) {
  console.error(error instanceof EnsureError ? error.message : error);
  process.exit(1);
}
// In this same process: Ctrl-C, exit code and terminal are the demo's own.
await import('./dist/examples/order-fulfillment/main.js');
