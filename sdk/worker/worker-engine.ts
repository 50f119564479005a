// A worker without its public face: session, workflow tasks, activities and local activities wired together, their start and their end.
// Given its connection and threads, so that tests run it over fakes.

import { randomUUID } from 'node:crypto';
import type { Info } from '../activity/info.ts';
import type { Client } from '../client/client.ts';
import type { LoadedDataConverter } from '../common/data-converter.ts';
import { type Logger, SdkComponent, withMetadata } from '../common/logger.ts';
import { decompileRetryPolicy } from '../common/retry-policy.ts';
import type { WorkerDeploymentVersion } from '../common/worker-deployments.ts';
import type { PayloadLimits } from '../connection/options.ts';
import { type ActivityEnvironment, ActivityExecution } from './activity-execution.ts';
import { ActivityTasks } from './activity-tasks.ts';
import { WorkerCounts } from './counts.ts';
import { LocalActivities, type LocalAttempt, type LocalAttemptInfo } from './local-activities.ts';
import { NO_METRICS } from './metrics/index.ts';
import { WorkerMetrics } from './metrics/worker-metrics.ts';
import { NexusWorker } from './nexus-worker.ts';
import type { CompiledWorkerOptions } from './options.ts';
import { PayloadWatch } from './payload-limits.ts';
import type { ThreadFactory, WorkerConnection } from './ports.ts';
import { Session } from './session.ts';
import { loggerSinks, metricSinks, SinkRunner } from './sinks.ts';
import { laneOptions, slotContext } from './slots/lane-options.ts';
import { makeSlots } from './slots/slots.ts';
import type { ActivitySlotInfo, WorkflowSlotInfo } from './slots/tuner.ts';
import type { LocalActivityTask } from './thread-protocol.ts';
import { WorkflowTasks } from './workflow-tasks.ts';

export interface WorkerEngineParts {
  options: CompiledWorkerOptions;
  identity: string;
  buildId: string;
  connection: WorkerConnection;
  converter: LoadedDataConverter;
  /** Undefined: no workflows. */
  threads: ThreadFactory | undefined;
  client: Client | undefined;
  /** Absent: no warnings. */
  payloadLimits?: PayloadLimits | undefined;
  logger: Logger;
  /** Absent: nothing is counted. */
  metrics?: WorkerMetrics | undefined;
  /** The worker cannot go on. */
  fatal(error: unknown): void;
}

/** ms the server has to take the last answers once nothing runs any more; tasks it did not take time out there. */
const LAST_ANSWERS_MS = 5_000;

export class WorkerEngine {
  private readonly parts: WorkerEngineParts;
  readonly session: Session;
  readonly workflowTasks: WorkflowTasks;
  readonly activityTasks: ActivityTasks;
  readonly localActivities: LocalActivities;
  readonly counts = new WorkerCounts();
  /** Absent without Nexus services: a session of its own, for another queue. */
  readonly nexus: NexusWorker | undefined;

  constructor(parts: WorkerEngineParts) {
    this.parts = parts;
    const { options, identity, buildId, connection, converter } = parts;
    const metrics = parts.metrics ?? new WorkerMetrics(NO_METRICS, options.namespace, options.taskQueue);
    const logger = withMetadata(parts.logger, { sdkComponent: SdkComponent.worker, taskQueue: options.taskQueue });
    const environment: ActivityEnvironment = {
      functions: options.activities,
      interceptors: options.activityInterceptors,
      converter,
      client: parts.client,
      metrics,
      logger: parts.logger,
      workerLogger: logger,
    };
    const workerId = randomUUID();
    const laneParts = { options, identity, buildId, logger };
    this.session = new Session(
      {
        connection,
        workerId,
        namespace: options.namespace,
        taskQueue: options.taskQueue,
        identity,
        buildId,
        deploymentVersion: versionOf(options),
        stickyQueue:
          parts.threads !== undefined && options.maxCachedWorkflows > 0
            ? `${options.taskQueue}-${workerId}`
            : undefined,
        stickyScheduleToStartTimeout: options.stickyScheduleToStartTimeoutMs,
        workflowLane: laneOptions<WorkflowSlotInfo>(
          laneParts,
          'workflow',
          options.slots.workflow,
          options.pollers.workflow,
        ),
        activityLane: laneOptions<ActivitySlotInfo>(
          laneParts,
          'activity',
          options.slots.activity,
          options.pollers.activity,
        ),
        maxActivitiesPerSecond: options.maxActivitiesPerSecond,
        maxTaskQueueActivitiesPerSecond: options.maxTaskQueueActivitiesPerSecond,
        logger,
      },
      {
        workflowTask: (task, from) => this.workflowTasks.accept(task, from),
        activityTask: (task, from) => this.activityTasks.accept(task, from),
        cancelActivity: (push) => this.activityTasks.cancelled(push),
        durable: (tokens) => this.workflowTasks.durable(tokens),
        over: (tokens) => this.workflowTasks.over(tokens),
        heldTokens: () => [...this.workflowTasks.heldTokens(), ...this.activityTasks.heldTokens()],
        fatal: parts.fatal,
      },
    );
    const payloads = parts.payloadLimits && new PayloadWatch(parts.payloadLimits, logger);
    const countActivities = (): void =>
      this.counts.activities.set(this.activityTasks.inFlight + this.localActivities.inFlight);
    this.localActivities = new LocalActivities({
      slots: (onSlot) =>
        makeSlots(options.slots.localActivity, slotContext(laneParts, 'local-activity'), logger, onSlot),
      run: (task, info) => runLocally(environment, options.taskQueue, task, info),
      resolved: (runId, seq, result) => this.workflowTasks.localActivityResolved(runId, seq, result),
      onCount: countActivities,
    });
    this.workflowTasks = new WorkflowTasks({
      session: this.session,
      identity,
      buildId,
      deployment: options.deployment?.useWorkerVersioning === true ? options.deployment : undefined,
      maxEagerActivities: options.maxEagerActivities,
      converter,
      payloads,
      threads: parts.threads ?? noThreads,
      threadCount: parts.threads === undefined ? 0 : options.threadCount,
      deadlockMs: options.deadlockMs,
      localActivities: this.localActivities,
      sinks: new SinkRunner(
        {
          ...loggerSinks(parts.logger, options.taskQueue),
          ...metricSinks(metrics.meter, options.taskQueue),
          ...options.sinks,
        },
        logger,
      ),
      metrics,
      logger,
      onCount: () => {
        this.counts.activations.set(this.workflowTasks.inFlight);
        this.counts.workflows.set(this.workflowTasks.cached);
      },
      fatal: parts.fatal,
    });
    this.activityTasks = new ActivityTasks({
      session: this.session,
      environment,
      identity,
      taskQueue: options.taskQueue,
      heartbeatLimits: options.heartbeatLimits,
      onCount: countActivities,
      payloads,
      logger,
    });
    this.nexus = options.nexusServices.size === 0 ? undefined : new NexusWorker({ ...parts, logger });
  }

  /** Starts the workflow threads. */
  async prepare(): Promise<void> {
    if (this.parts.threads !== undefined) await this.workflowTasks.start();
  }

  /** Begins to take tasks; resolves once registered. */
  open(): Promise<void> {
    const { nexus } = this;
    const { workflow, activity } = this.parts.options.slots;
    const takesOthers = workflow !== undefined || activity !== undefined;
    const own = takesOthers || nexus === undefined ? this.session.start() : Promise.resolve();
    return Promise.all([own, nexus?.session.start()]).then(() => undefined);
  }

  /**
   * Takes no more tasks; resolves when those it has are done. Activities may go on for the grace time, then they are cancelled.
   *
   * @param onDraining Called when the server knows that the worker stops.
   */
  async stop(onDraining: () => void): Promise<void> {
    const grace = setTimeout(() => this.cancelActivities(), this.parts.options.shutdownGraceTimeMs);
    try {
      await Promise.all([this.session.drain(), this.nexus?.session.drain()]);
      onDraining();
      const answered = Promise.all([
        this.workflowTasks.drained(),
        this.activityTasks.drained(),
        this.session.answersTaken(),
        this.nexus?.tasks.drained(),
        this.nexus?.session.answersTaken(),
      ]);
      await Promise.all([this.activityTasks.ended(), this.localActivities.ended()]);
      let timer: NodeJS.Timeout | undefined;
      const givenUp = new Promise<'givenUp'>((resolve) => {
        timer = setTimeout(() => resolve('givenUp'), LAST_ANSWERS_MS);
      });
      const outcome = await Promise.race([answered, givenUp]);
      clearTimeout(timer);
      if (outcome === 'givenUp') {
        this.parts.logger.warn(
          'The server did not take the last answers; their tasks will time out and be tried again',
          {
            workflowTasks: this.workflowTasks.inFlight,
          },
        );
      }
    } finally {
      clearTimeout(grace);
    }
  }

  /** Ends threads and timers; nothing is answered any more. */
  close(): void {
    this.session.close();
    this.nexus?.session.close();
    this.localActivities.close();
    this.workflowTasks.close();
  }

  private cancelActivities(): void {
    this.activityTasks.cancelAll('workerShutdown');
    this.nexus?.tasks.cancelAll();
    // Their workflow tasks are answered as they are; whoever gets the next one runs the local activities again.
    this.workflowTasks.giveUpLocalActivities();
  }
}

/** The one whose tasks it takes. */
function versionOf({ deployment }: CompiledWorkerOptions): WorkerDeploymentVersion | undefined {
  if (deployment?.useWorkerVersioning !== true) return undefined;
  const { deploymentName, buildId } = deployment.version;
  return { deploymentName, buildId };
}

function noThreads(): never {
  throw new Error('This worker has no workflows: it starts no threads');
}

function runLocally(
  environment: ActivityEnvironment,
  taskQueue: string,
  task: LocalActivityTask,
  { attempt, originalScheduledTime, attemptScheduledTime }: LocalAttemptInfo,
): LocalAttempt {
  const info: Info = {
    taskToken: new Uint8Array(0),
    base64TaskToken: '',
    activityId: task.activityId,
    activityType: task.activityType,
    activityNamespace: task.namespace,
    attempt,
    isLocal: true,
    workflowExecution: { workflowId: task.workflowId, runId: task.runId },
    workflowNamespace: task.namespace,
    workflowType: task.workflowType,
    scheduledTimestampMs: originalScheduledTime,
    scheduleToCloseTimeoutMs: task.scheduleToCloseTimeout ?? 0,
    startToCloseTimeoutMs: task.startToCloseTimeout ?? 0,
    currentAttemptScheduledTimestampMs: attemptScheduledTime,
    heartbeatDetails: undefined,
    taskQueue,
    retryPolicy: decompileRetryPolicy(task.retryPolicy),
    namespace: task.namespace,
    inWorkflow: true,
  };
  const input = { info, args: task.args, header: task.header };
  // A local activity has no server to heartbeat to.
  const execution = new ActivityExecution(environment, input, () => {});
  return { outcome: execution.run(), cancel: (reason) => execution.cancel(reason) };
}
