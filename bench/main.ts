// `npm run bench`: real processes on this machine, LevelDB with fsync on, every result checked. Reports; never judges.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Client, Connection } from '../sdk/client/index.ts';
import { backlog } from './backlog.ts';
import { cluster } from './cluster.ts';
import { fsyncFloorMs } from './lib/floors.ts';
import { closedLoop } from './lib/load.ts';
import { BenchNode, cpuSecondsOf, memoryOf } from './lib/node.ts';
import { BenchWorker } from './lib/worker-process.ts';

const USAGE = `usage: npm run bench -- [options] [scenario …]

scenarios (default: start, latency, throughput)
  throughput    workflows of one activity, --concurrency at a time
  latency       the same, one at a time
  start         server start-dev to ready, and memory of the idle node
  sleeping      --sleepers workflows asleep on disk: memory, and a restart with them
  backlog       --tasks workflows that nobody works on: memory, a restart with them, then a worker takes --drain of them
  cluster       three nodes: how long shards pause when nodes die, drain and hand over; CPU, latency and memory beside one node's

options
  --workflows N     in throughput (default 20000)
  --concurrency N   at a time (default 256)
  --sleepers N      in sleeping (default 1000000; takes minutes)
  --tasks N         in backlog (default 300000)
  --drain N         in backlog (default: all)
  --nodes N         in backlog: a cluster of so many, R = 1 (default 1: a node alone)
  --json            one JSON object instead of a table
  --help`;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workflows: { type: 'string', default: '20000' },
    concurrency: { type: 'string', default: '256' },
    sleepers: { type: 'string', default: '1000000' },
    tasks: { type: 'string', default: '300000' },
    drain: { type: 'string' },
    nodes: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const DAY_MS = 86_400_000;
const report: Record<string, Record<string, number | string>> = {};
const say = (text: string) => process.stderr.write(`${text}\n`);
const round = (value: number | undefined) => (value === undefined ? 'unknown' : Math.round(value * 100) / 100);

const SCENARIOS: Readonly<Record<string, () => Promise<void>>> = {
  throughput,
  latency,
  start,
  sleeping,
  backlog: async () => {
    const tasks = Number(flags.tasks);
    const plan = { tasks, drain: Number(flags.drain ?? tasks), nodes: Number(flags.nodes) };
    Object.assign(report, await backlog(plan, say));
  },
  cluster: async () => void Object.assign(report, await cluster(say)),
};

async function throughput(): Promise<void> {
  await withCluster(async ({ client, node, worker, taskQueue }) => {
    const concurrency = Number(flags.concurrency);
    const workflows = Number(flags.workflows);
    say(`throughput: ${workflows} workflows of one activity, ${concurrency} at a time …`);
    const cpuBefore = [cpuSecondsOf(node.pid), cpuSecondsOf(worker.pid), process.cpuUsage()] as const;
    const load = {
      client,
      taskQueue,
      workflowType: 'oneActivity',
      concurrency,
      workflows,
      warmUp: Math.min(2_000, workflows),
      prefix: 'throughput',
    };
    const result = await closedLoop(load);
    const perWorkflow = (now: number | undefined, before: number | undefined) =>
      now === undefined || before === undefined
        ? 'unknown'
        : round(((now - before) * 1e6) / (result.workflows + load.warmUp));
    const own = process.cpuUsage(cpuBefore[2]);
    report.throughput = {
      'workflows/s': round(result.perSecond),
      'p50 ms': round(result.p50),
      'p99 ms': round(result.p99),
      'max ms': round(result.max),
      'node µs/workflow': perWorkflow(cpuSecondsOf(node.pid), cpuBefore[0]),
      'worker µs/workflow': perWorkflow(cpuSecondsOf(worker.pid), cpuBefore[1]),
      'client µs/workflow': round((own.user + own.system) / (result.workflows + load.warmUp)),
      'node RssAnon MiB': round(memoryOf(node.pid)?.rssAnon),
    };
  });
}

async function latency(): Promise<void> {
  await withCluster(async ({ client, taskQueue }) => {
    say('latency: workflows of one activity, one at a time …');
    const result = await closedLoop({
      client,
      taskQueue,
      workflowType: 'oneActivity',
      concurrency: 1,
      workflows: 2_000,
      warmUp: 500,
      prefix: 'latency',
    });
    const fsync = fsyncFloorMs();
    report.latency = {
      'p50 ms': round(result.p50),
      'p99 ms': round(result.p99),
      'max ms': round(result.max),
      'fsync floor ms': round(fsync),
      'p50 in fsyncs': round(result.p50 / fsync),
    };
  });
}

async function start(): Promise<void> {
  say('start: start-dev to ready, 7 times …');
  const times: number[] = [];
  let idle: ReturnType<typeof memoryOf>;
  for (let i = 0; i < 7; i += 1) {
    const node = await BenchNode.start(BenchNode.newDataDir(), await freePort());
    times.push(node.readyMs);
    if (i === 6) {
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      idle = memoryOf(node.pid);
    }
    await node.stop();
    node.removeData();
  }
  times.sort((a, b) => a - b);
  report.start = {
    'ready ms (median of 7)': round(times[3]),
    'idle RSS MiB': round(idle?.rss),
    'idle RssAnon MiB': round(idle?.rssAnon),
  };
}

async function sleeping(): Promise<void> {
  const count = Number(flags.sleepers);
  const dataDir = BenchNode.newDataDir();
  const port = await freePort();
  const node = await BenchNode.start(dataDir, port);
  const taskQueue = 'sleepers';
  const worker = await BenchWorker.start(node.address, taskQueue);
  const connection = await Connection.connect({ address: node.address });
  const client = new Client({ connection });
  say(`sleeping: putting ${count} workflows to sleep …`);
  let started = 0;
  let peak = 0;
  const begun = performance.now();
  const lane = async () => {
    while (started < count) {
      const n = started;
      started += 1;
      await client.workflow.start('sleeper', { workflowId: `sleeper-${n}`, taskQueue, args: [DAY_MS] });
      if (n % 50_000 === 0) {
        peak = Math.max(peak, memoryOf(node.pid)?.rssAnon ?? 0);
        say(`  ${n} started, node RssAnon ${round(memoryOf(node.pid)?.rssAnon)} MiB`);
      }
    }
  };
  await Promise.all(Array.from({ length: 256 }, lane));
  const seconds = (performance.now() - begun) / 1000;
  // Their first workflow tasks are done when none waits any more.
  for (;;) {
    const { workflowBacklog } = await connection.request(
      'describeTaskQueue',
      { namespace: 'default', taskQueue },
      { timeoutMs: 60_000 },
    );
    if (workflowBacklog === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const asleep = memoryOf(node.pid);
  await connection.close();
  await worker.stop();
  await node.stop();
  say('  restarting …');
  const again = await BenchNode.start(dataDir, port);
  report.sleeping = {
    workflows: count,
    'started/s': round(count / seconds),
    'RssAnon MiB': round(asleep?.rssAnon),
    'peak RssAnon MiB': round(Math.max(peak, asleep?.rssAnon ?? 0)),
    'RSS MiB': round(asleep?.rss),
    'restart ready ms': round(again.readyMs),
    'RssAnon after restart MiB': round(memoryOf(again.pid)?.rssAnon),
  };
  await again.stop();
  again.removeData();
}

interface Cluster {
  client: Client;
  node: BenchNode;
  worker: BenchWorker;
  taskQueue: string;
}

async function withCluster(work: (cluster: Cluster) => Promise<void>): Promise<void> {
  const node = await BenchNode.start(BenchNode.newDataDir(), await freePort());
  const taskQueue = `bench-${randomBytes(4).toString('hex')}`;
  const worker = await BenchWorker.start(node.address, taskQueue);
  const connection = await Connection.connect({ address: node.address });
  try {
    await work({ client: new Client({ connection }), node, worker, taskQueue });
  } finally {
    await connection.close();
    await worker.stop();
    await node.stop();
    node.removeData();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function main(): Promise<void> {
  if (flags.help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const chosen = positionals.length > 0 ? positionals : ['start', 'latency', 'throughput'];
  for (const name of chosen) {
    const run = SCENARIOS[name];
    if (!run) throw new Error(`there is no scenario ${name}\n${USAGE}`);
    await run();
  }
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length };
  if (flags.json) process.stdout.write(`${JSON.stringify({ machine, report }, null, 2)}\n`);
  else {
    process.stdout.write(
      `\n${machine.cores} cores, ${machine.cpu}, Node ${machine.node}; LevelDB with fsync on, every result checked\n`,
    );
    for (const [name, figures] of Object.entries(report)) {
      process.stdout.write(`\n${name}\n`);
      for (const [label, figure] of Object.entries(figures)) process.stdout.write(`  ${label.padEnd(28)} ${figure}\n`);
    }
  }
}

await main();
