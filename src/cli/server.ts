// `tenuto server …`: a node in the foreground. Ends cleanly on SIGINT and SIGTERM; a second signal ends it at once.

import { setFlagsFromString } from 'node:v8';
import { type Command, Option } from 'commander';
import { announce } from './announce.ts';
import type { CheckFlags } from './check.ts';
import { devGrpc } from './dev-grpc.ts';
import { CommandError, ExitCode, UsageError } from './exit-codes.ts';
import { wholeNumber } from './whole-number.ts';

interface StartDevFlags {
  dataDir?: string;
  ip: string;
  port: string;
  grpcPort?: string;
  namespace?: string[];
  searchAttribute?: string[];
  callbackAddress?: string[];
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  shardCount?: string;
  timeSkipping?: true;
  cores?: string;
}

/** Of `tenuto server`. */
const CORE_COMMAND = 'core';
/** As the configuration bounds it (config.ts), which is not loaded to show the help. */
const MAX_CORES = 64;

/** Flags of `start`, each of which says what its variable does. */
const VARIABLE_OF = {
  dataDir: 'TENUTO_DATA_DIR',
  ip: 'TENUTO_IP',
  port: 'TENUTO_PORT',
  grpcPort: 'TENUTO_GRPC_PORT',
  advertise: 'TENUTO_ADVERTISE',
  shardCount: 'TENUTO_SHARD_COUNT',
  cores: 'TENUTO_CORES',
  logLevel: 'TENUTO_LOG_LEVEL',
  clusterId: 'TENUTO_CLUSTER_ID',
  name: 'TENUTO_NODE_NAME',
  zone: 'TENUTO_ZONE',
  seeds: 'TENUTO_SEEDS',
  redis: 'TENUTO_REDIS_URL',
  gossipPort: 'TENUTO_GOSSIP_PORT',
  linkPort: 'TENUTO_LINK_PORT',
} as const;
/** The keys of an object literal are these, and no others. */
const FLAGS = Object.keys(VARIABLE_OF) as (keyof typeof VARIABLE_OF)[];
type StartFlags = { config?: string } & { [flag in keyof typeof VARIABLE_OF]?: string };

const START_EXAMPLES = `
Examples:
  $ tenuto server start --config tenuto.yaml
  $ tenuto server start --data-dir ./node-1 --cluster-id orders --name node-1 --redis redis://127.0.0.1:6379
`;

const ofCluster = (flags: string, description: string): Option =>
  new Option(flags, description).helpGroup('Of a cluster:');

const CORES = 'share the work among so many processes behind the same ports; "auto": one per core (default: 1)';
const collect = (value: string, previous: string[] = []): string[] => [...previous, value];
const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'];

export function defineServerCommands(server: Command): void {
  server
    .command('start-dev')
    .description('run a node for development; ready in a fraction of a second')
    .option('--data-dir <directory>', 'keep data there, every commit fsynced (default: in memory, gone at the end)')
    .option('--ip <address>', 'address to listen on', '127.0.0.1')
    .option('-p, --port <port>', 'WebSocket and HTTP; 0 takes any free one', '7280')
    .option('--grpc-port <port>', 'Temporal-compatible gRPC; 0 takes any free one, "off" has none (default: 7233)')
    .option(
      '--time-skipping',
      'for tests: skip the time in which nothing goes on, as clients of the test service ask for',
    )
    .option('-n, --namespace <name>', 'namespace to make besides "default"; repeat for several', collect)
    .option(
      '--search-attribute <name=type>',
      'search attribute to register in its namespaces, e.g. City=Keyword; repeat for several',
      collect,
    )
    .option('--shard-count <n>', 'shards of a new data directory, fixed for its life (default: 256)')
    .option('--callback-address <host:port>', 'address that completion callbacks may call, over http too', collect)
    .option('--cores <n>', CORES)
    .addOption(new Option('--log-level <level>', 'what is logged to stderr').choices(LOG_LEVELS).default('warn'))
    .action(startDev);

  server
    .command('start')
    .description('run a node, alone or of a cluster, from a configuration file, the environment and flags')
    .option(
      '-c, --config <file>',
      'YAML; docs/operations lists the settings. TENUTO_… variables win over it, flags over them',
    )
    .option('--data-dir <directory>', 'keep data there (default: in memory, gone at the end)')
    .option('--ip <address>', 'address to listen on for clients and workers (default: 127.0.0.1)')
    .option('-p, --port <port>', 'WebSocket and HTTP; 0 takes any free one (default: 7280)')
    .option('--grpc-port <port>', 'Temporal-compatible gRPC; 0 takes any free one (default: none)')
    .option('--advertise <host:port>', 'how clients and workers reach it, where that is another address')
    .option('--shard-count <n>', 'shards of a new data directory or cluster, fixed for its life (default: 256)')
    .option('--cores <n>', CORES)
    .addOption(new Option('--log-level <level>', 'what is logged to stderr (default: info)').choices(LOG_LEVELS))
    .addOption(ofCluster('--cluster-id <id>', 'make it a node of this cluster'))
    .addOption(ofCluster('--name <name>', 'its own name there'))
    .addOption(ofCluster('--zone <zone>', 'replicas of a shard lie in different zones'))
    .addOption(ofCluster('--seeds <host:port,…>', 'gossip addresses to join through, beside those Redis lists'))
    .addOption(ofCluster('--redis <url>', 'redis://host:port; passwords belong into TENUTO_REDIS_PASSWORD'))
    .addOption(ofCluster('--gossip-port <port>', 'UDP and TCP, where nodes find each other (default: 7946)'))
    .addOption(ofCluster('--link-port <port>', 'where other nodes connect (default: 7281)'))
    .addHelpText('after', START_EXAMPLES)
    .action(startFromConfig);

  server
    .command('check')
    .description('ask a node whether it is ready; exit code 0 when it is. For health checks')
    .option('--address <host:port>', "the node (default: this environment's own: TENUTO_PORT on this machine, or 7280)")
    .option('--live', 'ask only whether the process answers')
    .option('--tls-ca <file>', 'it speaks TLS: check its certificate against this authority')
    .option('--timeout <duration>', 'give up after this long', '3s')
    .addHelpText(
      'after',
      '\nExamples:\n  $ tenuto server check\n  $ tenuto server check --address 10.0.0.7:7280 --live\n',
    )
    .action(async (flags: CheckFlags) => await (await import('./check.ts')).check(flags));

  // What `--cores` starts, once per core.
  server.command(CORE_COMMAND, { hidden: true }).action(async () => {
    setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
    (await import('../cores/core.ts')).runCore();
  });
}

async function startDev(flags: StartDevFlags): Promise<void> {
  const port = wholeNumber('--port', flags.port, 0, 65_535);
  const { completeConfig } = await import('../config/config.ts');
  const names = [...new Set(['default', ...(flags.namespace ?? [])])];
  const { attributesOf, registerAttributes } = await import('./search-attributes.ts');
  const attributes = attributesOf(flags.searchAttribute ?? []);
  const config = usage(() =>
    completeConfig({
      dataDirectory: flags.dataDir,
      shardCount:
        flags.shardCount === undefined ? undefined : wholeNumber('--shard-count', flags.shardCount, 1, 65_536),
      cores: flags.cores === undefined ? undefined : coreCount(flags.cores),
      listen: { ip: flags.ip, port },
      grpc: devGrpc(flags.grpcPort, port),
      namespaces: names.map((name) => ({ name })),
      logLevel: flags.logLevel,
      callbacks: {
        allowedAddresses: flags.callbackAddress?.map((pattern) => ({ pattern, allowInsecure: true })),
      },
      timeSkipping: flags.timeSkipping,
      shutdownGraceMs: 2_000,
    }),
  );
  const where = flags.dataDir === undefined ? 'data in memory' : `data in ${flags.dataDir}`;
  await run(config, where, async (address) => {
    if (Object.keys(attributes).length > 0) await registerAttributes(address, names, attributes);
  });
}

const coreCount = (text: string): number | 'auto' =>
  text === 'auto' ? text : wholeNumber('--cores', text, 1, MAX_CORES);

/** As it is written on the command line. */
const spelled = (flag: string): string => `--${flag.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

async function startFromConfig(flags: StartFlags): Promise<void> {
  for (const flag of ['port', 'grpcPort', 'gossipPort', 'linkPort'] as const) {
    const value = flags[flag];
    if (value !== undefined) wholeNumber(spelled(flag), value, 0, 65_535);
  }
  if (flags.shardCount !== undefined) wholeNumber('--shard-count', flags.shardCount, 1, 65_536);
  if (flags.cores !== undefined) coreCount(flags.cores);
  const environment = { ...process.env };
  for (const flag of FLAGS) {
    const value = flags[flag];
    if (value === '') throw new UsageError(`${spelled(flag)} is empty`);
    if (value !== undefined) environment[VARIABLE_OF[flag]] = value;
  }
  const { loadConfig } = await import('../config/load.ts');
  const flagOf = (variable: string): string => {
    const flag = FLAGS.find((one) => VARIABLE_OF[one] === variable && flags[one] !== undefined);
    return flag === undefined ? variable : spelled(flag);
  };
  const config = usage(() => loadConfig(flags.config, environment, flagOf));
  await run(config, await whereOf(config));
}

async function whereOf({ dataDirectory, postgres }: NodeConfig): Promise<string> {
  if (postgres === undefined) return dataDirectory === undefined ? 'data in memory' : `data in ${dataDirectory}`;
  const { describeDatabase } = await import('../store/postgres/options.ts');
  return `data in ${describeDatabase(postgres.url)}`;
}

type NodeConfig = import('../config/config.ts').NodeConfig;
type Cores = import('../cores/cores.ts').Cores;
type Log = import('../ports/log.ts').Log;

/**
 * How much V8's heap may grow over what lives, percent. By default it grows further before it collects, which is most of what a node with many
 * sleeping workflows holds. Less costs throughput: 30 % saved a third of the memory and cost half as much CPU again
 * (docs/decisions/0006-heap-growth.md).
 */
const HEAP_GROWTH_PERCENT = 200;

/** @param prepare is done before the server is said to be ready */
async function run(
  config: NodeConfig,
  where: string,
  prepare: (address: string) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
  const [{ startNode, NodeStartError }, { createLogger }] = await Promise.all([
    import('../node.ts'),
    import('../observe/logger.ts'),
  ]);
  // Before the node serves: a signal that comes while it starts ends it as cleanly.
  const signals = new EndSignals();
  try {
    const log = createLogger(config.logLevel);
    const node =
      config.cores === 1
        ? await startNode(config, { log, giveUp: signals.signal })
        : await startCores(config, log, signals.signal);
    if (node.address !== undefined) await prepare(node.address);
    announce(node, where, (line) => void process.stdout.write(line), config.grpc);
    await signals.asked;
    const second = () => process.exit(130);
    process.once('SIGINT', second).once('SIGTERM', second);
    await node.close();
    process.exit(0);
  } catch (error) {
    signals.forget();
    // What is left over of the start must not outlive it.
    if (signals.signal.aborted) process.exit(0);
    if (!(error instanceof NodeStartError)) throw error;
    const exitCode = error.kind === 'config' ? ExitCode.USAGE : ExitCode.FAILED;
    throw new CommandError(error.message, { hint: error.hint, exitCode, cause: error });
  }
}

async function startCores(config: NodeConfig, log: Log, giveUp: AbortSignal): Promise<Cores> {
  const { Cores } = await import('../cores/cores.ts');
  const [, command = ''] = process.argv;
  try {
    return await Cores.start(config, { log, giveUp, command: [command, 'server', CORE_COMMAND] });
  } catch (error) {
    return usage(() => {
      throw error;
    });
  }
}

/** SIGINT and SIGTERM; keeps the process alive until one came or `forget`, since the node's own timers never do. */
class EndSignals {
  readonly asked: Promise<void>;
  readonly #aborted = new AbortController();
  readonly #hold = setInterval(() => {}, 60_000);
  #end: () => void = () => {};

  constructor() {
    this.asked = new Promise((resolve) => {
      this.#end = () => {
        this.forget();
        this.#aborted.abort();
        resolve();
      };
    });
    process.once('SIGINT', this.#end).once('SIGTERM', this.#end);
  }

  get signal(): AbortSignal {
    return this.#aborted.signal;
  }

  forget(): void {
    clearInterval(this.#hold);
    process.off('SIGINT', this.#end).off('SIGTERM', this.#end);
  }
}

/** A setting that cannot be meant is a usage error, said as such. */
function usage<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof Error && error.name === 'ConfigError') throw new UsageError(error.message);
    throw error;
  }
}
