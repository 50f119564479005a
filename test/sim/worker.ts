// A worker process: the real WorkerEngine over the real Connection, on virtual time (host-time.ts). Only the thread is not one: its
// WorkflowHost runs in the same process, and messages between the two cross as copies, in events of their own.

import { Client } from '../../sdk/client/client.ts';
import { defaultDataConverter } from '../../sdk/common/data-converter.ts';
import { makeLogger } from '../../sdk/common/logger.ts';
import { Connection } from '../../sdk/connection/connection.ts';
import { compileWorkerOptions } from '../../sdk/worker/options.ts';
import type { ThreadEvents, ThreadFactory } from '../../sdk/worker/ports.ts';
import { WorkflowHost } from '../../sdk/worker/runtime/host.ts';
import type { Realm } from '../../sdk/worker/runtime/realm.ts';
import type { FromWorkflowThread } from '../../sdk/worker/thread-protocol.ts';
import { WorkerEngine } from '../../sdk/worker/worker-engine.ts';
import { type Behavior, DEPLOYMENT, type Version } from './deploys.ts';
import { type Kernel, Process } from './kernel.ts';
import { NAMESPACE, TASK_QUEUE } from './names.ts';
import type { Network } from './network.ts';
import type { Service } from './service.ts';
import { shopHandler } from './shop-handler.ts';

export interface WorkerSettings {
  workflowSlots: number;
  activitySlots: number;
  maxCachedWorkflows: number;
  stickyTimeoutMs: number;
}

export interface WorkerWorld {
  kernel: Kernel;
  network: Network;
  realm: Realm;
  service: Service;
  /** It handles Nexus operations, too. */
  nexus?: boolean | undefined;
  /** Its version, and what becomes of workflows that began on it. */
  version?: { readonly buildId: Version; readonly behavior: Behavior } | undefined;
}

export function connectionOver(network: Network, process: Process): Connection {
  return Connection.fromTransport(() => network.connect(process), {
    identity: process.name,
    connectTimeout: 3_000,
    requestTimeout: 5_000,
    scheduler: {
      monotonic: () => process.monotonic(),
      after: (delayMs, fn) => process.after(delayMs, fn),
      soon: (fn) => process.soon(fn),
      random: () => process.random.next(),
    },
  });
}

/** Starts one worker process; kill its process to end it as kill -9 would. */
export function startWorker(world: WorkerWorld, name: string, settings: WorkerSettings): Process {
  const { kernel, network, realm, service } = world;
  const process = new Process(kernel, name);
  kernel.at(kernel.now, process, 'starts', () => {
    const connection = connectionOver(network, process);
    const options = compileWorkerOptions(
      {
        namespace: NAMESPACE,
        taskQueue: TASK_QUEUE,
        workflowBundle: { code: '' },
        activities: service.activities(),
        ...(world.nexus && { nexusServices: [shopHandler(process, service)] }),
        ...(world.version !== undefined && {
          workerDeploymentOptions: {
            version: { deploymentName: DEPLOYMENT, buildId: world.version.buildId },
            useWorkerVersioning: true,
            defaultVersioningBehavior: world.version.behavior,
          },
        }),
        maxConcurrentWorkflowTaskExecutions: settings.workflowSlots,
        maxConcurrentActivityTaskExecutions: settings.activitySlots,
        maxCachedWorkflows: settings.maxCachedWorkflows,
        stickyQueueScheduleToStartTimeout: settings.stickyTimeoutMs,
        workflowThreadPoolSize: 1,
        debugMode: true,
      },
      { cores: 2, heapLimit: 2 ** 31, debug: true },
    );
    const engine = new WorkerEngine({
      options,
      identity: name,
      buildId: '',
      connection,
      converter: defaultDataConverter,
      threads: hostThreads(process, realm, settings.maxCachedWorkflows),
      client: world.nexus ? new Client({ connection, namespace: NAMESPACE, identity: name }) : undefined,
      logger: makeLogger((level, message, meta) => {
        if (level === 'WARN' || level === 'ERROR') kernel.note(`${name} ${level}: ${message} ${explain(meta)}`);
      }),
      fatal: (error) => kernel.fail(new Error(`${name} cannot go on: ${String(error)}`, { cause: error })),
    });
    void engine.prepare().then(() => engine.open());
  });
  return process;
}

function explain(meta: Record<string | symbol, unknown>): string {
  const { error, workflowId, runId, failure } = meta;
  return [
    workflowId,
    runId,
    error instanceof Error ? error.message : error,
    failure === undefined ? '' : JSON.stringify(failure),
  ]
    .filter((part) => part !== undefined && part !== '')
    .join(' ');
}

function hostThreads(process: Process, realm: Realm, maxCachedWorkflows: number): ThreadFactory {
  return (events: ThreadEvents) => {
    let said: FromWorkflowThread[] = [];
    const host = new WorkflowHost(
      { realm, namespace: NAMESPACE, taskQueue: TASK_QUEUE, maxCachedWorkflows, sdkVersion: '0.0.0' },
      (message) => {
        said.push(message);
      },
    );
    const answer = (): void => {
      const messages = structuredClone(said);
      said = [];
      if (messages.length > 0) process.soon(() => events.onMessages(messages));
    };
    process.soon(() => events.onMessages([{ type: 'ready' }]));
    return {
      post: (messages) => {
        for (const message of structuredClone(messages)) {
          process.soon(() => {
            host.handle(message);
            answer();
          });
        }
      },
      busy: () => undefined,
      terminate: () => undefined,
    };
  };
}
