// Before a test run: names the folder where its one PostgreSQL lives, should a test ask for it (postgres.ts). After it: ends that server, by
// its process id, and removes the folder.

import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Workers inherit it. */
export const RUN_VARIABLE = 'TENUTO_TEST_POSTGRES';
const END_MS = 5_000;

export default function setup(): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tenuto-postgres-run-'));
  // The server runs as another user: it passes through, and sees its own folder only.
  chmodSync(folder, 0o711);
  process.env[RUN_VARIABLE] = folder;
  return async () => {
    const ready = join(folder, 'ready.json');
    if (existsSync(ready)) await end((JSON.parse(readFileSync(ready, 'utf8')) as { pid: number }).pid);
    rmSync(folder, { recursive: true, force: true });
  };
}

async function end(pid: number): Promise<void> {
  const send = (signal: NodeJS.Signals | 0): boolean => {
    try {
      return process.kill(pid, signal);
    } catch {
      return false;
    }
  };
  // Fast: the data is thrown away, and nobody is connected any more.
  send('SIGINT');
  const giveUpAt = Date.now() + END_MS;
  while (send(0)) {
    if (Date.now() > giveUpAt) send('SIGQUIT');
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (Date.now() > 2 * END_MS + giveUpAt) return;
  }
}
