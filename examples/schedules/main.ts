// A report each morning, by the clocks of Rome, but not on holidays: created, made up for the past, paused, changed and looked at.
// `node dist/examples/schedules/main.js`; needs no server.

import { fileURLToPath } from 'node:url';
import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from 'tenuto/client';
import { TestWorkflowEnvironment } from 'tenuto/testing';
import { Worker } from 'tenuto/worker';
import { dailyReport } from './workflows.ts';

const TASK_QUEUE = 'reports';
const SCHEDULE = 'report-of-the-day';

function create(client: Client) {
  return client.schedule.create({
    scheduleId: SCHEDULE,
    spec: {
      calendars: [{ hour: 6, minute: 30, comment: 'before the shop opens' }],
      skip: [{ month: 'DECEMBER', dayOfMonth: 25, hour: '*', minute: '*', second: '*' }],
      timezone: 'Europe/Rome',
    },
    action: {
      type: 'startWorkflow',
      workflowType: dailyReport,
      args: ['Trastevere'],
      workflowId: 'report',
      taskQueue: TASK_QUEUE,
    },
    policies: { overlap: ScheduleOverlapPolicy.BUFFER_ALL, catchupWindow: '1 day', pauseOnFailure: true },
    memo: { owner: 'Giulia' },
  });
}

/** What came of it. */
export async function run(): Promise<Record<string, unknown>> {
  const environment = await TestWorkflowEnvironment.createLocal();
  const { client } = environment;
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(
      new URL(`./workflows${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
    ),
  });
  try {
    return await worker.runUntil(async () => {
      const answers: Record<string, unknown> = {};
      const handle = await create(client);
      answers.again = await create(client).catch((error: unknown) => error instanceof ScheduleAlreadyRunning);
      await handle.pause('the printer is broken');
      answers.paused = (await handle.describe()).state;
      await handle.unpause('it is repaired');

      // Christmas is skipped, and the reports follow each other: what one returns the next one finds.
      await handle.backfill({ start: new Date('2030-12-23T00:00:00Z'), end: new Date('2030-12-28T00:00:00Z') });
      answers.reports = await reports(client, 4);

      await handle.update((previous) => ({
        ...previous,
        spec: { ...previous.spec, calendars: [{ hour: 7, dayOfWeek: { start: 'MONDAY', end: 'FRIDAY' } }] },
      }));
      const { spec, info, memo } = await handle.describe();
      answers.hour = spec.calendars?.[0]?.hour;
      answers.info = { taken: info.numActionsTaken, skipped: info.numActionsSkippedOverlap };
      answers.owner = memo?.owner;
      const listed: string[] = [];
      for await (const { scheduleId } of client.schedule.list({ query: 'TemporalSchedulePaused = false' }))
        listed.push(scheduleId);
      answers.listed = listed;
      await handle.delete();
      return answers;
    });
  } finally {
    await environment.teardown();
  }
}

/** The results of the runs, once there are so many. */
async function reports(client: Client, count: number): Promise<unknown[]> {
  const results: unknown[] = [];
  const query = `TemporalScheduledById = '${SCHEDULE}' ORDER BY TemporalScheduledStartTime`;
  for (let found: string[] = []; results.length < count; ) {
    found = [];
    for await (const { workflowId } of client.workflow.list({ query })) found.push(workflowId);
    const next = found[results.length];
    if (next === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    else results.push(await client.workflow.getHandle(next).result());
  }
  return results;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(await run(), null, 2));
