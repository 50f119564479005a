// `npm pack`, also in a fresh clone: installs and builds what is missing. On standard error: npm's own output belongs to whoever packs.
import { EnsureError, ensureBuilt, ensureInstalled, ensureNode } from './ensure.mjs';

try {
  const say = (line) => console.error(line);
  ensureNode();
  ensureInstalled({ say });
  ensureBuilt({ say });
} catch (error) {
  console.error(error instanceof EnsureError ? error.message : error);
  process.exit(1);
}
