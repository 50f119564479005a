// Schedules that are all due within a minute, one time each: every one must start one run, and the node's memory stays bounded. Latency here is how long
// after its due time a schedule's start was taken up; that each fired once is read off the list of schedules and the count of runs.

import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from 'tenuto/client';
import type { Scenario, ScenarioContext } from '../lib/model.ts';
import { usageOf } from '../lib/proc.ts';
import type { Measurement } from '../lib/report.ts';
import { inLanes, ownMeasurement, parameter, withTenuto } from '../lib/scenario.ts';
import type { RunningTenuto } from '../tenuto/system.ts';

const NAMESPACE = 'default';
const DAY_MS = 86_400_000;
const SECOND_MS = 1_000;
const AT_A_TIME = 256;
const PAGE = 1_000;
const LOOK_MS = 500;
const TELL_EVERY = 1_000;
const REQUEST_MS = 120_000;
/** Between the last one made and the first one due. */
const MARGIN_MS = 10_000;
/** After the last one is due. */
const PATIENCE_MS = 1_800_000;
const HEARD_MS = 30_000;

export const schedules: Scenario = {
  name: 'schedules',
  shows: 'schedules due within a minute, once each: how late they are, and the memory',
  runs: 'asked',
  parameters: {
    schedules: { what: 'schedules', usual: 100_000, quick: 2_000 },
    withinSeconds: { what: 'seconds within which all are due', usual: 60, quick: 10 },
    madePerSecond: { what: 'schedules made a second, at least', usual: 500, quick: 200 },
  },
  shapes: [],
  needs: 'tenuto',
  run: async (context) => [await withTenuto(context, (running) => fireAll(context, running))],
};

interface Peak {
  rssMiB: number;
  rssAnonMiB: number;
}

async function fireAll(context: ScenarioContext, running: RunningTenuto): Promise<Measurement> {
  const count = parameter(context, 'schedules');
  const connection = await Connection.connect({ address: running.node.address, requestTimeout: REQUEST_MS });
  const peak: Peak = { rssMiB: 0, rssAnonMiB: 0 };
  try {
    const firstDueMs = dueAfter((count / parameter(context, 'madePerSecond')) * SECOND_MS + MARGIN_MS);
    const begunAtMs = performance.now();
    await makeAll(context, running, connection, firstDueMs, peak);
    const madeSeconds = (performance.now() - begunAtMs) / SECOND_MS;
    const before = usageOf(running.node.pid);
    if (Date.now() >= firstDueMs)
      throw new Error(`the first of ${count} schedules was due before the last was made: lower madePerSecond`);
    context.progress.say(`schedules: the first is due in ${Math.round((firstDueMs - Date.now()) / SECOND_MS)} s`);
    await sleep(firstDueMs - Date.now());
    await untilAllClosed(context, running, connection, count, peak);
    const seconds = (Date.now() - firstDueMs) / SECOND_MS;
    const lateMs = await heardOfAll(connection, count);
    const at = (share: number): number => lateMs[Math.min(lateMs.length - 1, Math.floor(share * lateMs.length))] ?? 0;
    return ownMeasurement(context, {
      scenario: 'schedules',
      operation: 'schedule fired',
      done: count,
      seconds,
      figures: [
        { name: 'made', value: count / madeSeconds, unit: '/s' },
        { name: 'runs, of as many schedules', value: count, unit: '' },
        { name: 'from the first due to the last run’s end', value: seconds, unit: 's' },
        { name: 'late, p50', value: at(0.5), unit: 'ms' },
        { name: 'late, p99', value: at(0.99), unit: 'ms' },
        { name: 'late, most', value: at(1), unit: 'ms' },
        { name: 'RssAnon, all armed', value: before?.rssAnonMiB ?? Number.NaN, unit: 'MiB' },
        { name: 'RssAnon, peak', value: peak.rssAnonMiB, unit: 'MiB' },
        { name: 'RSS, peak', value: peak.rssMiB, unit: 'MiB' },
      ],
    });
  } finally {
    await connection.close();
  }
}

/** A whole second. */
const dueAfter = (ms: number): number => Math.ceil((Date.now() + ms) / SECOND_MS) * SECOND_MS;

async function makeAll(
  context: ScenarioContext,
  running: RunningTenuto,
  connection: Connection,
  firstDueMs: number,
  peak: Peak,
): Promise<void> {
  const count = parameter(context, 'schedules');
  const within = parameter(context, 'withinSeconds');
  const input = { payloads: [payload({ value: 1, count: 0 })] };
  context.progress.say(`schedules: ${count} are made`);
  await inLanes(count, AT_A_TIME, async (i) => {
    const scheduleId = `due-${i}`;
    const dueMs = firstDueMs + (i % within) * SECOND_MS;
    const workflow = { workflowId: `of-${scheduleId}`, workflowType: 'none', taskQueue: running.taskQueue, input };
    const interval = [{ interval: DAY_MS, phase: dueMs % DAY_MS }];
    const schedule = { spec: { interval, endTime: dueMs }, action: { startWorkflow: workflow } };
    const request = { namespace: NAMESPACE, scheduleId, schedule, identity: 'bench', requestId: scheduleId };
    await connection.request('createSchedule', request, { timeoutMs: REQUEST_MS });
    if (i % TELL_EVERY === 0) context.progress.tick(`${i} made, node ${look(running, peak)}`);
  });
}

/** Every run has closed, and there are no more of them. */
async function untilAllClosed(
  context: ScenarioContext,
  running: RunningTenuto,
  connection: Connection,
  count: number,
  peak: Peak,
): Promise<void> {
  const runs = async (query: string): Promise<number> =>
    (await connection.request('countWorkflowExecutions', { namespace: NAMESPACE, query }, { timeoutMs: REQUEST_MS }))
      .count;
  const giveUpAtMs = Date.now() + parameter(context, 'withinSeconds') * SECOND_MS + PATIENCE_MS;
  for (;;) {
    const closed = await runs("ExecutionStatus = 'Completed'");
    context.progress.tick(`${closed} runs have ended, node ${look(running, peak)}`);
    if (closed >= count) break;
    if (Date.now() > giveUpAtMs) throw new Error(`${closed} of ${count} schedules' runs have ended`);
    await sleep(LOOK_MS);
  }
  const all = await runs('');
  if (all !== count) throw new Error(`${count} schedules started ${all} runs`);
}

/** News of a run reaches its schedule a moment after the run is there. */
async function heardOfAll(connection: Connection, count: number): Promise<number[]> {
  const giveUpAtMs = Date.now() + HEARD_MS;
  for (;;) {
    const late = await lateness(connection);
    if (late.length === count) return late;
    if (late.length > count || Date.now() > giveUpAtMs)
      throw new Error(`${late.length} of ${count} schedules are listed as having fired`);
    await sleep(LOOK_MS);
  }
}

/** Of each schedule that has fired, which must be once: ms from its due time to its start, least first. */
async function lateness(connection: Connection): Promise<number[]> {
  const late: number[] = [];
  for (let nextPageToken: Uint8Array | undefined, more = true; more; ) {
    const request = { namespace: NAMESPACE, maximumPageSize: PAGE, nextPageToken };
    const page = await connection.request('listSchedules', request, { timeoutMs: REQUEST_MS });
    for (const { scheduleId, info } of page.schedules) {
      const [action, other] = info.recentActions;
      if (other !== undefined) throw new Error(`schedule ${scheduleId} fired ${info.recentActions.length} times`);
      if (action !== undefined) late.push(action.actualTime - action.scheduleTime);
    }
    nextPageToken = page.nextPageToken;
    more = nextPageToken !== undefined && nextPageToken.length > 0;
  }
  return late.sort((a, b) => a - b);
}

function look({ node }: RunningTenuto, peak: Peak): string {
  const { rssMiB = 0, rssAnonMiB = 0 } = usageOf(node.pid) ?? {};
  peak.rssMiB = Math.max(peak.rssMiB, rssMiB);
  peak.rssAnonMiB = Math.max(peak.rssAnonMiB, rssAnonMiB);
  return `RssAnon ${rssAnonMiB.toFixed(0)} MiB, RSS ${rssMiB.toFixed(0)} MiB`;
}

function payload(value: unknown): { metadata: Record<string, Uint8Array>; data: Uint8Array } {
  const encoder = new TextEncoder();
  return { metadata: { encoding: encoder.encode('json/plain') }, data: encoder.encode(JSON.stringify(value)) };
}
