// Temporal's side of a client process: its own client. As a program, `client.mjs ADDRESS` sends the server's version to its parent, or why there is
// none.

import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';

const CONNECT_TIMEOUT = '10s';
const DAY_MS = 86_400_000;

/** @param settings `{ address, taskQueue, run }`; `run` goes before each id: the server may know the ids of earlier runs */
export async function connect({ address, taskQueue, run }) {
  const connection = await Connection.connect({ address, connectTimeout: CONNECT_TIMEOUT });
  const { workflow, schedule } = new Client({ connection });
  const ours = (id) => `${run}-${id}`;
  const handle = (id) => workflow.getHandle(ours(id));
  const call = {
    start: ({ work: { kind, id, input } }) => workflow.start(kind, { workflowId: ours(id), taskQueue, args: [input] }),
    signal: ({ id, name }) => handle(id).signal(name),
    query: ({ id, name }) => handle(id).query(name),
    update: ({ id, name }) => handle(id).executeUpdate(name),
    result: ({ id }) => handle(id).result(),
    count: async ({ filter }) => (await workflow.count(here(filter))).count,
    schedule: ({ id, dueMs, work }) =>
      schedule.create({
        scheduleId: ours(id),
        spec: { intervals: [{ every: DAY_MS, offset: dueMs % DAY_MS }], endAt: new Date(dueMs) },
        action: {
          ...{ type: 'startWorkflow', workflowType: work.kind, workflowId: ours(work.id) },
          ...{ taskQueue, args: [work.input] },
        },
      }),
    schedules: async () => {
      const fired = [];
      for await (const { scheduleId, info } of schedule.list()) {
        const lateMs = (info?.recentActions ?? []).map(({ scheduledAt, takenAt }) => takenAt - scheduledAt);
        if (scheduleId.startsWith(`${run}-`)) fired.push({ id: scheduleId, lateMs });
      }
      return fired;
    },
  };
  /** The server may have executions of others. */
  const here = (filter) => `TaskQueue = '${taskQueue}'${filter === '' ? '' : ` AND (${filter})`}`;
  return {
    execute: ({ kind, id, input }) => workflow.execute(kind, { workflowId: ours(id), taskQueue, args: [input] }),
    call: async (what) => {
      const made = call[what.call];
      if (made === undefined) throw new Error(`the bench has no ${what.call} by Temporal's client`);
      return await made(what);
    },
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
