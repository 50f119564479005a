// The worker users create: options in, an engine over a connection and threads inside, and the states of its life.

import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { Observable } from 'rxjs';
import { Client } from '../client/client.ts';
import { IllegalStateError } from '../common/errors.ts';
import type { HistoryAndWorkflowId } from '../common/interfaces.ts';
import { loadDataConverter } from '../common/load-data-converter.ts';
import { type Duration, msToNumber } from '../common/time.ts';
import { Connection } from '../connection/connection.ts';
import { loadBundle } from './bundle-option.ts';
import { CombinedWorkerRunError, GracefulShutdownPeriodExpiredError, PromiseCompletionTimeoutError } from './errors.ts';
import { WorkerMetrics } from './metrics/worker-metrics.ts';
import {
  type CompiledWorkerOptions,
  compileWorkerOptions,
  type ReplayWorkerOptions,
  rate,
  type WorkerOptions,
} from './options.ts';
import { configuredWorker, runWithin, type WorkerPlugin } from './plugins.ts';
import { Runtime, type SignalledWorker } from './process-runtime.ts';
import { type ReplayResult, replayHistories, replayHistory } from './replay.ts';
import type { WorkflowBundle } from './runtime/bundle.ts';
import { workflowThreads } from './spawn-thread.ts';
import { SDK_NAME, SDK_VERSION } from './version.ts';
import { WorkerEngine } from './worker-engine.ts';
import { WorkerHeartbeats } from './worker-heartbeat.ts';

/**
 * - `INITIALIZED`: created, takes no tasks yet.
 * - `RUNNING`: `run` was called.
 * - `STOPPING`: shutdown was asked for; the server is being told.
 * - `DRAINING`: no new tasks come; those it has are finished.
 * - `DRAINED`: everything is finished.
 * - `STOPPED`: `run` resolves.
 * - `FAILED`: `run` rejects.
 */
export type State = 'INITIALIZED' | 'RUNNING' | 'STOPPING' | 'DRAINING' | 'DRAINED' | 'STOPPED' | 'FAILED';
/** Whether tasks of a kind are being taken. */
export type PollerState = 'POLLING' | 'SHUTDOWN' | 'FAILED';

export interface WorkerStatus {
  runState: State;
  workflowPollerState: PollerState;
  activityPollerState: PollerState;
  /** The server may push workflow tasks. */
  hasOutstandingWorkflowPoll: boolean;
  /** The server may push activities. */
  hasOutstandingActivityPoll: boolean;
  /** Workflow tasks being worked on or answered. */
  numInFlightWorkflowActivations: number;
  /** Activities running, local ones included. */
  numInFlightActivities: number;
  numInFlightNonLocalActivities: number;
  numInFlightLocalActivities: number;
  /** Executions kept warm. */
  numCachedWorkflows: number;
  /** Running activities that have sent a heartbeat. */
  numHeartbeatingActivities: number;
}

export interface RunUntilOptions {
  /** How long after the worker has ended by itself the promise may still take. Default: 0. */
  promiseCompletionTimeout?: Duration;
}

/** What a worker runs, and how threads for it are made. */
export interface WorkflowCode {
  bundle: WorkflowBundle | undefined;
  threads: typeof workflowThreads;
  /** Instead of those of the options, and looked at with every task: it may change. */
  activities?: CompiledWorkerOptions['activities'] | undefined;
}

interface WorkerParts {
  engine: WorkerEngine;
  options: CompiledWorkerOptions;
  failed: Promise<never>;
  heartbeats: WorkerHeartbeats;
  plugins: readonly WorkerPlugin[];
  metrics: WorkerMetrics;
  connection: Connection;
  client: Client;
  close(): Promise<void>;
}

/**
 * Runs workflows and activities of one task queue.
 *
 * ```ts
 * const worker = await Worker.create({ taskQueue: 'orders', workflowsPath, activities });
 * await worker.run(); // until a signal, or worker.shutdown()
 * ```
 */
export class Worker implements SignalledWorker {
  /** The options, with defaults filled in. */
  readonly options: CompiledWorkerOptions;
  private readonly parts: WorkerParts;
  private state: State = 'INITIALIZED';
  private requestStop: () => void = () => {};
  private readonly stopRequested: Promise<void>;

  /**
   * Bundles the workflows, connects, and starts the workflow threads. Takes no tasks before `run`.
   *
   * @throws TypeError for options that cannot be meant.
   * @throws RpcError NOT_FOUND for an unknown namespace; as `Connection.connect` when the server cannot be reached.
   */
  static async create(options: WorkerOptions): Promise<Worker> {
    const configured = await configuredWorker(options);
    sayWhatIsIgnored(configured);
    return Worker.createWith(configured, { bundle: await loadBundle(configured), threads: workflowThreads });
  }

  /** @internal As `create`, with the workflows' code and what runs it given: for code that changes while the worker runs (dev/). */
  static async createWith(options: WorkerOptions, { bundle, threads, activities }: WorkflowCode): Promise<Worker> {
    const given = compileWorkerOptions(options, machine());
    const compiled = activities === undefined ? given : { ...given, activities };
    const { logger, metrics: runtimeMetrics } = Runtime.instance();
    const metrics = new WorkerMetrics(runtimeMetrics, compiled.namespace, compiled.taskQueue);
    const converter = loadDataConverter(options.dataConverter);
    const connection = options.connection ?? (await Connection.connect());
    const closeConnection = async (): Promise<void> => {
      if (options.connection === undefined) await connection.close();
    };
    let engine: WorkerEngine | undefined;
    try {
      await connection.request('describeNamespace', { namespace: compiled.namespace });
      const identity = compiled.identity ?? connection.identity;
      const buildId = compiled.buildId ?? defaultBuildId(bundle?.code);
      let fail: (error: unknown) => void = () => {};
      const failed = new Promise<never>((_resolve, reject) => {
        fail = reject;
      });
      // Before `run` nobody listens yet.
      failed.catch(() => {});
      const client = new Client({
        ...{ connection, namespace: compiled.namespace, dataConverter: options.dataConverter },
        interceptors: options.interceptors?.client,
      });
      engine = new WorkerEngine({
        options: compiled,
        identity,
        buildId,
        connection,
        converter,
        threads:
          bundle === undefined
            ? undefined
            : threads({
                bundle,
                namespace: compiled.namespace,
                taskQueue: compiled.taskQueue,
                identity,
                maxCachedWorkflows: Math.ceil(compiled.maxCachedWorkflows / compiled.threadCount),
                sdkVersion: SDK_VERSION,
                buildId,
                activityTypes: [...compiled.activities.keys()],
                version: compiled.deployment?.useWorkerVersioning === true ? compiled.deployment.version : undefined,
                failureErrorTypes: compiled.failureErrorTypes,
                patchActivationCallback: compiled.patchActivationCallback,
              }),
        client,
        payloadLimits: connection.payloadLimits,
        ...{ logger, metrics },
        fatal: fail,
      });
      await Promise.race([engine.prepare(), failed]);
      const started = engine;
      const close = async (): Promise<void> => {
        started.close();
        await closeConnection();
      };
      const heartbeats = new WorkerHeartbeats({
        ...{ connection, engine, options: compiled, identity },
        intervalMs: Runtime.instance().workerHeartbeatIntervalMs,
      });
      const { plugins = [] } = options;
      return new Worker({ engine, options: compiled, failed, close, heartbeats, plugins, metrics, connection, client });
    } catch (error) {
      engine?.close();
      await closeConnection();
      throw error;
    }
  }

  /**
   * Replays a history against the workflows' code.
   *
   * @param history As `handle.fetchHistory()` returns it, or the JSON the CLI writes.
   * @param workflowId What `workflowInfo()` shows; histories do not contain it. Default: 'fake'.
   * @throws DeterminismViolationError when the code no longer makes the decisions the history records.
   * @throws ReplayError when the history cannot be replayed for another reason.
   */
  static runReplayHistory(options: ReplayWorkerOptions, history: unknown, workflowId?: string): Promise<void> {
    return replayHistory(options, history, workflowId);
  }

  /** Replays many histories; yields one result for each, with `error` as {@link runReplayHistory} throws it. */
  static runReplayHistories(
    options: ReplayWorkerOptions,
    histories: AsyncIterable<HistoryAndWorkflowId> | Iterable<HistoryAndWorkflowId>,
  ): AsyncIterableIterator<ReplayResult> {
    return replayHistories(options, histories);
  }

  get connection(): Connection {
    return this.parts.connection;
  }

  /** What activities get from `getClient()`. */
  get client(): Client {
    return this.parts.client;
  }

  private constructor(parts: WorkerParts) {
    this.parts = parts;
    this.options = parts.options;
    this.stopRequested = new Promise((resolve) => {
      this.requestStop = resolve;
    });
  }

  /** Workflow tasks in hand, now and whenever that changes. */
  get numInFlightActivations$(): Observable<number> {
    return this.parts.engine.counts.activations.changes;
  }

  /** Activities that run, local ones included, now and whenever that changes. */
  get numInFlightActivities$(): Observable<number> {
    return this.parts.engine.counts.activities.changes;
  }

  /** Executions kept warm, now and whenever that changes. */
  get numRunningWorkflowInstances$(): Observable<number> {
    return this.parts.engine.counts.workflows.changes;
  }

  getState(): State {
    return this.state;
  }

  getStatus(): WorkerStatus {
    const { engine, options } = this.parts;
    const polls = this.state === 'RUNNING';
    const pollerState: PollerState = polls ? 'POLLING' : this.state === 'FAILED' ? 'FAILED' : 'SHUTDOWN';
    const activities = engine.activityTasks.inFlight;
    const localActivities = engine.localActivities.inFlight;
    const hasRoom = (kind: 'workflow' | 'activity') => engine.session.running(kind) < engine.session.slots(kind).total;
    return {
      runState: this.state,
      workflowPollerState: options.slots.workflow !== undefined ? pollerState : 'SHUTDOWN',
      activityPollerState: options.slots.activity !== undefined ? pollerState : 'SHUTDOWN',
      hasOutstandingWorkflowPoll: polls && hasRoom('workflow'),
      hasOutstandingActivityPoll: polls && hasRoom('activity'),
      numInFlightWorkflowActivations: engine.workflowTasks.inFlight,
      numInFlightActivities: activities + localActivities,
      numInFlightNonLocalActivities: activities,
      numInFlightLocalActivities: localActivities,
      numCachedWorkflows: engine.workflowTasks.cached,
      numHeartbeatingActivities: engine.activityTasks.heartbeating,
    };
  }

  /**
   * Takes tasks until `shutdown` or a signal, then finishes what it has.
   *
   * @throws IllegalStateError when it was run before.
   * @throws GracefulShutdownPeriodExpiredError when `shutdownForceTime` passes first.
   * @throws RpcError when the server refuses the worker, UnexpectedError when its workflow threads cannot be kept running.
   */
  async run(): Promise<void> {
    await runWithin(this.parts.plugins, this, () => this.runItself());
  }

  private async runItself(): Promise<void> {
    if (this.state !== 'INITIALIZED') {
      throw new IllegalStateError(`A worker runs once; this one is ${this.state}. Create another one`);
    }
    this.state = 'RUNNING';
    const { engine, failed, options, heartbeats, metrics } = this.parts;
    const { logger } = Runtime.instance();
    logger.info('Worker running', { taskQueue: options.taskQueue, namespace: options.namespace });
    Runtime.instance().register(this);
    const uncollect = Runtime.instance().metrics.onCollect(() => metrics.gauges(this.getStatus()));
    let force: NodeJS.Timeout | undefined;
    try {
      void engine.open();
      heartbeats.start();
      await Promise.race([this.stopRequested, failed]);
      logger.info('Worker stopping', { taskQueue: options.taskQueue });
      heartbeats.stopping();
      const expired = new Promise<never>((_resolve, reject) => {
        const { shutdownForceTimeMs } = options;
        if (shutdownForceTimeMs === undefined) return;
        force = setTimeout(() => {
          const message = `Workflows or activities were still running ${shutdownForceTimeMs} ms after shutdown was asked for`;
          reject(new GracefulShutdownPeriodExpiredError(message));
        }, shutdownForceTimeMs);
      });
      const stopped = engine.stop(() => {
        this.state = 'DRAINING';
      });
      await Promise.race([stopped, expired, failed]);
      this.state = 'DRAINED';
      await heartbeats.end();
      await this.parts.close();
      this.state = 'STOPPED';
      logger.info('Worker stopped', { taskQueue: options.taskQueue });
    } catch (error) {
      this.state = 'FAILED';
      await this.parts.close();
      logger.error('Worker failed', { taskQueue: options.taskQueue, error });
      throw error;
    } finally {
      void heartbeats.end();
      clearTimeout(force);
      uncollect();
      Runtime.instance().deregister(this);
    }
  }

  /**
   * Runs until the promise (or that of the function, called at once) settles, then shuts down.
   *
   * @returns What the promise resolves with.
   * @throws What the promise rejects with; what `run` throws; CombinedWorkerRunError when both failed; PromiseCompletionTimeoutError when
   * the worker ended by itself and the promise did not within `promiseCompletionTimeout`.
   */
  async runUntil<R>(fnOrPromise: Promise<R> | (() => Promise<R>), options?: RunUntilOptions): Promise<R> {
    const running = this.run();
    const inner = settled(
      (async () => (typeof fnOrPromise === 'function' ? fnOrPromise() : fnOrPromise))().finally(() => {
        if (this.state === 'RUNNING') this.shutdown();
      }),
    );
    const outer = await settled(running);
    const limitMs = msToNumber(options?.promiseCompletionTimeout ?? 0);
    let timer: NodeJS.Timeout | undefined;
    const timedOut = new Promise<Settled<R>>((resolve) => {
      const error = new PromiseCompletionTimeoutError(
        `The promise given to runUntil was still open ${limitMs} ms after the worker had ended`,
      );
      timer = setTimeout(() => resolve({ ok: false, error }), limitMs);
    });
    const result = await Promise.race([inner, timedOut]);
    clearTimeout(timer);
    if (outer.ok && result.ok) return result.value;
    if (outer.ok && !result.ok) throw result.error;
    if (!outer.ok && (result.ok || result.error instanceof PromiseCompletionTimeoutError)) throw outer.error;
    throw new CombinedWorkerRunError('The worker failed, and so did the promise given to runUntil', {
      cause: { workerError: outer.ok ? undefined : outer.error, innerError: result.ok ? undefined : result.error },
    });
  }

  /**
   * Changes {@link WorkerOptions.maxActivitiesPerSecond} while the worker runs: what is under way goes on, what begins from now on is counted by it.
   *
   * @param perSecond Above 0; undefined: unlimited.
   * @throws TypeError for anything else.
   */
  setMaxActivitiesPerSecond(perSecond: number | undefined): void {
    this.parts.engine.session.limitActivities(rate('maxActivitiesPerSecond', perSecond));
  }

  /**
   * Begins a graceful shutdown: takes no more tasks, finishes those it has; `run` resolves when that is done.
   *
   * @throws IllegalStateError when the worker is not running.
   */
  shutdown(): void {
    if (this.state !== 'RUNNING') throw new IllegalStateError(`Not running. Current state: ${this.state}`);
    this.state = 'STOPPING';
    this.requestStop();
  }

  /** For the runtime. */
  shutdownOnSignal(signal: string): void {
    if (this.state !== 'RUNNING') return;
    Runtime.instance().logger.info('Shutting down on a signal', { signal, taskQueue: this.options.taskQueue });
    this.shutdown();
  }
}

/** A bundle was made before, with interceptors and options of its own. */
function sayWhatIsIgnored({ workflowBundle, workflowsPath, bundlerOptions, interceptors }: WorkerOptions): void {
  if (workflowBundle === undefined) return;
  const { logger } = Runtime.instance();
  const ignored = { workflowsPath, bundlerOptions, 'interceptors.workflowModules': interceptors?.workflowModules };
  for (const [name, given] of Object.entries(ignored)) {
    if (given === undefined || (Array.isArray(given) && given.length === 0)) continue;
    logger.warn(`Ignoring WorkerOptions.${name} because WorkerOptions.workflowBundle is set`);
  }
}

type Settled<R> = { ok: true; value: R } | { ok: false; error: unknown };

function settled<R>(promise: Promise<R>): Promise<Settled<R>> {
  return promise.then(
    (value) => ({ ok: true, value }),
    (error: unknown) => ({ ok: false, error }),
  );
}

function machine(): { cores: number; heapLimit: number; debug: boolean } {
  return {
    cores: availableParallelism(),
    heapLimit: getHeapStatistics().heap_size_limit,
    debug: Boolean(process.env.TENUTO_DEBUG),
  };
}

/** Changes with the workflows' code. */
function defaultBuildId(code: string | undefined): string {
  if (code === undefined) return `${SDK_NAME}@${SDK_VERSION}`;
  return `${SDK_NAME}@${SDK_VERSION}+${createHash('sha256').update(code).digest('hex').slice(0, 16)}`;
}
