// Temporal's side of a client process: its own client. As a program, `client.mjs ADDRESS` sends the server's version to its parent, or why there is
// none.

import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';

const CONNECT_TIMEOUT = '10s';

/** @param settings `{ address, taskQueue, run }`; `run` goes before each id: the server may know the ids of earlier runs */
export async function connect({ address, taskQueue, run }) {
  const connection = await Connection.connect({ address, connectTimeout: CONNECT_TIMEOUT });
  const { workflow } = new Client({ connection });
  return {
    execute: ({ kind, id, input }) => workflow.execute(kind, { workflowId: `${run}-${id}`, taskQueue, args: [input] }),
    close: () => connection.close(),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  let answer;
  try {
    const connection = await Connection.connect({ address: process.argv[2], connectTimeout: CONNECT_TIMEOUT });
    const { serverVersion } = await connection.workflowService.getSystemInfo({});
    await connection.close();
    answer = { serverVersion: serverVersion || 'unknown' };
  } catch (error) {
    answer = { why: error instanceof Error ? error.message : String(error) };
  }
  // Its parent ends it: what a process says while it exits may come late.
  process.on('disconnect', () => process.exit(0));
  process.send?.(answer);
}
