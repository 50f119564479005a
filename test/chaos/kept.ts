// Processes that a test kills at exact places and starts again: the node on its directory and port, and the worker. With what every life of
// them shares. Used by the scenarios.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '../../sdk/worker/index.ts';
import {
  type AtEnd,
  type Running,
  type RunOptions,
  restartServer,
  runNode,
  type ServerProcess,
} from '../support/processes.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const HOOKS = { node: here('./crash-hook.mjs'), worker: here('./socket-hook.mjs') };
/** As in worker.mjs. */
export const TASK_QUEUE = 'chaos';
/** A life takes two to five seconds, and half a minute on a machine with six times as much to do as it has cores; past this something was lost, ms. */
const LIFE_MS = 120_000;
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
export async function makeBundle(directory: string, workflows: string): Promise<string> {
  const { code } = await bundleWorkflowCode({ workflowsPath: here(workflows) });
  const file = join(directory, 'workflows.js');
  writeFileSync(file, code);
  return file;
}

/** Runs one life, says in its error which it was, and cleans up after it. */
export async function liveOnce(crash: Crash, live: (atEnd: AtEnd) => Promise<Life>): Promise<Life> {
  const undo: (() => unknown)[] = [];
  try {
    return await live((step) => undo.push(step));
  } catch (error) {
    throw new Error(
      `${crash.who} killed ${crash.where.join(', then ')}: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    );
  } finally {
    for (const step of undo.splice(0).reverse()) await step();
  }
}

/** A node with its worker. */
export async function startBoth(
  directory: string,
  crash: Crash,
  bundle: string,
  atEnd: AtEnd,
): Promise<{ node: KeptNode; worker: KeptWorker }> {
  writeFileSync(join(directory, 'node.yaml'), CONFIG);
  const node = new KeptNode(directory, crash.who === 'node' ? crash.where : [], atEnd);
  await node.start();
  const worker = new KeptWorker(
    ['--address', node.address, '--bundle', bundle, '--journal', journalOf(directory)],
    crash.who === 'worker' ? crash.where : [],
    atEnd,
  );
  await worker.start();
  return { node, worker };
}

/** Where activities note that they ran. */
export const journalOf = (directory: string): string => join(directory, 'journal');

/** So that what is lost is said to be lost. */
export function tooLate(atEnd: AtEnd): Promise<never> {
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

export class KeptNode extends Kept<ServerProcess> {
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

export class KeptWorker extends Kept<Running> {
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
