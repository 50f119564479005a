// What a worker says of itself to the registry of workers: that it lives, where it runs and how busy it is, every 20 s or so and once more when it ends. Nothing
// depends on it: a heartbeat that cannot be sent is one that is left out.

import { availableParallelism, freemem, hostname, loadavg, totalmem } from 'node:os';
import type { Methods } from '../../src/wire/api.ts';
import { type WorkerHeartbeat, type WorkerSlotsInfo, WorkerStatus } from '../../src/wire/worker.ts';
import type { CompiledWorkerOptions } from './options.ts';
import { SDK_NAME, SDK_VERSION } from './version.ts';
import type { WorkerEngine } from './worker-engine.ts';

const TIMEOUT_MS = 5_000;

export interface WorkerHeartbeatsOptions {
  connection: {
    request(
      method: 'recordWorkerHeartbeat',
      body: Methods['recordWorkerHeartbeat']['request'],
      options: { timeoutMs: number },
    ): Promise<unknown>;
  };
  engine: WorkerEngine;
  options: CompiledWorkerOptions;
  identity: string;
  /** ms between two; a worker is taken for dead after two and a half. 0: none are sent. */
  intervalMs: number;
}

export class WorkerHeartbeats {
  readonly #options: WorkerHeartbeatsOptions;
  readonly #startTime = Date.now();
  #lastAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WorkerHeartbeatsOptions) {
    this.#options = options;
  }

  start(): void {
    const { intervalMs } = this.#options;
    this.#send(WorkerStatus.RUNNING);
    if (intervalMs === 0) return;
    this.#timer = setInterval(() => this.#send(WorkerStatus.RUNNING), intervalMs);
    this.#timer.unref();
  }

  /** It takes no more tasks, but has not ended those it has. */
  stopping(): void {
    this.#send(WorkerStatus.SHUTTING_DOWN);
  }

  /** Resolves when the server knows, or cannot be told. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#send(WorkerStatus.SHUTDOWN);
  }

  async #send(status: WorkerStatus): Promise<void> {
    const { connection, options, identity, intervalMs } = this.#options;
    if (intervalMs === 0) return;
    const body = { namespace: options.namespace, identity, workerHeartbeat: [this.#heartbeat(status)] };
    try {
      await connection.request('recordWorkerHeartbeat', body, { timeoutMs: TIMEOUT_MS });
    } catch {
      // The next one says it.
    }
  }

  #heartbeat(status: WorkerStatus): WorkerHeartbeat {
    const { engine, options, identity, intervalMs } = this.#options;
    const now = Date.now();
    // The first says how often it speaks: one that is killed before the second is known for no longer than others.
    const elapsedSinceLastHeartbeat = this.#lastAt === undefined ? intervalMs : now - this.#lastAt;
    this.#lastAt = now;
    const { deployment } = options;
    return {
      workerInstanceKey: engine.session.workerId,
      workerIdentity: identity,
      taskQueue: options.taskQueue,
      ...(deployment?.useWorkerVersioning === true && { deploymentVersion: { ...deployment.version } }),
      ...{ sdkName: SDK_NAME, sdkVersion: SDK_VERSION, status },
      ...{ startTime: this.#startTime, heartbeatTime: now, elapsedSinceLastHeartbeat },
      hostInfo: {
        hostName: hostname(),
        processId: String(process.pid),
        currentHostCpuUsage: Math.min(1, (loadavg()[0] ?? 0) / availableParallelism()),
        currentHostMemUsage: 1 - freemem() / totalmem(),
      },
      workflowTaskSlotsInfo: slots(engine.session.slots('workflow'), engine.session.running('workflow')),
      activityTaskSlotsInfo: slots(engine.session.slots('activity'), engine.session.running('activity')),
      localActivitySlotsInfo: slots(engine.localActivities.slotsInfo, engine.localActivities.inFlight),
      workflowPollerInfo: engine.session.openCredit('workflow'),
      activityPollerInfo: engine.session.openCredit('activity'),
      ...(engine.nexus !== undefined && {
        nexusTaskSlotsInfo: slots(engine.nexus.session.slots('activity'), engine.nexus.session.running('activity')),
        nexusPollerInfo: engine.nexus.session.openCredit('activity'),
      }),
      currentStickyCacheSize: engine.workflowTasks.cached,
    };
  }
}

const slots = ({ total, kind }: { total: number; kind: string }, used: number): WorkerSlotsInfo => ({
  currentAvailableSlots: Math.max(0, total - used),
  currentUsedSlots: used,
  slotSupplierKind: kind,
});
