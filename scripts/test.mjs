// `npm test`: installs and builds what is missing, then runs every test (or those named: `npm test -- src/core`).
// Ends with the line `N passed, N failed`; exit code 1 when any failed.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { EnsureError, ensureBuilt, ensureInstalled, ensureNode, ROOT } from './ensure.mjs';

try {
  ensureNode();
  ensureInstalled();
  ensureBuilt();
} catch (error) {
  if (!(error instanceof EnsureError)) throw error;
  console.error(error.message);
  console.log('\n0 passed, 1 failed');
  process.exit(1);
}

const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const child = spawn(process.execPath, [vitest, 'run', ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 1));
