// Tasks that wait for a worker cost disk, not memory. Starts many workflows while nobody works on them, restarts the node with all of them waiting,
// then lets a worker without code take them: every one once, urgent ones first, then by age.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, RpcError, StatusCode } from 'tenuto/client';
import { Drainer } from '../lib/drainer.ts';
import { UsageError } from '../lib/flags.ts';
import type { Scenario, ScenarioContext } from '../lib/model.ts';
import type { Measurement } from '../lib/report.ts';
import { inLanes, ownMeasurement, parameter } from '../lib/scenario.ts';
import { type BacklogNodes, startNodes } from './backlog/nodes.ts';
import { NodesWatch, Pace } from './backlog/pace.ts';

/** Starts under way at once: enough that a commit carries many. */
const LANES = 512;
const CREDIT = 512;
/** Started last, with priority 1: they must come first. */
const URGENT = 100;
const NAMESPACE = 'default';
/** On a machine that does other things as well, an answer may take a while. */
const TASK_TIMEOUT_MS = 120_000;
const SETTLE_MS = 5_000;
const REFUSED_PAUSE_MS = 50;
const COUNT_TIMEOUT_MS = 60_000;
const LOOK_MS = 500;
/** DESIGN §6: nothing waits unseen longer. Among nodes that is for a task to be announced, and as long again for what was assigned until then. */
const MOST_LATE_MS = { oneNode: 5_000, severalNodes: 10_000 };

export const backlog: Scenario = {
  name: 'backlog',
  shows: 'tasks that nobody works on: memory, disk, a restart with them, and a worker that takes them in order',
  runs: 'asked',
  parameters: {
    tasks: { what: 'workflows that wait', usual: 300_000, quick: 20_000 },
    drain: { what: 'of them a worker takes afterwards; 0: all', usual: 0, quick: 0, is: 'a count or 0' },
    nodes: { what: 'more than 1: a cluster of so many, each shard on one of them', usual: 1, quick: 1 },
  },
  shapes: [],
  needs: 'tenuto',
  run,
};

interface Plan {
  readonly tasks: number;
  readonly drain: number;
  readonly nodes: number;
}

interface Scene {
  readonly context: ScenarioContext;
  readonly plan: Plan;
  readonly running: BacklogNodes;
  readonly watch: NodesWatch;
}

/** @throws Error for a task that is missing, comes twice or too late: a fast wrong answer is no result */
async function run(context: ScenarioContext): Promise<readonly Measurement[]> {
  const plan = planOf(context);
  const running = await startNodes(plan.nodes);
  const watch = new NodesWatch(() => running.pids());
  try {
    const scene = { context, plan, running, watch };
    return [await startAll(scene), await restart(scene), await drain(scene)];
  } finally {
    watch.close();
    await running.stop();
  }
}

/** @throws UsageError for more to take than there are */
function planOf(context: ScenarioContext): Plan {
  const tasks = parameter(context, 'tasks');
  const asked = parameter(context, 'drain');
  const nodes = parameter(context, 'nodes');
  if (asked > tasks) throw new UsageError('--set drain must be a whole number up to tasks');
  return { tasks, drain: asked === 0 ? tasks : asked, nodes };
}

async function startAll({ context, plan, running, watch }: Scene): Promise<Measurement> {
  const { tasks } = plan;
  const emptyMiB = watch.rssAnonMiB();
  context.progress.say(`backlog: ${tasks} workflows start, and nobody works on them`);
  const pace = new Pace(tasks, watch, context.progress);
  let started = 0;
  let refused = 0;
  await withConnection(running, async (connection) => {
    const start = async (n: number): Promise<void> => {
      refused += await startOne(connection, running.taskQueue, n, isUrgent(n, tasks) ? 'urgent' : 'usual');
      started += 1;
      pace.at(started);
    };
    const usual = Math.max(0, tasks - URGENT);
    await inLanes(usual, LANES, start);
    // Urgent ones only once all others are there.
    await inLanes(tasks - usual, LANES, (i) => start(usual + i));
  });
  const figures = pace.figures();
  await counted(running, tasks);
  await sleep(SETTLE_MS);
  return ownMeasurement(context, {
    scenario: 'backlog',
    case: caseOf(plan, 'started'),
    operation: 'start',
    done: tasks,
    seconds: pace.seconds,
    counts: { warmUp: 0, done: tasks, all: tasks, refused },
    figures: [
      { name: 'tasks', value: tasks, unit: '' },
      ...figures,
      { name: 'starts refused, and sent again', value: refused, unit: '' },
      { name: 'RssAnon, before', value: emptyMiB, unit: 'MiB' },
      { name: 'RssAnon, all wait', value: watch.rssAnonMiB(), unit: 'MiB' },
      { name: 'RSS, all wait', value: watch.rssMiB(), unit: 'MiB' },
      { name: 'disk', value: running.diskMiB(), unit: 'MiB' },
    ],
    notes: notesOf(plan),
  });
}

async function restart({ context, plan, running, watch }: Scene): Promise<Measurement> {
  context.progress.say('backlog: restart');
  const readyMs = await running.restart();
  watch.takePeakMiB();
  const countMs = await counted(running, plan.tasks);
  await sleep(SETTLE_MS);
  return ownMeasurement(context, {
    scenario: 'backlog',
    case: caseOf(plan, 'restarted with them'),
    operation: 'restart',
    done: 1,
    seconds: readyMs / 1000,
    figures: [
      { name: 'ready', value: readyMs, unit: 'ms' },
      { name: 'counting them', value: countMs, unit: 'ms' },
      { name: 'RssAnon', value: watch.rssAnonMiB(), unit: 'MiB' },
    ],
  });
}

async function drain({ context, plan, running, watch }: Scene): Promise<Measurement> {
  const { tasks, drain: upTo, nodes } = plan;
  context.progress.say(`backlog: a worker takes ${upTo} of them`);
  const pace = new Pace(upTo, watch, context.progress);
  const drainer = await withConnection(running, async (connection) => {
    const one = new Drainer({
      ...{
        connection,
        taskQueue: running.taskQueue,
        nodes,
        credit: CREDIT,
        upTo,
        total: tasks,
        orderless: LANES + CREDIT,
      },
      numberOf: (workflowId) => Number(workflowId.slice(prefixOf(running.taskQueue).length)),
      isUrgent: (n) => isUrgent(n, tasks),
      completed: (count) => pace.at(count),
    });
    await one.run();
    return one;
  });
  const figures = pace.figures();
  if (drainer.lateMs > MOST_LATE_MS[nodes === 1 ? 'oneNode' : 'severalNodes'])
    throw new Error(`a task came ${Math.round(drainer.lateMs)} ms after one that was far behind it`);
  if (drainer.aheadOfUrgent > CREDIT) throw new Error(`${drainer.aheadOfUrgent} tasks came before urgent ones`);
  await counted(running, tasks - upTo);
  await sleep(SETTLE_MS);
  return ownMeasurement(context, {
    scenario: 'backlog',
    case: caseOf(plan, 'taken'),
    operation: 'workflow',
    done: upTo,
    seconds: pace.seconds,
    figures: [
      { name: 'tasks taken', value: upTo, unit: '' },
      ...figures,
      { name: 'a task overtaken by one so many places behind it', value: drainer.overtakenPlaces, unit: '' },
      { name: 'a task late by at most', value: drainer.lateMs, unit: 'ms' },
      { name: 'tasks ahead of urgent ones', value: drainer.aheadOfUrgent, unit: '' },
      { name: 'RssAnon, afterwards', value: watch.rssAnonMiB(), unit: 'MiB' },
    ],
  });
}

/** Returns how often it was refused for a while: a node that is behind with its flushes says so. */
async function startOne(
  connection: Connection,
  taskQueue: string,
  n: number,
  priority: 'urgent' | 'usual',
): Promise<number> {
  const request = {
    ...{ namespace: NAMESPACE, workflowId: `${prefixOf(taskQueue)}${n}`, workflowType: 'waits', taskQueue },
    ...{ identity: 'bench', requestId: randomUUID(), workflowTaskTimeout: TASK_TIMEOUT_MS },
    ...(priority === 'urgent' ? { priority: { priorityKey: 1 } } : {}),
  };
  for (let refused = 0; ; refused += 1) {
    try {
      await connection.request('startWorkflowExecution', request);
      return refused;
    } catch (error) {
      if (!(error instanceof RpcError) || error.code !== StatusCode.RESOURCE_EXHAUSTED) throw error;
      await sleep(REFUSED_PAUSE_MS);
    }
  }
}

/** Resolves with ms of the first count, when so many wait. Each node counts its own. */
async function counted({ addresses, taskQueue }: BacklogNodes, expected: number): Promise<number> {
  const giveUpAtMs = performance.now() + COUNT_TIMEOUT_MS;
  const nodes = await Promise.all(addresses.map((address) => Connection.connect({ address, discovery: 'off' })));
  const count = async (): Promise<number> => {
    const asked = { namespace: NAMESPACE, taskQueue };
    const answers = nodes.map((node) => node.request('describeTaskQueue', asked, { timeoutMs: COUNT_TIMEOUT_MS }));
    return (await Promise.all(answers)).reduce((sum, { workflowBacklog }) => sum + workflowBacklog, 0);
  };
  try {
    let firstMs: number | undefined;
    for (;;) {
      const begunAtMs = performance.now();
      const waiting = await count();
      firstMs ??= performance.now() - begunAtMs;
      if (waiting === expected) return firstMs;
      if (performance.now() > giveUpAtMs) throw new Error(`${waiting} tasks wait, and ${expected} should`);
      await sleep(LOOK_MS);
    }
  } finally {
    await Promise.all(nodes.map((node) => node.close()));
  }
}

async function withConnection<T>(
  { addresses }: BacklogNodes,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await Connection.connect({ address: addresses });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

function prefixOf(taskQueue: string): string {
  return `${taskQueue}-`;
}

function isUrgent(n: number, tasks: number): boolean {
  return n >= tasks - URGENT;
}

function caseOf({ nodes }: Plan, stage: string): string {
  return nodes === 1 ? stage : `${nodes} nodes, ${stage}`;
}

function notesOf({ nodes }: Plan): string[] {
  return nodes === 1 ? [] : ["R = 1; memory is the largest node's, CPU that of all"];
}
