// Nodes of a cluster on one real PostgreSQL, in one process: real engines, stores and clocks, each node with a worker of its own. Calls go to
// whoever leads the shard and are made again under their request id, as a router makes them. Nodes are killed by cutting their connections and
// stopping their clocks, or replaced without being told.

import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';
import { CHECK_MS, SqlLeadership } from '../../cluster/sql/leadership.ts';
import type { Message } from '../../src/core/workflow/message.ts';
import type { Reply } from '../../src/core/workflow/outcome.ts';
import { command, payloads } from '../../src/core/workflow/testing.ts';
import type { Clock, Scheduler } from '../../src/ports/clock.ts';
import { type ShardId, shardId } from '../../src/ports/ids.ts';
import { silentLog } from '../../src/ports/log.ts';
import type { Delivery } from '../../src/ports/matching.ts';
import { systemClock, systemRandom, systemScheduler } from '../../src/runtime/index.ts';
import { ShardEngine } from '../../src/shard/engine.ts';
import { shardOf } from '../../src/shard/keys.ts';
import { applied } from '../../src/shard/outbox.ts';
import { eventsOf, NAMESPACE, QUEUE, TestMatching, TestWorker } from '../../src/shard/testing.ts';
import type { PostgresStore } from '../../src/store/postgres/store.ts';
import { EventType, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import type { Status } from '../../src/wire/status.ts';
import { storeOn } from '../conformance/postgres-medium.ts';

export const SHARDS = 16;
const PLENTY = 1_000;
const PATIENCE_MS = 60_000;
const BETWEEN_TRIES_MS = 5;
/** Of each workflow's timer. */
const SLEEP_MS = 30;
/** A task that was started and whose leader was lost before it was pushed waits for its timeout: short ones. Those of tasks are whole seconds. */
const TASK_MS = 1_000;
const ACTIVITY = { startToCloseTimeout: 300, retryPolicy: { initialInterval: 20, maximumAttempts: 0 } };

export const shardsOf = (...ids: number[]): ReadonlySet<ShardId> => new Set(ids.map(shardId));
export const ALL_SHARDS = Array.from({ length: SHARDS }, (_, n) => n);
export const shardOfWorkflow = (workflowId: string): ShardId => shardId(shardOf(NAMESPACE, workflowId, SHARDS));

export interface NodeOptions {
  /** Through a proxy. */
  url?: string;
  flushIntervalMs?: number;
  /** How much its worker takes; 0: its workflows rest. */
  credit?: number;
  /** How soon it hears, without a write, that it leads a shard no longer. */
  checkIntervalMs?: number;
  /** By which it leaves alone for a while what another has taken. */
  clock?: Clock;
}

export class SqlNode {
  readonly store: PostgresStore;
  readonly leadership: SqlLeadership;
  readonly engine: ShardEngine;
  readonly worker: TestWorker;
  /** What ended it. */
  readonly failures: unknown[] = [];
  alive = true;

  constructor(
    cluster: SqlCluster,
    name: string,
    { url = cluster.url, flushIntervalMs = 10, credit = PLENTY, checkIntervalMs = CHECK_MS, clock }: NodeOptions,
  ) {
    this.store = storeOn(url, { outageMs: 5_000 }, SHARDS);
    const matching = new TestMatching();
    this.worker = new TestWorker({ workflow: credit, activity: credit, session: name });
    // A dead process runs nothing any more.
    const scheduler: Scheduler = {
      after: (ms, fn) => systemScheduler.after(ms, () => this.alive && fn()),
      soon: (fn) => systemScheduler.soon(() => this.alive && fn()),
    };
    const world = { clock: systemClock, scheduler, random: systemRandom };
    this.leadership = new SqlLeadership({
      ...world,
      clock: clock ?? systemClock,
      store: this.store,
      engine: () => this.engine,
      log: silentLog,
      checkIntervalMs,
      onFailed: (error) => this.failures.push(error),
    });
    this.engine = new ShardEngine({
      ...world,
      store: this.store,
      matching,
      namespaces: new Map([[NAMESPACE, { id: 'id-of-default', retention: 3_600_000 }]]),
      bounds: { flushIntervalMs, outboxRetryMs: 20 },
      commitLog: this.leadership.commitLog,
      relay: (item, done) => {
        const target = cluster.leaderOf(item.workflowId);
        if (target === undefined) done('later');
        else target.engine.receive(item, done);
      },
      onFatal: (error) => this.failures.push(error),
    });
    matching.source = this.engine;
    matching.workers.push(this.worker);
    this.worker.onTask = (task) => cluster.work(this.worker, task);
  }

  /** Leads exactly these once it resolves, unless it was fenced meanwhile. */
  async want(...ids: number[]): Promise<void> {
    this.leadership.want(shardsOf(...ids));
    await this.leadership.settled();
  }

  get led(): number[] {
    return [...this.leadership.led.keys()].sort((a, b) => a - b);
  }

  /** As kill -9: its connections are cut, whatever is under way. */
  kill(): void {
    this.alive = false;
    this.store.abandon();
  }

  async close(): Promise<void> {
    await this.leadership.close();
    await this.engine.close();
    await this.store.close();
    this.alive = false;
  }
}

export interface Refusal {
  error: Status | undefined;
  reply: Reply | undefined;
}

export class SqlCluster {
  readonly url: string;
  readonly nodes: SqlNode[] = [];
  readonly faults: unknown[] = [];
  #requests = 0;

  constructor(url: string) {
    this.url = url;
  }

  async join(options: NodeOptions = {}): Promise<SqlNode> {
    const node = new SqlNode(this, `node-${this.nodes.length}`, options);
    await node.engine.open();
    this.nodes.push(node);
    return node;
  }

  /** The one with the newest term, of those that believe they lead it. */
  leaderOf(workflowId: string): SqlNode | undefined {
    const shard = shardOfWorkflow(workflowId);
    const termOf = (node: SqlNode): number => node.leadership.led.get(shard) ?? 0;
    const leaders = this.nodes.filter((node) => node.alive && termOf(node) > 0);
    return leaders.sort((a, b) => termOf(b) - termOf(a))[0];
  }

  /** One call of one node. */
  once(node: SqlNode, workflowId: string, message: Message): Promise<Refusal> {
    return new Promise((resolve) => {
      node.engine.submit({ namespace: NAMESPACE, workflowId }, message, (error, reply) => resolve({ error, reply }));
    });
  }

  /** Until it is answered for good. A node that died says nothing. */
  async ask(workflowId: string, message: Message): Promise<Reply | undefined> {
    const giveUpAt = performance.now() + PATIENCE_MS;
    while (performance.now() < giveUpAt) {
      const node = this.leaderOf(workflowId);
      if (node !== undefined) {
        const answer = await Promise.race([this.once(node, workflowId, message), this.#death(node)]);
        if (answer !== undefined && applied(answer.error)) {
          if (answer.error !== undefined && message.type === 'signal') this.faults.push(answer.error.message);
          return answer.reply;
        }
      }
      await wait(BETWEEN_TRIES_MS);
    }
    throw new Error(`${message.type} for ${workflowId} was never answered`);
  }

  async #death(node: SqlNode): Promise<undefined> {
    while (node.alive) await wait(BETWEEN_TRIES_MS);
  }

  startMessage(): Message {
    this.#requests += 1;
    return {
      ...{ type: 'start', runId: systemRandom.uuid(), requestId: `start-${this.#requests}`, identity: 'c' },
      ...{ workflowType: 'order', taskQueue: QUEUE, reusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE },
      conflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      workflowTaskTimeout: TASK_MS,
    };
  }

  signalMessage(signalName: string): Message {
    this.#requests += 1;
    return { type: 'signal', target: {}, signalName, identity: 'c', requestId: `signal-${this.#requests}` };
  }

  /** An activity, a timer and a child that does the same, and the end once a signal called `end` is there; a child needs none. */
  work(worker: TestWorker, task: Delivery): void {
    const { workflowId } = task;
    worker.credit[task.kind === 'activity' ? 'activity' : 'workflow'] += 1;
    if (task.kind === 'activity') {
      const activity = { task: task.started.ref };
      this.#tell(workflowId, { type: 'completeActivityTask', activity, identity: 'w', result: payloads('done') });
    } else if (task.kind === 'workflow') {
      const isChild = workflowId.endsWith('/child');
      const events = eventsOf(task.history);
      const seen = new Set(events.map(({ eventType }) => eventType));
      const commands = !seen.has(EventType.ACTIVITY_TASK_SCHEDULED)
        ? [
            command.activity('a', ACTIVITY),
            command.timer('t', SLEEP_MS),
            ...(isChild ? [] : [command.child(`${workflowId}/child`, { workflowTaskTimeout: TASK_MS })]),
          ]
        : seen.has(EventType.ACTIVITY_TASK_COMPLETED) &&
            seen.has(EventType.TIMER_FIRED) &&
            (isChild || (seen.has(EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED) && signalsOf(events).includes('end')))
          ? [command.complete()]
          : [];
      this.#tell(workflowId, {
        ...{ type: 'completeWorkflowTask', task: task.started.ref, identity: 'w', commands, sticky: false },
        forceCreateNewWorkflowTask: false,
      });
    }
  }

  #tell(workflowId: string, message: Message): void {
    this.ask(workflowId, message).catch((error: unknown) => this.faults.push(error));
  }

  async history(workflowId: string): Promise<HistoryEvent[]> {
    const query = { fromEventId: 1, maximumBytes: 1_000_000, waitNewEvent: false, closeEventOnly: false };
    const node = this.leaderOf(workflowId);
    if (node === undefined) throw new Error(`nobody leads the shard of ${workflowId}`);
    return new Promise((resolve) => {
      node.engine.history({ namespace: NAMESPACE, workflowId }, query, (_error, value) =>
        resolve(value === undefined ? [] : eventsOf(value.events)),
      );
    });
  }

  async ended(workflowId: string): Promise<HistoryEvent[]> {
    const giveUpAt = performance.now() + PATIENCE_MS;
    for (;;) {
      const events = this.leaderOf(workflowId) === undefined ? [] : await this.history(workflowId);
      const last = events.at(-1);
      if (last?.eventType === EventType.WORKFLOW_EXECUTION_COMPLETED) return events;
      if (performance.now() > giveUpAt) {
        const types = events.map(({ eventType }) => eventType).join(' ');
        throw new Error(`${workflowId} did not come to its end: ${types}; ${String(this.faults[0] ?? '')}`);
      }
      await wait(BETWEEN_TRIES_MS);
    }
  }

  async close(): Promise<void> {
    for (const node of this.nodes) if (node.alive) node.kill();
  }
}

export const signalsOf = (events: readonly HistoryEvent[]): string[] =>
  events.flatMap((event) =>
    event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED ? [event.attributes.signalName] : [],
  );

/** Workflows that are signalled while nodes come, go and die. */
export class SqlLoad {
  readonly ids: readonly string[];
  readonly #cluster: SqlCluster;
  readonly #asked: Promise<unknown>[] = [];
  readonly #signals = new Map<string, string[]>();
  #round = 0;

  private constructor(cluster: SqlCluster, ids: readonly string[]) {
    this.#cluster = cluster;
    this.ids = ids;
  }

  /** Resolves once they are started: a signal that came before its workflow would be refused. */
  static async begin(cluster: SqlCluster, workflows: number): Promise<SqlLoad> {
    const ids = Array.from({ length: workflows }, (_, n) => `w${n}`);
    await Promise.all(ids.map((id) => cluster.ask(id, cluster.startMessage())));
    return new SqlLoad(cluster, ids);
  }

  /** One signal each, not waited for. */
  signalAll(): void {
    this.#round += 1;
    for (const id of this.ids) this.#signal(id, `signal ${this.#round}`);
  }

  #signal(id: string, name: string): void {
    const told = this.#cluster.ask(id, this.#cluster.signalMessage(name));
    this.#signals.set(id, [...(this.#signals.get(id) ?? []), name]);
    this.#asked.push(told);
    told.catch(() => undefined);
  }

  /** Everything acknowledged is there once, every activity, timer and child ran once, and all came to their end (I5, I6). */
  async check(): Promise<void> {
    await Promise.all(this.#asked);
    for (const id of this.ids) this.#signal(id, 'end');
    await Promise.all(this.#asked);
    for (const id of this.ids.flatMap((parent) => [parent, `${parent}/child`])) {
      const events = await this.#cluster.ended(id);
      expect(events.map(({ eventId }) => eventId)).toEqual(events.map((_, i) => i + 1));
      expect(signalsOf(events).sort()).toEqual((this.#signals.get(id) ?? []).sort());
      const count = (type: EventType): number => events.filter(({ eventType }) => eventType === type).length;
      const children = id.endsWith('/child') ? 0 : 1;
      expect(count(EventType.ACTIVITY_TASK_COMPLETED)).toBe(1);
      expect(count(EventType.TIMER_FIRED)).toBe(1);
      expect(count(EventType.CHILD_WORKFLOW_EXECUTION_STARTED)).toBe(children);
      expect(count(EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED)).toBe(children);
    }
    expect(this.#cluster.faults).toEqual([]);
  }
}
