// What V8 makes of hot code (docs/decisions/0089): a copy by spread that gets a further property has a hidden class of its own, each time. That costs
// 30 times what an object costs, and shows in no profile; V8's log of hidden classes shows it.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from 'tenuto/client';
import { expect, onTestFinished, test } from 'vitest';
import { startServer, temporaryDir } from './support/processes.ts';

const WORKER = fileURLToPath(new URL('../dist/bench/tenuto/worker.js', import.meta.url));
const TASK_QUEUE = 'hot';
const WORKFLOWS = 600;
const AT_A_TIME = 30;

const logTo = (file: string): string[] => ['--log-maps', `--logfile=${file}`];

async function startWorker(address: string, execArgv: string[]): Promise<ChildProcess> {
  const worker = fork(WORKER, [address, TASK_QUEUE, '', ''], { execArgv });
  onTestFinished(() => void worker.kill('SIGKILL'));
  await once(worker, 'message');
  return worker;
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  // It ends when nobody is there any more.
  child.disconnect();
  await exit;
}

/** Places (line and column of what was running, and the property) that made as many hidden classes as there were workflows, or half of them. */
function hiddenClasses(log: string): string[] {
  const counts = new Map<string, number>();
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const [kind, what, , , , , row, column, why, property] = line.split(',');
    // Of a map that keeps no transitions: each object that takes this one gets a map of its own.
    if (kind !== 'map' || what !== 'Transition' || why !== 'prototype') continue;
    const place = `${row}:${column} ${property}`;
    counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count >= WORKFLOWS / 2).map(([place, count]) => `${place} (${count})`);
}

test('neither node nor worker makes objects with hidden classes of their own for each workflow', async () => {
  const directory = temporaryDir();
  const server = await startServer(
    ['start-dev', '--port', '0', '--grpc-port', 'off', '--data-dir', join(directory, 'data')],
    { flags: [...logTo(join(directory, 'node.log')), '--no-logfile-per-isolate'] },
  );
  const worker = await startWorker(server.address, logTo(join(directory, 'worker.log')));
  const connection = await Connection.connect({ address: server.address });
  onTestFinished(() => connection.close());
  const { workflow } = new Client({ connection });
  let left = WORKFLOWS;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const input = { value: 'x', count: 1 };
      await workflow.execute('sequence', { workflowId: `hot-${left}`, taskQueue: TASK_QUEUE, args: [input] });
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
  await ended(worker);
  server.kill('SIGTERM');
  await server.ended;

  const logs = readdirSync(directory).filter((file) => file.endsWith('.log'));
  // The node's, and those of the worker's main thread and of its workflow thread.
  expect(logs.length).toBeGreaterThanOrEqual(3);
  for (const log of logs) {
    expect(readFileSync(join(directory, log), 'utf8'), log).toContain('\nmap,Transition,');
    expect(hiddenClasses(join(directory, log)), log).toEqual([]);
  }
});
