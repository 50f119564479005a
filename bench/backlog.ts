// `npm run bench -- backlog`: tasks that wait for a worker cost disk, not memory. Starts many workflows while nobody works on them, restarts the node
// with all of them waiting, then lets a worker take them: every one once, urgent ones first, then by age.

import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../sdk/client/index.ts';
import { RpcError, StatusCode } from '../sdk/connection/rpc-error.ts';
import { ChaosCluster } from '../test/chaos/cluster/cluster.ts';
import { freePort, LOCALHOST } from '../test/chaos/cluster/network.ts';
import { Drainer } from './lib/drainer.ts';
import { BenchNode, cpuSecondsOf, memoryOf } from './lib/node.ts';

export interface BacklogPlan {
  readonly tasks: number;
  /** How many of them a worker takes afterwards. */
  readonly drain: number;
  /** 1, or a cluster of so many, each shard on one of them. */
  readonly nodes: number;
}

export type Figures = Record<string, number | string>;

/** Starts under way at once: enough that a commit carries many. */
const LANES = 512;
const CREDIT = 512;
/** Started last, with priority 1: they must come first. */
const URGENT = 100;
const NAMESPACE = 'default';
/** On a machine that does other things as well, an answer may take a while. */
const TASK_TIMEOUT_MS = 120_000;
const PARTS = 10;
const SAMPLE_MS = 500;
const SETTLE_MS = 5_000;
const REFUSED_PAUSE_MS = 50;
const COUNT_TIMEOUT_MS = 60_000;
const SHARDS_OF_CLUSTER = 16;
/** DESIGN §6: nothing waits unseen longer. Among nodes that is for a task to be announced, and as long again for what was assigned until then. */
const MOST_LATE_MS = { oneNode: 5_000, severalNodes: 10_000 };

interface Running {
  readonly addresses: readonly string[];
  pids(): readonly number[];
  /** ms until all are ready again. */
  restart(): Promise<number>;
  readonly directory: string;
  close(): Promise<void>;
}

/** @throws Error for a task that is missing, comes twice or too late: a fast wrong answer is no result */
export async function backlog(plan: BacklogPlan, say: (text: string) => void): Promise<Record<string, Figures>> {
  const running = await (plan.nodes === 1 ? oneNode() : severalNodes(plan.nodes));
  const watch = new Watch(running);
  try {
    const figures: Figures = { tasks: plan.tasks, 'RssAnon MiB: empty': watch.now() };
    const taskQueue = `backlog-${randomBytes(4).toString('hex')}`;
    const prefix = `${taskQueue}-`;
    await withConnection(running, async (connection) => {
      say(`backlog: ${plan.tasks} workflows start, and nobody works on them …`);
      const pace = new Pace(plan.tasks, watch, (text) => say(`  started ${text}`));
      const refused = await start(connection, plan.tasks, taskQueue, prefix, pace);
      await counted(running, taskQueue, plan.tasks);
      Object.assign(figures, pace.figures('started'), { 'starts refused, and sent again': refused });
      await sleep(SETTLE_MS);
    });
    figures['RssAnon MiB: all wait'] = watch.now();
    figures['RSS MiB: all wait'] = watch.now('rss');
    figures['disk MiB'] = diskMiB(running.directory);
    say('  restarting with them …');
    figures['restart ready ms'] = Math.round(await running.restart());
    watch.takePeak();
    await withConnection(running, async (connection) => {
      figures['counting them ms'] = await counted(running, taskQueue, plan.tasks);
      await sleep(SETTLE_MS);
      figures['RssAnon MiB: after the restart'] = watch.now();
      say(`  a worker takes ${plan.drain} of them …`);
      const pace = new Pace(plan.drain, watch, (text) => say(`  completed ${text}`));
      const drainer = new Drainer({
        ...{ connection, taskQueue, credit: CREDIT, upTo: plan.drain, total: plan.tasks, orderless: LANES + CREDIT },
        numberOf: (workflowId) => Number(workflowId.slice(prefix.length)),
        isUrgent: (n) => n >= plan.tasks - URGENT,
        completed: (count) => pace.at(count),
      });
      await drainer.run();
      Object.assign(figures, pace.figures('completed'));
      if (drainer.lateMs > MOST_LATE_MS[plan.nodes === 1 ? 'oneNode' : 'severalNodes'])
        throw new Error(`a task came ${Math.round(drainer.lateMs)} ms after one that was far behind it`);
      if (drainer.aheadOfUrgent > CREDIT) throw new Error(`${drainer.aheadOfUrgent} tasks came before urgent ones`);
      figures['a task overtaken by one so many places behind it'] = drainer.overtakenPlaces;
      figures['a task late by at most ms'] = Math.round(drainer.lateMs);
      figures['tasks ahead of urgent ones'] = drainer.aheadOfUrgent;
      await counted(running, taskQueue, plan.tasks - plan.drain);
    });
    await sleep(SETTLE_MS);
    figures['RssAnon MiB: afterwards'] = watch.now();
    const name = plan.nodes === 1 ? 'backlog' : `backlog: ${plan.nodes} nodes, R = 1; memory is the largest node's`;
    return { [name]: figures };
  } finally {
    watch.close();
    await running.close();
  }
}

/** Returns how many starts were refused for a while: a node that is behind with its flushes says so. */
async function start(
  connection: Connection,
  tasks: number,
  taskQueue: string,
  prefix: string,
  pace: Pace,
): Promise<number> {
  let next = 0;
  let started = 0;
  let refused = 0;
  const lane = async (): Promise<void> => {
    for (;;) {
      const n = next;
      // Urgent ones only once all others are there.
      if (n >= tasks || (n >= tasks - URGENT && started < tasks - URGENT)) return;
      next += 1;
      const request = {
        ...{ namespace: NAMESPACE, workflowId: `${prefix}${n}`, workflowType: 'waits', taskQueue },
        ...{ identity: 'bench', requestId: randomUUID(), workflowTaskTimeout: TASK_TIMEOUT_MS },
        ...(n >= tasks - URGENT ? { priority: { priorityKey: 1 } } : {}),
      };
      for (;;) {
        try {
          await connection.request('startWorkflowExecution', request);
          break;
        } catch (error) {
          if (!(error instanceof RpcError) || error.code !== StatusCode.RESOURCE_EXHAUSTED) throw error;
          refused += 1;
          await sleep(REFUSED_PAUSE_MS);
        }
      }
      started += 1;
      pace.at(started);
    }
  };
  const lanes = async (): Promise<void> => {
    await Promise.all(Array.from({ length: LANES }, lane));
  };
  await lanes();
  await lanes();
  return refused;
}

/** Resolves with ms of the first count, when so many wait. Each node counts its own. */
async function counted({ addresses }: Running, taskQueue: string, expected: number): Promise<number> {
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
      const begun = performance.now();
      const waiting = await count();
      firstMs ??= performance.now() - begun;
      if (waiting === expected) return Math.round(10 * firstMs) / 10;
      if (performance.now() > giveUpAtMs) throw new Error(`${waiting} tasks wait, and ${expected} should`);
      await sleep(SAMPLE_MS);
    }
  } finally {
    await Promise.all(nodes.map((node) => node.close()));
  }
}

/** Rates of the first and the last tenth: what grows with the depth shows between them. */
class Pace {
  readonly #total: number;
  readonly #watch: Watch;
  readonly #say: (text: string) => void;
  readonly #begunMs = performance.now();
  readonly #cpuAtFirst: number;
  #partCpu: number;
  readonly #costs: number[] = [];
  readonly #rates: number[] = [];
  #part = 0;
  #partBegunMs = this.#begunMs;
  #lastMs = this.#begunMs;

  constructor(total: number, watch: Watch, say: (text: string) => void) {
    this.#total = total;
    this.#watch = watch;
    this.#say = say;
    this.#cpuAtFirst = watch.cpuSeconds();
    this.#partCpu = this.#cpuAtFirst;
    watch.takePeak();
  }

  at(count: number): void {
    this.#lastMs = performance.now();
    if (count < Math.ceil((this.#total * (this.#part + 1)) / PARTS)) return;
    const rate = Math.round((this.#total * 1_000) / PARTS / (this.#lastMs - this.#partBegunMs));
    const cpu = this.#watch.cpuSeconds();
    const cost = Math.round(((cpu - this.#partCpu) * 1e6 * PARTS) / this.#total);
    this.#partCpu = cpu;
    this.#costs.push(cost);
    this.#rates.push(rate);
    this.#part += 1;
    this.#partBegunMs = this.#lastMs;
    this.#say(
      `${count}: ${rate}/s, ${cost} µs of CPU each, RssAnon ${this.#watch.now()} MiB, at most ${this.#watch.peak} so far`,
    );
  }

  figures(what: string): Figures {
    const perSecond = Math.round((this.#total * 1_000) / (this.#lastMs - this.#begunMs));
    return {
      [`${what}/s`]: perSecond,
      [`${what}/s: first, last tenth`]: `${this.#rates[0] ?? '–'}, ${this.#rates.at(-1) ?? '–'}`,
      [`µs of CPU of all nodes for each ${what}`]: Math.round(
        ((this.#watch.cpuSeconds() - this.#cpuAtFirst) * 1e6) / this.#total,
      ),
      [`µs of CPU for each ${what}: first, last tenth`]: `${this.#costs[0] ?? '–'}, ${this.#costs.at(-1) ?? '–'}`,
      [`RssAnon MiB: peak while they are ${what}`]: this.#watch.takePeak(),
    };
  }
}

/** Memory of the largest node, CPU of all. */
class Watch {
  readonly #running: Running;
  readonly #timer: NodeJS.Timeout;
  peak = 0;

  constructor(running: Running) {
    this.#running = running;
    this.#timer = setInterval(() => this.now(), SAMPLE_MS);
  }

  now(what: 'rssAnon' | 'rss' = 'rssAnon'): number {
    const all = this.#running.pids().map((pid) => memoryOf(pid)?.[what] ?? 0);
    const most = Math.round(Math.max(0, ...all));
    if (what === 'rssAnon') this.peak = Math.max(this.peak, most);
    return most;
  }

  cpuSeconds(): number {
    return this.#running.pids().reduce((sum, pid) => sum + (cpuSecondsOf(pid) ?? Number.NaN), 0);
  }

  takePeak(): number {
    const { peak } = this;
    this.peak = 0;
    return peak;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

async function withConnection(running: Running, work: (connection: Connection) => Promise<void>): Promise<void> {
  const connection = await Connection.connect({ address: running.addresses });
  try {
    await work(connection);
  } finally {
    await connection.close();
  }
}

const diskMiB = (directory: string): number =>
  Number(execFileSync('du', ['-sm', directory], { encoding: 'utf8' }).split('\t')[0]);

async function oneNode(): Promise<Running> {
  const directory = BenchNode.newDataDir();
  const port = await freePort(LOCALHOST);
  let node = await BenchNode.start(directory, port);
  return {
    ...{ addresses: [node.address], directory },
    pids: () => [node.pid],
    async restart() {
      await node.stop();
      node = await BenchNode.start(directory, port);
      return node.readyMs;
    },
    async close() {
      await node.stop();
      node.removeData();
    },
  };
}

async function severalNodes(nodes: number): Promise<Running> {
  const directory = mkdtempSync(join(tmpdir(), 'tenuto-bench-backlog-'));
  const cluster = new ChaosCluster({
    directory,
    nodes,
    replicas: 1,
    shardCount: SHARDS_OF_CLUSTER,
    coordinator: 'single',
  });
  const close = async (): Promise<void> => {
    await cluster.close();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await cluster.start();
    await cluster.untilHealthy();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ...{ addresses: cluster.addresses(), directory, close },
    pids: () => cluster.nodes.map(({ pid }) => pid),
    async restart() {
      await Promise.all(cluster.nodes.map((node) => node.end()));
      const begun = performance.now();
      await Promise.all(cluster.nodes.map((node) => node.again()));
      await cluster.untilHealthy();
      return performance.now() - begun;
    },
  };
}
