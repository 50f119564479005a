// One embedded server with a client and a worker on a shared task queue; runs scenarios and normalises what comes of them.
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import * as activity from '../../../sdk/activity/index.ts';
import * as client from '../../../sdk/client/index.ts';
import * as common from '../../../sdk/common/index.ts';
import * as worker from '../../../sdk/worker/index.ts';
import { Server } from '../../../src/server.ts';
import { IndexedValueType } from '../../../src/wire/enums.ts';
import { Context, type Run } from './context.ts';
import { Normaliser } from './normalise.ts';
import { type Plain, plainEvent } from './plain.ts';
import { RawService } from './service.ts';

const SCENARIOS = new URL('../scenarios/', import.meta.url);
const DEFAULT_TIMEOUT_MS = 20_000;

export interface Scenario {
  name: string;
  run(context: Context): Promise<{ outcome: Plain; runs?: Run[] }>;
  ignore: readonly string[];
  timeoutMs: number;
}

/** All scenarios of the given files under test/golden/scenarios. */
export async function loadScenarios(files: readonly string[]): Promise<Map<string, Scenario>> {
  const scenarios = new Map<string, Scenario>();
  for (const file of files) {
    const module = await import(new URL(file, SCENARIOS).href);
    for (const [name, entry] of Object.entries<Scenario['run'] | Partial<Scenario>>(module.default)) {
      const scenario = typeof entry === 'function' ? { run: entry } : entry;
      if (scenarios.has(name) || !scenario.run) throw new Error(`scenario ${name} is there twice, or cannot be run`);
      scenarios.set(name, { ignore: [], timeoutMs: DEFAULT_TIMEOUT_MS, ...scenario, run: scenario.run, name });
    }
  }
  return scenarios;
}

/** Values handed from activities to drivers, by key; either side may come first. */
class Mailbox {
  readonly #values = new Map<string, unknown>();
  readonly #takers = new Map<string, (value: unknown) => void>();

  put(key: string, value: unknown): void {
    const taker = this.#takers.get(key);
    this.#takers.delete(key);
    if (taker) taker(value);
    else this.#values.set(key, value);
  }

  take(key: string): Promise<unknown> {
    if (!this.#values.has(key)) return new Promise((resolve) => this.#takers.set(key, resolve));
    const value = this.#values.get(key);
    this.#values.delete(key);
    return Promise.resolve(value);
  }
}

/** As registered where the histories were recorded. */
const ATTRIBUTES = {
  OracleText: IndexedValueType.TEXT,
  OracleKeyword: IndexedValueType.KEYWORD,
  OracleInt: IndexedValueType.INT,
  OracleDouble: IndexedValueType.DOUBLE,
  OracleBool: IndexedValueType.BOOL,
  OracleDatetime: IndexedValueType.DATETIME,
  OracleKeywordList: IndexedValueType.KEYWORD_LIST,
};

const nonce = () => randomBytes(4).toString('hex');

export class Session {
  readonly namespace = 'default';
  readonly mailbox = new Mailbox();
  readonly taskQueue = `oracle~${nonce()}`;
  readonly sdk = { activity, client, common, worker };
  readonly client: client.Client;
  readonly service: RawService;
  readonly #server: Server;
  readonly #connections: [client.Connection, client.Connection];
  readonly #bundle: worker.WorkflowBundle;
  #activities: object = {};
  #worker: { stop(): Promise<void> } | undefined;

  private constructor(
    server: Server,
    connections: [client.Connection, client.Connection],
    bundle: worker.WorkflowBundle,
  ) {
    this.#server = server;
    this.#connections = connections;
    this.#bundle = bundle;
    this.client = new client.Client({ connection: connections[0], identity: 'oracle-client' });
    this.service = new RawService(connections[0]);
  }

  get nativeConnection(): client.Connection {
    return this.#connections[1];
  }

  static async open(): Promise<Session> {
    const server = await Server.create({ port: 0 });
    const connect = () => client.Connection.connect({ address: server.address });
    const workflowsPath = fileURLToPath(new URL('workflows/index.js', SCENARIOS));
    const bundle = await worker.bundleWorkflowCode({ workflowsPath });
    const session = new Session(server, [await connect(), await connect()], bundle);
    const { operatorService } = session.#connections[0];
    await operatorService.addSearchAttributes({ namespace: session.namespace, searchAttributes: ATTRIBUTES });
    const { createActivities } = await import(new URL('activities.mjs', SCENARIOS).href);
    session.#activities = createActivities({ sdk: session.sdk, client: session.client, mailbox: session.mailbox });
    session.#worker = await session.startWorker({ taskQueue: session.taskQueue });
    return session;
  }

  async startWorker(options: { taskQueue: string; maxCachedWorkflows?: number }) {
    const started = await worker.Worker.create({
      connection: this.#connections[1],
      namespace: this.namespace,
      identity: 'oracle-worker',
      buildId: 'oracle-build',
      workflowBundle: this.#bundle,
      activities: this.#activities,
      shutdownGraceTime: '100ms',
      shutdownForceTime: '5s',
      ...options,
    });
    const done = started.run();
    return {
      taskQueue: options.taskQueue,
      stop: async () => {
        if (started.getState() === 'RUNNING') started.shutdown();
        await done;
      },
    };
  }

  /** @returns `{ outcome, histories }`, normalised. */
  async run(scenario: Scenario) {
    const context = new Context(this, scenario.name, nonce());
    try {
      const { outcome, runs = [] } = await withDeadline(scenario.run(context), scenario.timeoutMs);
      const normaliser = new Normaliser(runs);
      const histories: Plain[] = [];
      for (const run of runs) {
        const events = (await this.service.events(this.namespace, run)).map(plainEvent);
        histories.push(normaliser.value({ ...run, events }));
      }
      return { histories, outcome: normaliser.value(outcome) };
    } finally {
      await context.close();
    }
  }

  async close(): Promise<void> {
    await this.#worker?.stop();
    await Promise.all(this.#connections.map((connection) => connection.close()));
    await this.#server.close();
  }
}

async function withDeadline<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the scenario took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
