// A worker and the node it is connected to: what it works on, and how many tasks it has room for.

import type { Empty, WorkerDeploymentVersion } from './common.ts';

export interface RegisterWorkerRequest {
  /** Random, chosen once per worker process and kept over reconnects: the session tasks are started for. */
  workerId: string;
  namespace: string;
  taskQueue: string;
  identity: string;
  buildId?: string | undefined;
  /** It takes tasks of the queue's Nexus operations, as activity tasks that have `nexus`, and no others. */
  nexus?: boolean | undefined;
  /** The version of a deployment it belongs to: it gets the tasks that are for this version, and no others. */
  deploymentVersion?: WorkerDeploymentVersion | undefined;
  /** Name of this worker's own sticky queue; absent when it keeps no executions warm. */
  stickyQueue?: string | undefined;
  /** ms a workflow task may wait for this worker before it goes to the normal queue. Default 5,000. */
  stickyScheduleToStartTimeout?: number | undefined;
  /** Initial credit: how many tasks of each kind may be pushed at once. Each push takes one; `grantCredit` or a completion gives one back. */
  workflowCredit: number;
  activityCredit: number;
  /** Activities per second this worker is pushed at most; absent: unlimited. */
  maxActivitiesPerSecond?: number | undefined;
  /** Activities per second of the whole queue (the last worker to say wins). */
  maxTaskQueueActivitiesPerSecond?: number | undefined;
  /** Tokens of the tasks this worker still holds (after a reconnect): what was started for it and is not listed is pushed again, same attempt. */
  heldTokens: Uint8Array[];
}

export interface GrantCreditRequest {
  workerId: string;
  workflow?: number | undefined;
  activity?: number | undefined;
  /** Activities per second this worker is pushed at most from now on; 0: unlimited. Absent: as it was. */
  maxActivitiesPerSecond?: number | undefined;
}

/** Takes back credit that no task has used; 0 or absent: none of that kind. */
export interface WithdrawCreditRequest {
  workerId: string;
  workflow?: number | undefined;
  activity?: number | undefined;
}

/** How much was taken back: what was asked for, or what was left. */
export interface WithdrawCreditResponse {
  workflow: number;
  activity: number;
}

/** Asks for what this worker is owed, as a registration does, and leaves its credit alone: for shards this node has begun to lead since. */
export interface ResumeWorkerRequest {
  workerId: string;
  /** Tokens of every task it still holds. */
  heldTokens: Uint8Array[];
}

export interface WorkerSessionMethods {
  registerWorker: { request: RegisterWorkerRequest; response: Empty };
  /** Stops pushes; tasks already pushed may still be answered. */
  unregisterWorker: { request: { workerId: string }; response: Empty };
  grantCredit: { request: GrantCreditRequest; response: Empty };
  withdrawCredit: { request: WithdrawCreditRequest; response: WithdrawCreditResponse };
  resumeWorker: { request: ResumeWorkerRequest; response: Empty };
}
