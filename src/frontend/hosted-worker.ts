// A worker that lives on a connection: its session as matching sees it, writing pushes to that connection, and the tokens it was
// pushed, so that an answer's credit goes back to the worker it was taken from.

import { type VersionKey, versionedQueue, versionKey } from '../core/deployment/versioned-queue.ts';
import { nexusQueue } from '../core/workflow/operation-rows.ts';
import type { Delivery, WorkerConnection, WorkerSession } from '../ports/matching.ts';
import type { CancelActivityPush } from '../wire/activity-task.ts';
import type { PushTopic } from '../wire/api.ts';
import type { RegisterWorkerRequest } from '../wire/worker-session.ts';
import { taskPush } from './task-push.ts';

/** ms a workflow task waits for its warm worker when that one does not say: what our SDK says by default. */
const DEFAULT_STICKY_TIMEOUT_MS = 10_000;

export interface PushTarget {
  readonly connection: WorkerConnection;
  /** False while its buffer is over the bound, or once it closes. */
  readonly writable: boolean;
  push(topic: PushTopic, body: object): void;
  /** Adds to the `durable` push of this tick. */
  pushDurable(workerId: string, token: Uint8Array): void;
  /** Says in a push of the same topic that tasks are over. */
  pushOver(workerId: string, tokens: Uint8Array[]): void;
  /** Remembers whose task this is. */
  pushed(token: string, worker: HostedWorker): void;
}

/** A token as a key: one character per byte. */
export const tokenKey = (token: Uint8Array): string =>
  Buffer.from(token.buffer, token.byteOffset, token.byteLength).toString('latin1');

/** Of one namespace alone, whatever the worker's id: a slash in a namespace's name is written otherwise. */
export const sessionOf = (namespace: string, workerId: string): string =>
  `${namespace.replaceAll('%', '%25').replaceAll('/', '%2F')}/${workerId}`;

export class HostedWorker implements WorkerSession {
  readonly workerId: string;
  readonly session: string;
  readonly connection: WorkerConnection;
  readonly namespace: string;
  readonly version: VersionKey | undefined;
  /** With its version, if it belongs to a deployment. */
  readonly taskQueue: string;
  readonly identity: string;
  readonly buildId: string | undefined;
  readonly stickyQueue: string | undefined;
  readonly stickyScheduleToStartTimeout: number;
  readonly workflowCredit: number;
  readonly activityCredit: number;
  maxActivitiesPerSecond: number | undefined;
  readonly maxTaskQueueActivitiesPerSecond: number | undefined;
  /** Until it is registered. */
  heldTokens: ReadonlySet<string>;
  readonly ahead: boolean;
  readonly #target: PushTarget;

  constructor(request: RegisterWorkerRequest, target: PushTarget, capabilities: ReadonlySet<string>) {
    this.#target = target;
    this.workerId = request.workerId;
    this.session = sessionOf(request.namespace, request.workerId);
    this.connection = target.connection;
    this.namespace = request.namespace;
    const isNexus = request.nexus === true;
    // Nexus tasks are for workers of any version.
    this.version = isNexus ? undefined : request.deploymentVersion && versionKey(request.deploymentVersion);
    this.taskQueue = isNexus ? nexusQueue(request.taskQueue) : versionedQueue(request.taskQueue, this.version);
    this.identity = request.identity;
    this.buildId = request.deploymentVersion?.buildId ?? (request.buildId === '' ? undefined : request.buildId);
    this.stickyQueue = request.stickyQueue === '' ? undefined : request.stickyQueue;
    this.stickyScheduleToStartTimeout = request.stickyScheduleToStartTimeout || DEFAULT_STICKY_TIMEOUT_MS;
    this.workflowCredit = request.workflowCredit;
    this.activityCredit = request.activityCredit;
    this.maxActivitiesPerSecond = request.maxActivitiesPerSecond;
    this.maxTaskQueueActivitiesPerSecond = request.maxTaskQueueActivitiesPerSecond;
    this.heldTokens = new Set(request.heldTokens.map(tokenKey));
    this.ahead = capabilities.has('ahead');
  }

  ready(): boolean {
    return this.#target.writable;
  }

  push(task: Delivery): boolean {
    if (!this.#target.writable) return false;
    const { topic, token, body } = taskPush(this.workerId, task);
    this.#target.pushed(tokenKey(token), this);
    this.#target.push(topic, body);
    return true;
  }

  pushDurable(token: Uint8Array): void {
    this.#target.pushDurable(this.workerId, token);
  }

  pushOver(tokens: Uint8Array[]): void {
    this.#target.pushOver(this.workerId, tokens);
  }

  pushCancel(token: Uint8Array, reason: CancelActivityPush['reason']): void {
    this.#target.push('cancelActivity', { workerId: this.workerId, token, reason } satisfies CancelActivityPush);
  }
}
