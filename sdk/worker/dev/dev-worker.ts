// A worker for development: it watches the files of its workflows and activities, and goes on with new code the moment they are saved. Executions under
// way keep the code they began with until a replay has shown that the new one makes the same decisions; those for which it does not are told, and kept.

import { statSync } from 'node:fs';
import type { FSWatcher } from 'chokidar';
import { Client } from '../../client/client.ts';
import type { DataConverter } from '../../common/data-converter.ts';
import { errorMessage } from '../../common/type-helpers.ts';
import type { Connection } from '../../connection/connection.ts';
import {
  openWorkflowBundler,
  type WorkflowBundle,
  type WorkflowBundler,
  type WorkflowsPath,
} from '../runtime/bundle.ts';
import { SpareThreads, workflowThreads } from '../spawn-thread.ts';
import { Worker } from '../worker.ts';
import { loadActivities } from './activities.ts';
import { type KeptRun, moveWhatFits } from './check.ts';
import { Generations, type PinnedRun } from './generations.ts';

export interface DevWorkerOptions {
  readonly connection: Connection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly workflowsPath: WorkflowsPath;
  /** A module whose exported functions are the activities. */
  readonly activitiesPath: string | undefined;
  readonly dataConverter?: DataConverter | undefined;
  onEvent(event: DevEvent): void;
}

export type DevEvent =
  /** New code runs: what begins from now on is its. `ms` since the change was seen. */
  | { readonly type: 'loaded'; readonly what: 'workflows' | 'activities'; readonly ms: number }
  /** `moved` executions under way go on with the new code; those in `kept` would not do what they have done, and keep theirs. */
  | { readonly type: 'checked'; readonly moved: number; readonly kept: readonly KeptRun[] }
  /** The files as they are cannot be used; everything goes on with the code before. */
  | { readonly type: 'failed'; readonly what: 'workflows' | 'activities'; readonly message: string };

type Activities = Map<string, (...args: unknown[]) => unknown>;

/** Editors write a file in several steps, and several files at once, ms. */
const SETTLE_MS = 20;
/** The watcher tells of one change of a file in 50 ms: so long after a build it is looked whether there was another. */
const LOOK_AGAIN_MS = 80;
/** Executions that are looked at after a change; what is beyond it goes on with the new code. */
const MOST_RUNNING = 1_000;

export class DevWorker {
  readonly worker: Worker;
  readonly #options: DevWorkerOptions;
  readonly #client: Client;
  readonly #bundler: WorkflowBundler;
  readonly #generations: Generations;
  readonly #spares: SpareThreads;
  readonly #watcher: FSWatcher;
  #bundle: WorkflowBundle & { readonly files: readonly string[] };
  #activityFiles: readonly string[];
  readonly #activities: Activities;
  #changed = new Set<string>();
  #changedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #reloading: Promise<void> | undefined;

  private constructor(parts: {
    worker: Worker;
    options: DevWorkerOptions;
    bundler: WorkflowBundler;
    bundle: WorkflowBundle & { readonly files: readonly string[] };
    activityFiles: readonly string[];
    activities: Activities;
    generations: Generations;
    spares: SpareThreads;
    watcher: FSWatcher;
  }) {
    this.worker = parts.worker;
    this.#options = parts.options;
    this.#bundler = parts.bundler;
    this.#bundle = parts.bundle;
    this.#activityFiles = parts.activityFiles;
    this.#activities = parts.activities;
    this.#generations = parts.generations;
    this.#spares = parts.spares;
    const { connection, namespace, dataConverter } = parts.options;
    this.#client = new Client({ connection, namespace, ...(dataConverter && { dataConverter }) });
    this.#watcher = parts.watcher;
    this.#watcher.add([...this.#files()]);
    this.#watcher.on('all', (_, path) => this.#noticed(path));
  }

  /** @throws as `Worker.create`; of a module of activities what it throws as it is loaded. */
  static async create(options: DevWorkerOptions): Promise<DevWorker> {
    const { connection, namespace, taskQueue, workflowsPath, activitiesPath, dataConverter } = options;
    const bundler = await openWorkflowBundler({ workflowsPath });
    try {
      const bundle = await bundler.bundle();
      const loaded = activitiesPath === undefined ? undefined : await loadActivities(activitiesPath);
      const activities: Activities = new Map(loaded?.functions);
      let generations: Generations | undefined;
      const spares = new SpareThreads();
      const worker = await Worker.createWith(
        {
          ...{ connection, namespace, taskQueue, workflowsPath },
          activities: Object.fromEntries(activities),
          ...(dataConverter && { dataConverter }),
        },
        {
          bundle,
          activities,
          threads: (shared) => {
            // Activities come and go while threads live.
            const options = { ...shared, activityTypes: undefined };
            generations = new Generations((code) => workflowThreads({ ...options, bundle: code }, spares), bundle);
            return generations.factory;
          },
        },
      );
      if (generations === undefined) throw new TypeError('a worker with workflows has no threads');
      // No worker but one for development needs it.
      const watcher = (await import('chokidar')).watch([], { ignoreInitial: true });
      const activityFiles = loaded?.files ?? [];
      return new DevWorker({
        worker,
        options,
        bundler,
        bundle,
        activityFiles,
        activities,
        generations,
        spares,
        watcher,
      });
    } catch (error) {
      await bundler.close();
      throw error;
    }
  }

  /** As `Worker.run`; watches until then. */
  async run(): Promise<void> {
    try {
      await this.worker.run();
    } finally {
      clearTimeout(this.#timer);
      clearTimeout(this.#again);
      this.#spares.close();
      await this.#watcher.close();
      // A load that is under way waits for threads that are gone.
      await this.#bundler.close();
    }
  }

  *#files(): Iterable<string> {
    yield* this.#bundle.files;
    yield* this.#activityFiles;
  }

  #noticed(path: string): void {
    if (this.#changed.size === 0) this.#changedAt = performance.now();
    this.#changed.add(path);
    this.#spares.prepare();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#reloadSoon(), SETTLE_MS);
  }

  /** One after the other; what changes meanwhile is taken in by the next. */
  #reloadSoon(): void {
    const begin = (): Promise<void> => this.#reload().catch((error: unknown) => this.#failed('workflows', error));
    this.#reloading = (this.#reloading ?? Promise.resolve()).then(begin);
  }

  async #reload(): Promise<void> {
    const changed = this.#changed;
    const since = this.#changedAt;
    if (changed.size === 0) return;
    this.#changed = new Set();
    const begunAtMs = Date.now();
    this.#again = setTimeout(() => this.#lookAgain(begunAtMs), LOOK_AGAIN_MS);
    if (this.#activityFiles.some((file) => changed.has(file))) await this.#reloadActivities(since);
    await this.#reloadWorkflows(since);
    this.#watcher.add([...this.#files()]);
  }

  #lookAgain(sinceMs: number): void {
    for (const file of this.#files()) {
      const modifiedAtMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
      if (modifiedAtMs >= sinceMs) this.#noticed(file);
    }
  }

  async #reloadActivities(since: number): Promise<void> {
    const { activitiesPath, onEvent } = this.#options;
    if (activitiesPath === undefined) return;
    try {
      const { functions, files } = await loadActivities(activitiesPath);
      // The worker looks its activities up here with every task.
      this.#activities.clear();
      for (const [name, fn] of functions) this.#activities.set(name, fn);
      this.#activityFiles = files;
      onEvent({ type: 'loaded', what: 'activities', ms: performance.now() - since });
    } catch (error) {
      this.#failed('activities', error);
    }
  }

  async #reloadWorkflows(since: number): Promise<void> {
    const { onEvent, dataConverter } = this.#options;
    let pinned: PinnedRun[];
    try {
      const [bundle, running] = await Promise.all([this.#bundler.bundle(), this.#running()]);
      if (bundle.code === this.#bundle.code) return;
      pinned = await this.#generations.load(bundle, running);
      this.#bundle = bundle;
    } catch (error) {
      this.#failed('workflows', error);
      return;
    }
    onEvent({ type: 'loaded', what: 'workflows', ms: performance.now() - since });
    if (pinned.length === 0) return;
    const check = { client: this.#client, generations: this.#generations, bundle: this.#bundle, dataConverter };
    const kept = await moveWhatFits(pinned, check);
    this.#generations.retireUnused();
    onEvent({ type: 'checked', moved: pinned.length - kept.length, kept });
  }

  async #running(): Promise<PinnedRun[]> {
    const running: PinnedRun[] = [];
    const query = `TaskQueue = '${this.#options.taskQueue.replaceAll("'", "''")}' AND ExecutionStatus = 'Running'`;
    for await (const { workflowId, runId } of this.#client.workflow.list({ query })) {
      running.push({ workflowId, runId });
      if (running.length >= MOST_RUNNING) break;
    }
    return running;
  }

  #failed(what: 'workflows' | 'activities', error: unknown): void {
    if (this.worker.getState() !== 'RUNNING') return;
    this.#options.onEvent({ type: 'failed', what, message: errorMessage(error) ?? String(error) });
  }
}
