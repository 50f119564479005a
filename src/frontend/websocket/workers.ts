// The workers of one connection: who is registered here, whose task a token is, and the `durable` pushes of a tick.

import type { TaskKind, WorkerConnection, WorkerRegistry } from '../../ports/matching.ts';
import type { PushTopic } from '../../wire/api.ts';
import type { RegisterWorkerRequest } from '../../wire/worker-session.ts';
import type { DurablePush } from '../../wire/workflow-task.ts';
import { HostedWorker, type PushTarget, tokenKey } from '../hosted-worker.ts';
import { exhausted } from '../statuses.ts';
import { Refused } from '../validate/check.ts';

/** Tokens remembered; past it the oldest is forgotten, and its credit comes back only by grant (I9). */
const MAX_TOKENS = 100_000;
/** The same of their bytes. */
const MAX_TOKEN_BYTES = 16 * 1024 * 1024;
const NONE: ReadonlySet<string> = new Set();

export interface WorkersHost {
  readonly connection: WorkerConnection;
  isWritable(): boolean;
  push(topic: PushTopic, body: object): void;
  /** Frames of this tick will be asked for by `writeDurable`. */
  wake(): void;
}

export class ConnectionWorkers implements PushTarget {
  readonly connection: WorkerConnection;
  capabilities: ReadonlySet<string> = new Set();
  readonly #registry: WorkerRegistry;
  readonly #maximum: number;
  readonly #host: WorkersHost;
  readonly #workers = new Map<string, HostedWorker>();
  /** The longest remembered first. */
  readonly #tasks = new Map<string, HostedWorker>();
  #tokenBytes = 0;
  #durable: Map<string, Uint8Array[]> | undefined;

  constructor(registry: WorkerRegistry, maximum: number, host: WorkersHost) {
    this.#registry = registry;
    this.#maximum = maximum;
    this.#host = host;
    this.connection = host.connection;
  }

  get writable(): boolean {
    return this.#host.isWritable();
  }

  register(request: RegisterWorkerRequest): void {
    const before = this.#workers.get(request.workerId);
    if (before === undefined && this.#workers.size >= this.#maximum) {
      throw new Refused(exhausted(`This connection has ${this.#maximum} workers, its limit.`, 'CONCURRENT_LIMIT'));
    }
    // Another namespace or not: on this connection the id now means the new one.
    if (before !== undefined) this.#registry.unregister(before.session, this.connection);
    const worker = new HostedWorker(request, this, this.capabilities);
    this.#workers.set(worker.workerId, worker);
    for (const token of worker.heldTokens) this.pushed(token, worker);
    this.#registry.register(worker);
    // What it has said of them was for that.
    worker.heldTokens = NONE;
  }

  leaveOne(workerId: string): void {
    const worker = this.#workers.get(workerId);
    if (worker !== undefined) this.#registry.leave(worker.session, this.connection);
  }

  /** No worker of this connection takes another task; what they have they may finish. */
  leave(): void {
    for (const worker of this.#workers.values()) this.#registry.leave(worker.session, this.connection);
  }

  grant(workerId: string, workflow: number, activity: number): boolean {
    const worker = this.#workers.get(workerId);
    if (worker === undefined) return false;
    if (workflow > 0) this.#registry.grant(worker.session, 'workflow', workflow, this.connection);
    if (activity > 0) this.#registry.grant(worker.session, 'activity', activity, this.connection);
    return true;
  }

  limitActivities(workerId: string, perSecond: number | undefined): boolean {
    const worker = this.#workers.get(workerId);
    if (worker === undefined) return false;
    worker.maxActivitiesPerSecond = perSecond;
    this.#registry.grant(worker.session, 'activity', 0, this.connection);
    return true;
  }

  withdraw(workerId: string, kind: TaskKind, credit: number): number | undefined {
    const worker = this.#workers.get(workerId);
    return worker && this.#registry.withdraw(worker.session, kind, credit, this.connection);
  }

  resume(workerId: string, heldTokens: readonly Uint8Array[]): boolean {
    const worker = this.#workers.get(workerId);
    if (worker === undefined) return false;
    this.#registry.resume(worker.session, new Set(heldTokens.map(tokenKey)), this.connection);
    return true;
  }

  answered(token: Uint8Array, kind: 'workflow' | 'activity', queryId: string | undefined, credit: number): void {
    const key = tokenKey(token);
    const worker = this.#tasks.get(key) ?? this.#onlyWorker();
    this.#forget(key);
    if (worker === undefined) return;
    if (queryId !== undefined) this.#registry.queryAnswered(worker.session, queryId);
    if (credit > 0) this.#registry.grant(worker.session, kind, credit, this.connection);
  }

  /** The connection takes frames again: tasks may wait for it. */
  resumed(): void {
    for (const { session } of this.#workers.values()) {
      this.#registry.grant(session, 'workflow', 0, this.connection);
      this.#registry.grant(session, 'activity', 0, this.connection);
    }
  }

  /** The connection is gone. */
  gone(): void {
    for (const worker of this.#workers.values()) this.#registry.unregister(worker.session, this.connection);
    this.#workers.clear();
    this.#tasks.clear();
    this.#tokenBytes = 0;
    this.#durable = undefined;
  }

  push(topic: PushTopic, body: object): void {
    this.#host.push(topic, body);
  }

  pushed(token: string, worker: HostedWorker): void {
    this.#forget(token);
    for (const oldest of this.#tasks.keys()) {
      if (this.#tasks.size < MAX_TOKENS && this.#tokenBytes + token.length <= MAX_TOKEN_BYTES) break;
      this.#forget(oldest);
    }
    this.#tasks.set(token, worker);
    this.#tokenBytes += token.length;
  }

  pushDurable(workerId: string, token: Uint8Array): void {
    this.#durable ??= new Map();
    const tokens = this.#durable.get(workerId);
    if (tokens === undefined) this.#durable.set(workerId, [token]);
    else tokens.push(token);
    this.#host.wake();
  }

  pushOver(workerId: string, over: Uint8Array[]): void {
    this.push('durable', { workerId, tokens: [], over } satisfies DurablePush);
  }

  writeDurable(): void {
    const durable = this.#durable;
    if (durable === undefined) return;
    this.#durable = undefined;
    for (const [workerId, tokens] of durable) this.push('durable', { workerId, tokens } satisfies DurablePush);
  }

  #forget(token: string): void {
    if (this.#tasks.delete(token)) this.#tokenBytes -= token.length;
  }

  #onlyWorker(): HostedWorker | undefined {
    if (this.#workers.size !== 1) return undefined;
    for (const worker of this.#workers.values()) return worker;
    return undefined;
  }
}
