// Finding ports, and waiting until the node on one of them serves.

import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const HOST = '127.0.0.1';

/** `wanted` when it is free, else any free port. */
export async function freePort(wanted = 0): Promise<number> {
  const port = await tryListen(wanted);
  if (port !== undefined) return port;
  const other = await tryListen(0);
  if (other === undefined) throw new Error(`no free port on ${HOST}`);
  return other;
}

function tryListen(wanted: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(wanted, HOST, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : undefined;
      server.close(() => resolve(port));
    });
  });
}

/** Resolves when `url` answers 2xx. */
export async function untilServing(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const answered = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(1_000)]) }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    );
    if (answered) return;
    await sleep(25);
  }
}
