// One life of the reference workflow, with one process killed at an exact place, and what must hold afterwards: the same result, no
// completion twice, event ids without a gap, and everything that was acknowledged. Called by the chaos tests for every place there is.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { Client, Connection, type WorkflowHandleWithFirstExecutionRunId } from '../../sdk/client/index.ts';
import { bundleWorkflowCode } from '../../sdk/worker/index.ts';
import { Server } from '../../src/server.ts';
import { verifyDirectory } from '../../src/store/index.ts';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import {
  type AtEnd,
  type Running,
  type RunOptions,
  restartServer,
  runNode,
  type ServerProcess,
  temporaryDir,
} from '../support/processes.ts';
import type { ReferenceInput, ReferenceResult } from './reference-workflow.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const HOOKS = { node: here('./crash-hook.mjs'), worker: here('./socket-hook.mjs') };
const SIGNALS = ['a', 'b', 'c'];
const EXPECTED: ReferenceResult = {
  retried: 2,
  beaten: 3,
  local: 'local here',
  once: 'done',
  signals: SIGNALS,
  greeted: 'Hello, a+b+c!',
};
/** A killed worker's activities are lost only after this, ms; a killed node's never are, however slow the machine. */
const PATIENCE_MS = { node: 60_000, worker: 1_500 };
/** A life takes two to five seconds; past this something was lost, ms. */
const LIFE_MS = 45_000;
const CONFIG = `
dataDirectory: data
shardCount: 4
limits: { continueAsNewMinInterval: 1 }
`;

export interface Crash {
  /** Which process. */
  who: 'node' | 'worker';
  /** For its hook, such as `before:7`; with several the process that takes over is killed too, each in its turn. */
  where: readonly string[];
}

export interface Life {
  /** How many of the places were reached. */
  kills: number;
  /** Synced batches of the node's last process. */
  syncs: number;
}

/** Bundled once: each life starts a worker or two. */
export async function makeBundle(directory: string): Promise<string> {
  const { code } = await bundleWorkflowCode({ workflowsPath: here('./reference-workflow.ts') });
  const file = join(directory, 'workflows.js');
  writeFileSync(file, code);
  return file;
}

export async function liveThrough(bundle: string, crash: Crash): Promise<Life> {
  const undo: (() => unknown)[] = [];
  try {
    return await live(bundle, crash, (step) => undo.push(step));
  } catch (error) {
    throw new Error(
      `${crash.who} killed ${crash.where.join(', then ')}: ${error instanceof Error ? error.message : error}`,
      {
        cause: error,
      },
    );
  } finally {
    for (const step of undo.splice(0).reverse()) await step();
  }
}

async function live(bundle: string, crash: Crash, atEnd: AtEnd): Promise<Life> {
  const directory = temporaryDir(atEnd);
  const journal = join(directory, 'journal');
  writeFileSync(join(directory, 'node.yaml'), CONFIG);
  const node = new KeptNode(directory, crash.who === 'node' ? crash.where : [], atEnd);
  await node.start();
  const worker = new KeptWorker(
    ['--address', node.address, '--bundle', bundle, '--journal', journal],
    crash.who === 'worker' ? crash.where : [],
    atEnd,
  );
  await worker.start();

  const connection = await Connection.connect({ address: node.address });
  atEnd(() => connection.close());
  const client = new Client({ connection });
  const { handle, result } = await Promise.race([useIt(client, crash), node.failed, worker.failed, tooLate(atEnd)]);

  const executions = existsSync(journal) ? readFileSync(journal, 'utf8').trim().split('\n') : [];
  const runIds = executions.filter((line) => line.startsWith('once '));
  // Whose worker was killed between an activity's start and its end cannot know; whose node was killed can.
  const mayBeLost = crash.who === 'worker' && worker.kills > 0;
  expect(result).toEqual(mayBeLost ? { ...EXPECTED, once: expect.stringMatching(/^(done|lost)$/) } : EXPECTED);
  expect(runIds.length, executions.join('\n')).toBeLessThanOrEqual(1);
  if (result.once === 'done') expect(runIds).toHaveLength(1);

  const histories = await historiesOf(client, handle);
  checkHistories(histories, result);
  const syncs = await node.syncs();
  await node.stop();
  await connection.close();
  await checkData(join(directory, 'data'), histories);
  return { kills: node.kills + worker.kills, syncs };
}

/** What a client does: start it, signal it, wait for its result. All of it is acknowledged, or fails. */
async function useIt(
  client: Client,
  crash: Crash,
): Promise<{ handle: WorkflowHandleWithFirstExecutionRunId; result: ReferenceResult }> {
  const input: ReferenceInput = { patienceMs: PATIENCE_MS[crash.who] };
  const handle = await client.workflow.start('reference', {
    workflowId: 'w',
    taskQueue: 'reference',
    workflowTaskTimeout: crash.who === 'worker' ? 1_500 : 10_000,
    args: [input],
  });
  for (const text of SIGNALS) await handle.signal('note', text);
  return { handle, result: (await handle.result()) as ReferenceResult };
}

/** So that what is lost is said to be lost. */
function tooLate(atEnd: AtEnd): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`no result within ${LIFE_MS} ms`)), LIFE_MS);
    atEnd(() => clearTimeout(timer));
  });
}

/** A process that is killed where its hook says, and started again. */
abstract class Kept<P extends Running> {
  kills = 0;
  /** Rejects when it ended otherwise. */
  readonly failed: Promise<never>;
  protected process: P | undefined;
  readonly #where: readonly string[];
  readonly #hook: string;
  #fail: (error: unknown) => void = () => {};
  #stopped = false;

  constructor(hook: string, where: readonly string[], atEnd: AtEnd) {
    this.#hook = hook;
    this.#where = where;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {});
    atEnd(() => this.stop());
  }

  protected abstract spawn(hook: RunOptions): Promise<P>;

  async start(): Promise<void> {
    while (this.process === undefined) {
      try {
        this.process = await this.spawn(this.#nextHook());
      } catch (error) {
        // Killed before it served.
        if (!/ended with SIGKILL/.test(String(error)) || !this.#mayBeKilled) throw error;
        this.kills += 1;
      }
    }
    void this.process.ended.then((end) => this.#gone(end)).catch((error: unknown) => this.#fail(error));
  }

  /** As unkindly as can be: what was acknowledged must be there all the same. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.process?.kill('SIGKILL');
    await this.process?.ended;
  }

  get #mayBeKilled(): boolean {
    return this.kills < this.#where.length;
  }

  #nextHook(): RunOptions {
    const where = this.#where[this.kills];
    return where === undefined ? {} : { preload: [this.#hook], env: { TENUTO_TEST_CRASH: where } };
  }

  async #gone({ code, signal }: { code: number | null; signal: string | null }): Promise<void> {
    if (this.#stopped) return;
    if (signal !== 'SIGKILL' || !this.#mayBeKilled) {
      throw new Error(`it ended with ${code ?? signal}: ${this.process?.stderr()}`);
    }
    this.kills += 1;
    this.process = undefined;
    await this.start();
  }
}

class KeptNode extends Kept<ServerProcess> {
  readonly #directory: string;
  readonly #atEnd: AtEnd;
  /** Once it has served, its clients know it there. */
  #port = '0';

  constructor(directory: string, where: readonly string[], atEnd: AtEnd) {
    super(HOOKS.node, where, atEnd);
    this.#directory = directory;
    this.#atEnd = atEnd;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async syncs(): Promise<number> {
    const metrics = await (await fetch(`http://${this.address}/metrics`)).text();
    return Number(/^tenuto_store_fsyncs_total (\d+)/m.exec(metrics)?.[1] ?? Number.NaN);
  }

  protected override async spawn(hook: RunOptions): Promise<ServerProcess> {
    const args = ['start', '--config', join(this.#directory, 'node.yaml')];
    const env = { ...hook.env, TENUTO_PORT: this.#port };
    const process = await restartServer(args, { ...hook, env, atEnd: this.#atEnd });
    this.#port = process.address.slice(process.address.lastIndexOf(':') + 1);
    return process;
  }
}

class KeptWorker extends Kept<Running> {
  readonly #args: readonly string[];
  readonly #atEnd: AtEnd;

  constructor(args: readonly string[], where: readonly string[], atEnd: AtEnd) {
    super(HOOKS.worker, where, atEnd);
    this.#args = args;
    this.#atEnd = atEnd;
  }

  protected override async spawn(hook: RunOptions): Promise<Running> {
    return runNode(here('./worker.mjs'), this.#args, { ...hook, atEnd: this.#atEnd });
  }
}

async function historiesOf(
  client: Client,
  handle: Pick<WorkflowHandleWithFirstExecutionRunId, 'firstExecutionRunId'>,
): Promise<HistoryEvent[][]> {
  const histories: HistoryEvent[][] = [];
  for (let runId: string | undefined = handle.firstExecutionRunId; runId !== undefined; ) {
    const { events }: { events: HistoryEvent[] } = await client.workflow.getHandle('w', runId).fetchHistory();
    histories.push(events);
    const last: HistoryEvent | undefined = events.at(-1);
    runId =
      last?.eventType === EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW ? last.attributes.newExecutionRunId : undefined;
  }
  return histories;
}

const ENDINGS: readonly number[] = [
  EventType.ACTIVITY_TASK_COMPLETED,
  EventType.ACTIVITY_TASK_FAILED,
  EventType.ACTIVITY_TASK_TIMED_OUT,
  EventType.ACTIVITY_TASK_CANCELED,
];

function checkHistories(histories: readonly HistoryEvent[][], { once }: ReferenceResult): void {
  expect(histories).toHaveLength(2);
  for (const events of histories) expect(events.map(({ eventId }) => eventId)).toEqual(events.map((_, i) => i + 1));
  const all = histories.flat();
  const count = (type: number): number => all.filter(({ eventType }) => eventType === type).length;
  const outcomes = histories.flatMap(outcomesOf);
  const completed = ['retried', 'beaten', 'greet', ...(once === 'done' ? ['once'] : [])];
  expect(
    outcomes
      .filter(({ ending }) => ending === EventType.ACTIVITY_TASK_COMPLETED)
      .map(({ type }) => type)
      .sort(),
  ).toEqual(completed.sort());
  expect(outcomes).toHaveLength(4);
  const signals = all.flatMap((event) =>
    event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED ? [event.attributes.signalName] : [],
  );
  expect(signals).toEqual(SIGNALS.map(() => 'note'));
  expect(count(EventType.TIMER_STARTED)).toBe(1);
  expect(count(EventType.TIMER_FIRED)).toBe(1);
  expect(count(EventType.MARKER_RECORDED)).toBe(1);
  expect(all.at(-1)?.eventType).toBe(EventType.WORKFLOW_EXECUTION_COMPLETED);
}

/** How each scheduled activity ended; throws unless it ended exactly once. */
function outcomesOf(events: readonly HistoryEvent[]): { type: string; ending: number }[] {
  const outcomes: { type: string; ending: number }[] = [];
  for (const event of events) {
    if (event.eventType !== EventType.ACTIVITY_TASK_SCHEDULED) continue;
    const endings = events.filter(
      ({ eventType, attributes }) =>
        ENDINGS.includes(eventType) &&
        'scheduledEventId' in attributes &&
        attributes.scheduledEventId === event.eventId,
    );
    expect(endings, `endings of activity ${event.eventId}`).toHaveLength(1);
    outcomes.push({ type: event.attributes.activityType?.name ?? '', ending: endings[0]?.eventType ?? 0 });
  }
  return outcomes;
}

/** The directory is sound, and serves the very same histories again. */
async function checkData(dataDir: string, histories: readonly HistoryEvent[][]): Promise<void> {
  const server = await Server.create({ dataDir, logLevel: 'silent' });
  try {
    const connection = Connection.fromTransport(() => server.connect());
    const client = new Client({ connection });
    const handle = client.workflow.getHandle('w');
    const again = await historiesOf(client, { firstExecutionRunId: runIdOf(histories[0]) });
    expect(again).toEqual(histories);
    expect((await handle.describe()).status.name).toBe('COMPLETED');
    expect((await client.workflow.count(`ExecutionStatus = 'Completed'`)).count).toBe(1);
    expect((await client.workflow.count(`ExecutionStatus = 'Running'`)).count).toBe(0);
    await connection.close();
  } finally {
    await server.close();
  }
  expect((await verifyDirectory(dataDir)).problems).toEqual([]);
}

function runIdOf(events: readonly HistoryEvent[] | undefined): string {
  const [started] = events ?? [];
  if (started?.eventType !== EventType.WORKFLOW_EXECUTION_STARTED) throw new Error('a history begins with its start');
  return started.attributes.originalExecutionRunId ?? '';
}
