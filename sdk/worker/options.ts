// Options of a worker: what users give, checked once, and what the worker's parts get.

import type { ServiceHandler } from 'nexus-rpc';
import type { DataConverter } from '../common/data-converter.ts';
import type { UntypedActivities } from '../common/interfaces.ts';
import { throwIfReservedName } from '../common/reserved.ts';
import { type Duration, durationOption } from '../common/time.ts';
import { checkVersion, encodeVersioningBehavior, type WorkerDeploymentOptions } from '../common/worker-deployments.ts';
import type { Connection } from '../connection/connection.ts';
import type { AnyActivity } from './activity-execution.ts';
import type { HeartbeatThrottleLimits } from './heartbeat-throttle.ts';
import type { ActivityInterceptorsFactory, NexusInterceptorsFactory, WorkerInterceptors } from './interceptors.ts';
import type { PatchActivationCallback } from './patch-activation.ts';
import type { WorkerPlugin } from './plugins.ts';
import type { BundlerPlugin, WorkflowsPath } from './runtime/bundle.ts';
import type { AnySinks } from './sinks.ts';
import { type CompiledPollerBehavior, compilePollers, type PollerBehavior } from './slots/poller-behavior.ts';
import { type CompiledTuner, compileTuner, type FixedSizeSlotSupplier, type WorkerTuner } from './slots/tuner.ts';
import type { FailureErrorTypes } from './thread-protocol.ts';

/** Code made by `bundleWorkflowCode`, or the path of a file that holds it. */
export type WorkflowBundleOption =
  | { code: string; sourceMap?: string }
  | {
      codePath: string;
      /** Of a file with the bundle's source map, as `sourceMap` of the bundle is; without it stacks name positions in the bundle. */
      sourceMapPath?: string;
    };

export interface BundlerOptions {
  /** Modules left out of the bundle; they must not be used when a workflow runs. */
  ignoreModules?: string[];
  /** Refused: esbuild bundles. */
  webpackConfigHook?: (config: never) => unknown;
}

export interface WorkerOptions {
  /** Default: a connection of the worker's own to `TENUTO_ADDRESS` or 127.0.0.1:7280, closed when the worker has stopped. */
  connection?: Connection;
  /** Default: 'default'. */
  namespace?: string;
  /** The queue tasks come from. */
  taskQueue: string;
  /** Shown in histories and descriptions. Default: the connection's, `pid@hostname`. */
  identity?: string;
  /** Names this build of the worker's code, in histories. Default: the SDK's name and version and a checksum of the workflows' bundle. */
  buildId?: string;
  /** The version of a deployment that this worker belongs to: replaces `buildId`. */
  workerDeploymentOptions?: WorkerDeploymentOptions;
  /** Path or `file:` URL of a module, or several; every function they export is a workflow. Bundled when the worker is created. Exclusive with `workflowBundle`. */
  workflowsPath?: WorkflowsPath;
  /** Workflows bundled beforehand. */
  workflowBundle?: WorkflowBundleOption;
  bundlerOptions?: BundlerOptions;
  /** Activity functions by name; `default` takes those without a function of their own. */
  activities?: object;
  /** Handlers of Nexus services, as `serviceHandler` of `nexus-rpc` makes them. They serve the endpoints whose target is this namespace and task queue. */
  nexusServices?: readonly ServiceHandler[];
  /** Nexus tasks at once. Default: 100. */
  maxConcurrentNexusTaskExecutions?: number;
  /** False: activities run only as local activities of this worker's workflows. Default: true. */
  enableNonLocalActivities?: boolean;
  /** Activities at once. Default: 100. */
  maxConcurrentActivityTaskExecutions?: number;
  /** Workflow tasks at once, waiting ones included; at least 2 with a cache. Default: 40. */
  maxConcurrentWorkflowTaskExecutions?: number;
  /** Local activities at once. Default: 100. */
  maxConcurrentLocalActivityExecutions?: number;
  /** Decides how many tasks of each kind run at once, instead of the `maxConcurrent…Executions`. */
  tuner?: WorkerTuner;
  /** How many workflow tasks the servers may push ahead of those that run. Default: as many as there are free slots; 10 where a tuner's supplier hands them out. */
  workflowTaskPollerBehavior?: PollerBehavior;
  /** The same of activities. */
  activityTaskPollerBehavior?: PollerBehavior;
  /** The same of Nexus tasks. */
  nexusTaskPollerBehavior?: PollerBehavior;
  /** Short for a `workflowTaskPollerBehavior` of type `simple-maximum`, which it gives way to. */
  maxConcurrentWorkflowTaskPolls?: number;
  /** The same of activities. */
  maxConcurrentActivityTaskPolls?: number;
  /** The same of Nexus tasks. */
  maxConcurrentNexusTaskPolls?: number;
  /**
   * Taken and of no effect: a server pushes a task where there is room for it, from the sticky queue or the other; there are no polls to share out.
   * Temporal's default: 0.2.
   */
  nonStickyToStickyPollRatio?: number;
  /** Executions kept warm, over all threads, so that a task replays nothing; 0: none. Default: 600 per GiB of the heap's limit beyond 200 MiB. */
  maxCachedWorkflows?: number;
  /** Activities this worker begins per second, at most. Default: unlimited. */
  maxActivitiesPerSecond?: number;
  /** Activities per second over all workers of the queue; the last worker to say wins. Default: unlimited. */
  maxTaskQueueActivitiesPerSecond?: number;
  /**
   * So many activities of one workflow task's answer, at most, ask to be run by this worker before any other of their queue; 0: none does.
   * Default: all, since they take free slots only and reserve none (Temporal's is 3).
   */
  maxEagerActivityReservationsPerWorkflowTask?: number;
  /** How long a task may wait for this worker, which has its execution warm, before any worker may take it. Default: 10 s. */
  stickyQueueScheduleToStartTimeout?: Duration;
  /** How long activities may go on after shutdown was asked for, before they are cancelled. Default: 0. */
  shutdownGraceTime?: Duration;
  /** How long after shutdown was asked for `run` gives up waiting and throws. Default: never. */
  shutdownForceTime?: Duration;
  /** Cap of the time between an activity's heartbeats. Default: 60 s. */
  maxHeartbeatThrottleInterval?: Duration;
  /** Time between heartbeats of activities without a heartbeat timeout. Default: 30 s. */
  defaultHeartbeatThrottleInterval?: Duration;
  /** Threads that run workflows. Default: 1, or 2 with four cores or more. */
  workflowThreadPoolSize?: number;
  /** Never treat a workflow as deadlocked, so that a debugger can hold it. Default: the environment's `TENUTO_DEBUG` is set. */
  debugMode?: boolean;
  /** @deprecated Taken and of no effect, as {@link showStackTraceSources}. */
  enableSDKTracing?: boolean;
  /** @deprecated It was about version sets, which this server never had: true is refused. Use {@link workerDeploymentOptions}. */
  useVersioning?: boolean;
  /** Taken and of no effect: a bundle keeps no sources, so that enhanced stack traces have none. */
  showStackTraceSources?: boolean;
  /** Taken and of no effect: the executions of a thread always share one V8 context, whose built-ins are frozen. */
  reuseV8Context?: boolean;
  /**
   * Taken and of no effect: no worker knows its namespace's limits, so that it is always the server that refuses payloads that are too large,
   * as with `true` there.
   */
  disablePayloadErrorLimit?: boolean;
  /**
   * By workflow type, and `*` for all: names of classes of errors that fail a workflow (or the update whose handler throws them) instead of its
   * workflow task, which would be tried again. A class is found by its own name or that of one it extends; `Error` is every error, and
   * `NondeterminismError` a history that the code does not follow. What `setWorkflowOptions` says holds besides.
   */
  workflowFailureErrorTypes?: Readonly<Record<string, readonly string[]>>;
  /** Decides for each workflow that comes to a patch for the first time whether it takes the new path. Default: it does. */
  patchActivationCallback?: PatchActivationCallback;
  /** Functions workflows may call with `proxySinks`. */
  sinks?: AnySinks;
  interceptors?: WorkerInterceptors;
  /** Converter modules and codecs; the same as the clients'. Codecs run on the main thread. */
  dataConverter?: DataConverter;
  /** Change these options, the bundling of the workflows, and what runs around the worker. */
  plugins?: readonly (WorkerPlugin & BundlerPlugin)[];
}

/** Options that a replay takes, so that it may be given a worker's, and has no use for: one thread replays one history after the other. */
export type ReplayOptionsOfNoEffect = Pick<
  WorkerOptions,
  | 'workerDeploymentOptions'
  | 'showStackTraceSources'
  | 'enableSDKTracing'
  | 'workflowThreadPoolSize'
  | 'shutdownGraceTime'
  | 'shutdownForceTime'
  | 'reuseV8Context'
  | 'disablePayloadErrorLimit'
>;

/** Options of a replay: what concerns workflows' code. Sinks are called where they ask for `callDuringReplay`. */
export type ReplayWorkerOptions = Pick<
  WorkerOptions,
  | 'workflowsPath'
  | 'workflowBundle'
  | 'bundlerOptions'
  | 'dataConverter'
  | 'debugMode'
  | 'identity'
  | 'buildId'
  | 'interceptors'
  | 'plugins'
  | 'sinks'
  | 'workflowFailureErrorTypes'
> &
  ReplayOptionsOfNoEffect & {
    /** Shown as the task queue of the replayed workflows. Default: 'fake_replay_queue'. */
    replayName?: string;
  };

/** What the worker was made with, defaults filled in. Times in ms. */
export interface CompiledWorkerOptions {
  readonly namespace: string;
  readonly taskQueue: string;
  readonly identity: string | undefined;
  readonly buildId: string | undefined;
  readonly deployment: WorkerDeploymentOptions | undefined;
  readonly activities: ReadonlyMap<string, AnyActivity>;
  readonly slots: {
    /** Absent without workflows. */
    readonly workflow: CompiledTuner['workflow'] | undefined;
    /** Absent without activities, or when only local ones run. */
    readonly activity: CompiledTuner['activity'] | undefined;
    readonly localActivity: CompiledTuner['localActivity'];
    /** Absent without Nexus services. */
    readonly nexus: CompiledTuner['nexus'] | undefined;
  };
  readonly pollers: Readonly<Record<'workflow' | 'activity' | 'nexus', CompiledPollerBehavior>>;
  /** By the names of their services. */
  readonly nexusServices: ReadonlyMap<string, ServiceHandler>;
  readonly maxCachedWorkflows: number;
  readonly threadCount: number;
  readonly maxActivitiesPerSecond: number | undefined;
  readonly maxTaskQueueActivitiesPerSecond: number | undefined;
  readonly stickyScheduleToStartTimeoutMs: number;
  readonly shutdownGraceTimeMs: number;
  readonly shutdownForceTimeMs: number | undefined;
  readonly heartbeatLimits: HeartbeatThrottleLimits;
  readonly deadlockMs: number | undefined;
  readonly failureErrorTypes: FailureErrorTypes | undefined;
  readonly maxEagerActivities: number | undefined;
  readonly patchActivationCallback: PatchActivationCallback | undefined;
  readonly sinks: AnySinks;
  readonly activityInterceptors: readonly ActivityInterceptorsFactory[];
  readonly nexusInterceptors: readonly NexusInterceptorsFactory[];
}

/** Where the options do not know: the machine. */
export interface WorkerMachine {
  cores: number;
  /** Bytes. */
  heapLimit: number;
  debug: boolean;
}

/** ms of synchronous work before a workflow counts as deadlocked. */
const DEADLOCK_MS = 1000;
const MIB = 1024 * 1024;

/** @throws TypeError naming the option that cannot be meant; ValueError for a value of none of its enum's. */
export function compileWorkerOptions(options: WorkerOptions, machine: WorkerMachine): CompiledWorkerOptions {
  if (typeof options.taskQueue !== 'string' || options.taskQueue === '') {
    throw new TypeError('Task queue name is required: WorkerOptions.taskQueue must be a non-empty string');
  }
  throwIfReservedName('task queue', options.taskQueue);
  if (options.useVersioning === true) {
    throw new TypeError(
      'WorkerOptions.useVersioning is about version sets, which this server has never had: use workerDeploymentOptions',
    );
  }
  const hasWorkflows = options.workflowsPath !== undefined || options.workflowBundle !== undefined;
  const activities = compileActivities(options.activities ?? {});
  const hasActivities = activities.size > 0 && options.enableNonLocalActivities !== false;
  const nexusServices = compileServices(options.nexusServices ?? []);
  if (!hasWorkflows && !hasActivities && nexusServices.size === 0) {
    throw new TypeError('A worker needs workflows (workflowsPath or workflowBundle), activities, or Nexus services');
  }
  const cached = count('maxCachedWorkflows', options.maxCachedWorkflows ?? defaultCache(machine.heapLimit), 0);
  const slots = compileSlots(options, cached > 0 ? 2 : 1);
  const debugMode = options.debugMode ?? machine.debug;
  return {
    namespace: options.namespace ?? 'default',
    taskQueue: options.taskQueue,
    identity: options.identity,
    buildId: options.workerDeploymentOptions?.version?.buildId ?? options.buildId,
    deployment: compileDeployment(options.workerDeploymentOptions),
    activities,
    slots: {
      workflow: hasWorkflows ? slots.workflow : undefined,
      activity: hasActivities ? slots.activity : undefined,
      localActivity: slots.localActivity,
      nexus: nexusServices.size > 0 ? slots.nexus : undefined,
    },
    pollers: compileAllPollers(options, slots),
    nexusServices,
    maxCachedWorkflows: cached,
    threadCount: count('workflowThreadPoolSize', options.workflowThreadPoolSize ?? (machine.cores >= 4 ? 2 : 1), 1),
    maxActivitiesPerSecond: rate('maxActivitiesPerSecond', options.maxActivitiesPerSecond),
    maxTaskQueueActivitiesPerSecond: rate('maxTaskQueueActivitiesPerSecond', options.maxTaskQueueActivitiesPerSecond),
    stickyScheduleToStartTimeoutMs:
      durationOption('stickyQueueScheduleToStartTimeout', options.stickyQueueScheduleToStartTimeout) ?? 10_000,
    shutdownGraceTimeMs: durationOption('shutdownGraceTime', options.shutdownGraceTime) ?? 0,
    shutdownForceTimeMs: durationOption('shutdownForceTime', options.shutdownForceTime),
    heartbeatLimits: {
      maxIntervalMs: durationOption('maxHeartbeatThrottleInterval', options.maxHeartbeatThrottleInterval) ?? 60_000,
      defaultIntervalMs:
        durationOption('defaultHeartbeatThrottleInterval', options.defaultHeartbeatThrottleInterval) ?? 30_000,
    },
    deadlockMs: debugMode ? undefined : DEADLOCK_MS,
    failureErrorTypes: options.workflowFailureErrorTypes,
    maxEagerActivities:
      options.maxEagerActivityReservationsPerWorkflowTask === undefined
        ? undefined
        : count('maxEagerActivityReservationsPerWorkflowTask', options.maxEagerActivityReservationsPerWorkflowTask, 0),
    patchActivationCallback: options.patchActivationCallback,
    sinks: checkedSinks(options.sinks ?? {}),
    nexusInterceptors: options.interceptors?.nexus ?? [],
    activityInterceptors: [
      ...(options.interceptors?.activity ?? []),
      ...(options.interceptors?.activityInbound ?? []).map(
        (factory): ActivityInterceptorsFactory =>
          (context) => ({ inbound: factory(context) }),
      ),
    ],
  };
}

function compileSlots(options: WorkerOptions, leastWorkflowSlots: number): CompiledTuner {
  const sizes = {
    maxConcurrentWorkflowTaskExecutions: 40,
    maxConcurrentActivityTaskExecutions: 100,
    maxConcurrentLocalActivityExecutions: 100,
    maxConcurrentNexusTaskExecutions: 100,
  } as const;
  const fixed = (name: keyof typeof sizes, least = 1): FixedSizeSlotSupplier => {
    if (options.tuner !== undefined && options[name] !== undefined) {
      throw new TypeError(`Give either WorkerOptions.tuner or WorkerOptions.${name}, not both`);
    }
    return { type: 'fixed-size', numSlots: count(name, options[name] ?? sizes[name], least) };
  };
  const numbers = {
    workflow: fixed('maxConcurrentWorkflowTaskExecutions', leastWorkflowSlots),
    activity: fixed('maxConcurrentActivityTaskExecutions'),
    localActivity: fixed('maxConcurrentLocalActivityExecutions'),
    nexus: fixed('maxConcurrentNexusTaskExecutions'),
  };
  return options.tuner === undefined ? numbers : compileTuner(options.tuner, leastWorkflowSlots);
}

function compileAllPollers(options: WorkerOptions, slots: CompiledTuner): CompiledWorkerOptions['pollers'] {
  const pollers = (
    kind: 'workflow' | 'activity' | 'nexus',
    behaviorOption: 'workflowTaskPollerBehavior' | 'activityTaskPollerBehavior' | 'nexusTaskPollerBehavior',
    pollsOption: 'maxConcurrentWorkflowTaskPolls' | 'maxConcurrentActivityTaskPolls' | 'maxConcurrentNexusTaskPolls',
  ): CompiledPollerBehavior => {
    const polls = options[pollsOption];
    const given = options[behaviorOption];
    if (polls !== undefined) count(pollsOption, polls, 1);
    const behavior = given ?? (polls === undefined ? undefined : { type: 'simple-maximum' as const, maximum: polls });
    return compilePollers(behaviorOption, behavior, slots[kind].type === 'fixed-size' ? 'fixed' : 'supplied');
  };
  return {
    workflow: pollers('workflow', 'workflowTaskPollerBehavior', 'maxConcurrentWorkflowTaskPolls'),
    activity: pollers('activity', 'activityTaskPollerBehavior', 'maxConcurrentActivityTaskPolls'),
    nexus: pollers('nexus', 'nexusTaskPollerBehavior', 'maxConcurrentNexusTaskPolls'),
  };
}

function checkedSinks(sinks: AnySinks): AnySinks {
  for (const name of Object.keys(sinks)) throwIfReservedName('sink', name);
  return sinks;
}

function compileDeployment(given: WorkerDeploymentOptions | undefined): WorkerDeploymentOptions | undefined {
  if (given === undefined) return undefined;
  if (!given.version) throw new TypeError('WorkerOptions.workerDeploymentOptions.version is required');
  checkVersion('WorkerOptions.workerDeploymentOptions.version', given.version);
  const { defaultVersioningBehavior } = given;
  if (defaultVersioningBehavior !== undefined) encodeVersioningBehavior(defaultVersioningBehavior);
  return given;
}

/** The functions among an object's (or class instance's) properties, methods included. */
function compileActivities(activities: object): Map<string, AnyActivity> {
  const functions = new Map<string, AnyActivity>();
  for (const [name, value] of Object.entries(activities)) {
    if (typeof value !== 'function') continue;
    // What a workflow passes is checked by its own proxy's types.
    const fn = value as UntypedActivities[string];
    throwIfReservedName('activity', name);
    functions.set(name, fn);
  }
  const prototype: unknown = Object.getPrototypeOf(activities);
  if (typeof prototype !== 'object' || prototype === null || prototype === Object.prototype) return functions;
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const value: unknown = name === 'constructor' ? undefined : Reflect.get(activities, name);
    if (typeof value === 'function' && !functions.has(name)) functions.set(name, value.bind(activities));
  }
  return functions;
}

function compileServices(handlers: readonly ServiceHandler[]): Map<string, ServiceHandler> {
  const services = new Map<string, ServiceHandler>();
  for (const handler of handlers) {
    const { name } = handler.definition;
    if (services.has(name)) throw new TypeError(`WorkerOptions.nexusServices has service ${name} twice`);
    services.set(name, handler);
  }
  return services;
}

function defaultCache(heapLimit: number): number {
  return Math.max(10, Math.floor((Math.max(heapLimit - 200 * MIB, 0) / (1024 * MIB)) * 600));
}

function count(name: string, value: number, minimum: number): number {
  if (!Number.isInteger(value) || value < minimum) {
    throw new TypeError(`WorkerOptions.${name} must be an integer of at least ${minimum}, got ${value}`);
  }
  return value;
}

export function rate(name: string, value: number | undefined): number | undefined {
  if (value !== undefined && !(Number.isFinite(value) && value > 0)) {
    throw new TypeError(`WorkerOptions.${name} must be a positive number, got ${value}`);
  }
  return value;
}
