// Timers that fall due faster than workflows can be started: armed before, each for an instant of its own, so many a second. What is told is how late the
// node fired each (its history says when it was due and when it fired), and how fast they went. One that did not fire, fired twice or fired early (I7)
// fails the run, and so does a wrong result.

import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from 'tenuto/client';
import { EventType } from '../../../src/wire/enums.ts';
import { LatencyHistogram } from '../../lib/histogram.ts';
import type { ScenarioContext } from '../../lib/model.ts';
import { same } from '../../lib/plan.ts';
import { usageOf } from '../../lib/proc.ts';
import type { Measurement } from '../../lib/report.ts';
import { inLanes, ownMeasurement, parameter, withDriver } from '../../lib/scenario.ts';
import { Watch } from '../../lib/watch.ts';
import type { RunningTenuto } from '../../tenuto/system.ts';
import { untilAllAsleep } from '../sleeping.ts';

const AT_A_TIME = 256;
/** Of the time that arming them should take: whatever else the machine does, all are armed before the first is due. */
const HEADROOM = 3;
const MARGIN_MS = 2_000;
const TELL_EVERY = 1_000;
const LOOK_MS = 200;
const PATIENCE_MS = 600_000;
const DONE = "WorkflowType = 'due' AND ExecutionStatus = 'Completed'";

interface Fired {
  readonly dueAtMs: number;
  readonly firedAtMs: number;
}

/** @param armedPerSecond how fast workflows were put to sleep before
 * @throws Error when timers are missing, early or twice, or results wrong */
export async function burst(
  context: ScenarioContext,
  running: RunningTenuto,
  armedPerSecond: number,
): Promise<Measurement> {
  const [count, perSecond] = [parameter(context, 'burst'), parameter(context, 'burstPerSecond')];
  const { progress } = context;
  const armingMs = (HEADROOM * count * 1000) / armedPerSecond;
  const firstDueMs = Math.ceil(Date.now() + armingMs + MARGIN_MS);
  const dueMs = (i: number): number => firstDueMs + Math.floor((i * 1000) / perSecond);
  progress.say(`timers: ${count} are armed to be due at ${perSecond} a second`);
  await withDriver(running.target, (driver) =>
    inLanes(count, AT_A_TIME, async (i) => {
      const id = idOf(i);
      await driver.call({ call: 'start', work: { kind: 'due', id, input: { value: id, count: dueMs(i) } } });
      if (i % TELL_EVERY === 0) progress.tick(`${i} armed`);
    }),
  );
  await untilAllAsleep(running);
  if (Date.now() >= firstDueMs) throw new Error(`the first of ${count} timers was due before the last was armed`);
  const armedMiB = usageOf(running.node.pid)?.rssAnonMiB ?? Number.NaN;
  await sleep(firstDueMs - Date.now());

  const watch = new Watch(() => running.processes());
  await watch.begin();
  await untilAllDone(context, running, count);
  const rolesOf = await watch.end();
  const { all, lastDueMs, lastFiredMs, lastEndedMs } = await lateness(context, running, count, dueMs);
  const seconds = (lastFiredMs - firstDueMs) / 1000;
  return ownMeasurement(context, {
    scenario: 'timers',
    case: `${count.toLocaleString('en-US')} together`,
    operation: 'timer due',
    shape: { kind: 'open', perSecond },
    done: count,
    seconds,
    latency: all.toLatency(),
    roles: rolesOf(count),
    figures: [
      { name: 'fired, from the first due to the last fired', value: count / seconds, unit: '/s' },
      { name: 'the last one fired after the last was due', value: lastFiredMs - lastDueMs, unit: 'ms' },
      { name: 'and its workflow ended after it was due', value: lastEndedMs - lastDueMs, unit: 'ms' },
      { name: 'RssAnon of the node, all armed', value: armedMiB, unit: 'MiB' },
    ],
  });
}

const idOf = (i: number): string => `due-${i}`;

async function untilAllDone({ progress }: ScenarioContext, running: RunningTenuto, count: number): Promise<void> {
  const giveUpAtMs = performance.now() + PATIENCE_MS;
  await withDriver(running.target, async (driver) => {
    for (;;) {
      const done = Number(await driver.call({ call: 'count', filter: DONE }));
      progress.tick(`${done} of ${count} workflows have woken up and ended`);
      if (done === count) return;
      if (performance.now() > giveUpAtMs) throw new Error(`${done} of ${count} workflows with timers have ended`);
      await sleep(LOOK_MS);
    }
  });
}

interface Lateness {
  readonly all: LatencyHistogram;
  readonly lastDueMs: number;
  readonly lastFiredMs: number;
  readonly lastEndedMs: number;
}

/** Reads each history and each result. */
async function lateness(
  { progress }: ScenarioContext,
  { node }: RunningTenuto,
  count: number,
  dueMs: (i: number) => number,
): Promise<Lateness> {
  const all = new LatencyHistogram();
  let [lastDueMs, lastFiredMs, lastEndedMs] = [0, 0, 0];
  const connection = await Connection.connect({ address: node.address });
  try {
    const { workflow } = new Client({ connection });
    await inLanes(count, AT_A_TIME, async (i) => {
      const id = idOf(i);
      const handle = workflow.getHandle(id);
      same(id, await handle.result(), { value: id, n: dueMs(i) });
      const { events } = await handle.fetchHistory();
      const { dueAtMs, firedAtMs } = firedOf(id, events);
      all.record((firedAtMs - dueAtMs) * 1000);
      lastDueMs = Math.max(lastDueMs, dueAtMs);
      lastFiredMs = Math.max(lastFiredMs, firedAtMs);
      lastEndedMs = Math.max(lastEndedMs, events.at(-1)?.eventTime ?? 0);
      if (i % TELL_EVERY === 0) progress.tick(`${i} of ${count} histories looked at`);
    });
  } finally {
    await connection.close();
  }
  return { all, lastDueMs, lastFiredMs, lastEndedMs };
}

type Events = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>['events'];

/** @throws Error unless it has one timer, that fired once, and no earlier than it was due */
export function firedOf(id: string, events: Events): Fired {
  const started = events.flatMap((event) =>
    event.eventType === EventType.TIMER_STARTED ? event.eventTime + (event.attributes.startToFireTimeout ?? 0) : [],
  );
  const fired = events.flatMap((event) => (event.eventType === EventType.TIMER_FIRED ? event.eventTime : []));
  const [dueAtMs, firedAtMs] = [started[0], fired[0]];
  if (dueAtMs === undefined || firedAtMs === undefined || started.length > 1 || fired.length > 1)
    throw new Error(`wrong result: ${id} has ${started.length} timers, and ${fired.length} fired; it should be one`);
  if (firedAtMs < dueAtMs) throw new Error(`the timer of ${id} fired ${dueAtMs - firedAtMs} ms early`);
  return { dueAtMs, firedAtMs };
}
