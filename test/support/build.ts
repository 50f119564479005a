// Builds dist/ once per test run where it is missing or older than the sources: some tests start real processes and threads.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const BUILD = "import('./scripts/ensure.mjs').then(({ ensureBuilt }) => ensureBuilt())";

export default function setup(): void {
  // For a quick run of tests that start no process.
  if (process.env.TENUTO_SKIP_BUILD === '1') return;
  execFileSync(process.execPath, ['-e', BUILD], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
}
