// A cluster for the tests of matching: real engines over memory stores, real matchers, real links on an in-memory network, one virtual clock. What a majority
// has of each shard's log is one object: an entry is committed by its leader at one instant and applied by all, so that a dead node's shards can be led
// elsewhere. Workers answer what they are pushed after a while, whoever leads the workflow by then.

import type { Message } from '../../src/core/workflow/message.ts';
import type { Reply } from '../../src/core/workflow/outcome.ts';
import { command, payloads } from '../../src/core/workflow/testing.ts';
import { encodeToken } from '../../src/core/workflow/token.ts';
import { Matcher } from '../../src/matching/matcher.ts';
import type { Cancelable, Scheduler } from '../../src/ports/clock.ts';
import { lsn, shardId, term } from '../../src/ports/ids.ts';
import type { Delivery, QueueKey, TaskKind, WorkerSession } from '../../src/ports/matching.ts';
import type { AppendResult, LogAppend } from '../../src/ports/store.ts';
import { ShardEngine } from '../../src/shard/engine.ts';
import { shardOf } from '../../src/shard/keys.ts';
import { applied } from '../../src/shard/outbox.ts';
import { eventsOf, HOUR, NAMESPACE, QUEUE, VirtualTime } from '../../src/shard/testing.ts';
import { openMemoryStore } from '../../src/store/index.ts';
import { EventType, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '../../src/wire/enums.ts';
import type { Status } from '../../src/wire/status.ts';
import { identity, KEY, keyed, TestRandom } from '../link/link.test-support.ts';
import { Links } from '../link/links.ts';
import { MemoryNetwork } from '../link/memory-network.ts';
import { Rpc } from '../link/rpc.ts';
import { ClusterMatching } from './cluster-matching.ts';
import type { MatchingLimits } from './limits.ts';

export const SHARDS = 6;
export const WORKFLOWS: QueueKey = { namespace: NAMESPACE, name: QUEUE, kind: 'workflow' };
export const ACTIVITIES: QueueKey = { namespace: NAMESPACE, name: QUEUE, kind: 'activity' };
const NETWORK_MS = 1;
/** More than two links take. */
const WAY_BACK_MS = 20;

/** Nothing of a process that was killed runs on. */
class Mortal implements Scheduler {
  readonly #time: VirtualTime;
  alive = true;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  after(delayMs: number, fn: () => void): Cancelable {
    return this.#time.after(delayMs, () => this.alive && fn());
  }

  soon(fn: () => void): void {
    this.#time.soon(() => this.alive && fn());
  }
}

export class Node {
  readonly name: string;
  readonly scheduler: Mortal;
  readonly links: Links;
  readonly rpc: Rpc;
  readonly matcher: Matcher;
  readonly engine: ShardEngine;
  readonly matching: ClusterMatching;
  readonly store = openMemoryStore({ shardCount: SHARDS });

  constructor(cluster: Cluster, name: string, boot: string, options: ClusterOptions) {
    this.name = name;
    const { time, random } = cluster;
    const scheduler = new Mortal(time);
    this.scheduler = scheduler;
    this.links = new Links({
      identity: identity(name, { bootId: boot }),
      security: keyed(KEY),
      network: cluster.network.at(name),
      ...{ clock: time, scheduler, random },
      randomBytes: (length) => random.bytes(length),
      onEvent: () => undefined,
    });
    void this.links.listen({ host: name, port: 1 });
    this.rpc = new Rpc({
      ...{ links: this.links, clock: time, scheduler },
      onFault: (error, peer) => cluster.faults.push(`${name} hears of ${peer}: ${String(error)}`),
    });
    this.matcher = new Matcher({
      ...{ clock: time, scheduler },
      onQueryLost: (to, queryId) => void cluster.ask(to.workflowId, { type: 'queryLost', queryId }),
    });
    this.engine = new ShardEngine({
      ...{ store: this.store, clock: time, scheduler, random, matching: this.matcher },
      namespaces: new Map([[NAMESPACE, { id: 'id-of-default', retention: 72 * HOUR }]]),
      bounds: { backlogWindow: options.backlogWindow ?? 1_024 },
      commitLog: {
        appends: 'together',
        append: (entries, settled) => {
          void cluster.append(this, entries).then(settled);
          return 'taken';
        },
        flush: (flushes) => this.store.flush(flushes),
      },
      relay: (_item, done) => done('later'),
      onFatal: (error) => cluster.faults.push(error),
    });
    this.matcher.attach(this.engine);
    this.matching = new ClusterMatching({
      ...{ self: name, boot, rpc: this.rpc, clock: time, scheduler, matcher: this.matcher, engine: this.engine },
      homeOf: (queue, partition) => cluster.homeOf(queue, partition),
      nodes: () => cluster.up.map((node) => node.name).filter((other) => other !== name),
      limits: options.limits,
      log: {
        ...{ debug: () => undefined, info: () => undefined },
        warn: (fields, message) => cluster.faults.push(`${name}: ${message} ${JSON.stringify(fields)}`),
        error: (fields, message) => cluster.faults.push(`${name}: ${message} ${JSON.stringify(fields)}`),
      },
    });
  }

  get alive(): boolean {
    return this.scheduler.alive;
  }
}

export interface ClusterOptions {
  names?: readonly string[];
  seed?: number;
  backlogWindow?: number;
  limits?: Partial<MatchingLimits>;
}

/** A worker process: one connection to one node at a time, under one session. */
export class SimWorker implements WorkerSession {
  readonly #cluster: Cluster;
  readonly session: string;
  connection = { openedAt: 0 };
  readonly namespace = NAMESPACE;
  readonly taskQueue = QUEUE;
  readonly identity: string;
  readonly buildId = undefined;
  readonly stickyQueue = undefined;
  readonly stickyScheduleToStartTimeout = 5_000;
  workflowCredit: number;
  activityCredit: number;
  readonly maxActivitiesPerSecond = undefined;
  readonly maxTaskQueueActivitiesPerSecond = undefined;
  heldTokens: ReadonlySet<string> = new Set();
  /** What is pushed ahead may be lost with its entry, and handed out again; here each attempt is to be handed out once. */
  readonly ahead = false;
  node: Node | undefined;
  /** ms it works on a task. */
  workMs: () => number;
  /** In the order they came, workflow ids. */
  readonly received: string[] = [];
  /** Tasks it holds, by token. */
  readonly holds = new Set<string>();
  readonly cancelled: string[] = [];
  readonly told: string[] = [];
  onTask: (() => void) | undefined;
  /** What a frame written to its connection is worth: false when the connection has died unnoticed. */
  hears = true;

  constructor(cluster: Cluster, session: string, credit: { workflow: number; activity: number }) {
    this.#cluster = cluster;
    this.session = session;
    this.identity = `worker ${session}`;
    this.workflowCredit = credit.workflow;
    this.activityCredit = credit.activity;
    this.workMs = () => cluster.random.int(20);
  }

  come(node: Node): void {
    this.connection = { openedAt: 0 };
    this.node = node;
    this.heldTokens = new Set(this.holds);
    node.matcher.register(this);
  }

  go(): void {
    this.node?.matcher.unregister(this.session, this.connection);
    this.node = undefined;
  }

  grant(kind: TaskKind, n: number): void {
    this.node?.matcher.grant(this.session, kind, n, this.connection);
  }

  ready(): boolean {
    return true;
  }

  push(task: Delivery): boolean {
    if (this.node === undefined || !this.node.alive) return false;
    if (this.hears) this.#cluster.work(this, task);
    this.onTask?.();
    return true;
  }

  pushDurable(token: Uint8Array): void {
    this.told.push(`durable ${Buffer.from(token).toString('latin1')}`);
  }

  pushOver(tokens: Uint8Array[]): void {
    for (const token of tokens) this.told.push(`over ${Buffer.from(token).toString('latin1')}`);
  }

  pushCancel(_token: Uint8Array, reason: string): void {
    this.cancelled.push(reason);
  }
}

export class Cluster {
  readonly time = new VirtualTime();
  readonly random: TestRandom;
  readonly network: MemoryNetwork;
  readonly faults: unknown[] = [];
  readonly nodes = new Map<string, Node>();
  /** Names in the ring, as every node knows it. */
  ring: string[] = [];
  /** How often each attempt of a task was handed to a worker. */
  readonly deliveries = new Map<string, number>();
  readonly ended = new Set<string>();
  /** Activities of each workflow. */
  steps = 1;
  readonly #log: LogAppend[][] = Array.from({ length: SHARDS }, () => []);
  readonly #leaders: (string | undefined)[] = [];
  readonly #terms: number[] = Array.from({ length: SHARDS }, () => 0);
  readonly #options: ClusterOptions;
  #boots = 0;
  #requests = 0;

  constructor(options: ClusterOptions = {}) {
    this.#options = options;
    this.random = new TestRandom(options.seed ?? 1);
    this.network = new MemoryNetwork(this.time, NETWORK_MS);
  }

  async open(): Promise<this> {
    const names = this.#options.names ?? ['a', 'b', 'c'];
    for (const name of names) await this.start(name);
    for (let shard = 0; shard < SHARDS; shard += 1) this.lead(shard, names[shard % names.length] ?? '');
    await this.time.advance(500);
    return this;
  }

  end(): void {
    for (const node of this.nodes.values()) {
      node.matching.close();
      node.links.kill();
      node.scheduler.alive = false;
    }
    this.time.forget();
  }

  // ---------------------------------------------------------------- nodes

  node(name: string): Node {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    return node;
  }

  get up(): Node[] {
    return [...this.nodes.values()].filter(({ alive }) => alive);
  }

  async start(name: string): Promise<Node> {
    this.#boots += 1;
    const node = new Node(this, name, `boot-${this.#boots}`, this.#options);
    await node.engine.open();
    this.nodes.set(name, node);
    this.ring = [...new Set([...this.ring, name])].sort();
    for (const [shard, entries] of this.#log.entries()) {
      if (entries.length > 0) void node.store.append(entries);
      for (const { lsn: at, entry } of entries) node.engine.apply(shardId(shard), at, entry);
    }
    for (const other of this.up) {
      if (other === node) continue;
      node.links.connect(other.name, { host: other.name, port: 1 });
      other.links.connect(name, { host: name, port: 1 });
    }
    node.matching.start();
    for (const other of this.up) other.matching.homesMoved();
    return node;
  }

  /** `kill -9`; the others know after `heardMs`, and lead its shards. */
  kill(name: string, heardMs = 1_500): void {
    const node = this.node(name);
    node.scheduler.alive = false;
    node.links.kill();
    this.network.crash(name);
    this.time.after(heardMs, () => {
      if (this.nodes.get(name) !== node) return;
      this.ring = this.ring.filter((other) => other !== name);
      const { up } = this;
      for (const [shard, leader] of this.#leaders.entries()) {
        if (leader === name) this.lead(shard, up[shard % up.length]?.name ?? '');
      }
      for (const other of up) {
        other.matching.nodeGone(name);
        other.matching.homesMoved();
      }
    });
  }

  homeOf({ name }: QueueKey, partition: number): string | undefined {
    return this.ring[(name.length + partition) % Math.max(1, this.ring.length)];
  }

  get home(): string {
    return this.homeOf(WORKFLOWS, 0) ?? '';
  }

  cut(a: string, b: string): void {
    this.network.cut(a, b);
    this.network.cut(b, a);
  }

  heal(a: string, b: string): void {
    this.network.heal(a, b);
    this.network.heal(b, a);
  }

  // ---------------------------------------------------------------- the log

  lead(shard: number, name: string): void {
    const id = shardId(shard);
    const old = this.#leaders[shard];
    if (old !== undefined && this.node(old).alive) this.node(old).engine.unlead(id);
    this.#leaders[shard] = name;
    this.#terms[shard] = (this.#terms[shard] ?? 0) + 1;
    const { engine } = this.node(name);
    engine.lead(id, term(this.#terms[shard] ?? 0), lsn(this.#log[shard]?.length ?? 0));
  }

  leaderOf(workflowId: string): Node | undefined {
    const name = this.#leaders[shardOf(NAMESPACE, workflowId, SHARDS)];
    const node = name === undefined ? undefined : this.nodes.get(name);
    return node?.alive === true ? node : undefined;
  }

  /** A workflow id whose shard this node leads. */
  idAt(name: string, n: number): string {
    for (let i = 0; ; i += 1) {
      const id = `w${n}-${i}`;
      if (this.#leaders[shardOf(NAMESPACE, id, SHARDS)] === name) return id;
    }
  }

  async append(from: Node, entries: readonly LogAppend[]): Promise<AppendResult> {
    await new Promise<void>((resolve) => {
      this.time.after(NETWORK_MS, resolve);
    });
    if (!from.alive) return new Promise(() => undefined);
    const fenced = entries.filter(
      ({ shard, term: of }) => this.#leaders[shard] !== from.name || this.#terms[shard] !== of,
    );
    const committed = entries.filter((entry) => !fenced.includes(entry));
    for (const entry of committed) this.#log[entry.shard]?.push(entry);
    for (const node of this.up) {
      void node.store.append(committed);
      if (node !== from) for (const { shard, lsn: at, entry } of committed) node.engine.apply(shard, at, entry);
    }
    return { fenced: fenced.map(({ shard }) => ({ shard, newerTerm: term(this.#terms[shard] ?? 0) })) };
  }

  // ---------------------------------------------------------------- clients and workers

  /** Asks the leader until it has answered, as a router would. */
  async ask(workflowId: string, message: Message): Promise<{ error: Status | undefined; reply: Reply | undefined }> {
    for (let attempt = 0; attempt < 2_000; attempt += 1) {
      const node = this.leaderOf(workflowId);
      if (node !== undefined) {
        const answer = await new Promise<{ error: Status | undefined; reply: Reply | undefined }>((resolve) => {
          node.engine.submit({ namespace: NAMESPACE, workflowId }, message, (error, reply) =>
            resolve({ error, reply }),
          );
          // A process that dies answers nothing: its router would hear of the link's end.
          const look = (): void => {
            if (!node.alive) resolve({ error: undefined, reply: undefined });
            else this.time.after(100, look);
          };
          look();
        });
        if ((answer.reply !== undefined || answer.error !== undefined) && applied(answer.error)) return answer;
      }
      await new Promise<void>((resolve) => {
        this.time.after(10, resolve);
      });
    }
    throw new Error(`${message.type} for ${workflowId} was never answered`);
  }

  start1(workflowId: string, priority = 3, fairnessKey = ''): void {
    this.#requests += 1;
    void this.ask(workflowId, {
      ...{ type: 'start', runId: this.random.uuid(), requestId: `start-${this.#requests}`, identity: 'c' },
      ...{ workflowType: 'order', taskQueue: QUEUE, reusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE },
      conflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      priority: { priorityKey: priority, fairnessKey },
    });
  }

  /** A cold worker: as many activities, one after the other, as `steps`; then the end. */
  work(worker: SimWorker, task: Delivery): void {
    const { workflowId } = task;
    const kind = task.kind === 'activity' ? 'activity' : 'workflow';
    worker.received.push(workflowId);
    if (task.kind === 'query') {
      this.time.after(worker.workMs(), () => {
        const to = { namespace: NAMESPACE, workflowId };
        this.leaderOf(workflowId)?.engine.answerQuery(
          to,
          task.queryId,
          { answer: payloads(worker.session) },
          () => undefined,
        );
        worker.grant(kind, 1);
      });
      return;
    }
    const { runId, scheduledEventId, attempt } = task.started.ref;
    const token = Buffer.from(encodeToken({ kind, namespace: NAMESPACE, workflowId, ...task.started.ref })).toString(
      'latin1',
    );
    // As the SDK does: a token it holds is not worked on again.
    if (worker.holds.has(token)) {
      worker.grant(kind, 1);
      return;
    }
    worker.holds.add(token);
    const attempted = `${kind} ${workflowId} ${runId} ${scheduledEventId}.${attempt}`;
    this.deliveries.set(attempted, (this.deliveries.get(attempted) ?? 0) + 1);
    // The answer's answer comes behind what was sent to the worker before: until then it holds the task.
    const done = (): void => {
      this.time.after(WAY_BACK_MS, () => worker.holds.delete(token));
      worker.grant(kind, 1);
    };
    this.time.after(worker.workMs(), () => {
      if (task.kind === 'activity') {
        const activity = { task: task.started.ref };
        void this.ask(workflowId, {
          ...{ type: 'completeActivityTask', activity, identity: 'w', result: payloads('done') },
        }).then(done);
        return;
      }
      const seen = eventsOf(task.history).map(({ eventType }) => eventType);
      const scheduled = seen.filter((type) => type === EventType.ACTIVITY_TASK_SCHEDULED).length;
      const completed = seen.filter((type) => type === EventType.ACTIVITY_TASK_COMPLETED).length;
      const isEnd = completed >= this.steps;
      const commands = isEnd
        ? [command.complete()]
        : scheduled === completed
          ? [command.activity(`a${completed}`)]
          : [];
      void this.ask(workflowId, {
        ...{ type: 'completeWorkflowTask', task: task.started.ref, identity: 'w', commands, sticky: false },
        forceCreateNewWorkflowTask: false,
      }).then(({ error }) => {
        if (isEnd && error === undefined) this.ended.add(workflowId);
        done();
      });
    });
  }

  /** Attempts that were handed out more than once. */
  get doubles(): string[] {
    return [...this.deliveries].filter(([, n]) => n > 1).map(([token]) => token);
  }
}
