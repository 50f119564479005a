// What a node says on its terminal once it listens. One of a cluster may wait for others: it says for what, and once more when it is ready.

import type { RunningNode } from '../node.ts';

/** How often it is asked whether it is ready now, ms. */
export const READY_POLL_MS = 250;

/** `where`: where its data is, for people. `grpc`: what was asked of the door for gRPC, which may have been left out as its port was taken. */
export function announce(
  node: Pick<RunningNode, 'address' | 'grpcAddress' | 'notReady'>,
  where: string,
  say: (line: string) => void,
  grpc?: { port: number },
): void {
  const taken = grpc === undefined ? '' : `, no gRPC as port ${grpc.port} is taken (--grpc-port)`;
  const door = node.grpcAddress === undefined ? taken : `, gRPC on ${node.grpcAddress}`;
  const on = `on ${node.address ?? '(no socket)'}${door}, ${where}`;
  const why = node.notReady();
  if (why === undefined) {
    say(`Tenuto is ready ${on}. Ctrl-C ends it.\n`);
    return;
  }
  say(`Tenuto listens ${on}. Not ready: ${why}. Ctrl-C ends it.\n`);
  const poll = setInterval(() => {
    if (node.notReady() !== undefined) return;
    clearInterval(poll);
    say(`Tenuto is ready ${on}.\n`);
  }, READY_POLL_MS);
  poll.unref();
}
