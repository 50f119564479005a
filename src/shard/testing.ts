// The world of the shard tests: a disk that survives, time moved by hand, and workers that take tasks through a small matching of their own.
// Used by tests only.

import { familyOf } from '../core/deployment/versioned-queue.ts';
import type { Message, StartMessage } from '../core/workflow/message.ts';
import type { Reply, TaskOffer } from '../core/workflow/outcome.ts';
import { command, payloads } from '../core/workflow/testing.ts';
import type { Cancelable, Clock, Random, Scheduler } from '../ports/clock.ts';
import type { CommitLog } from '../ports/commit-log.ts';
import type { Done } from '../ports/engine.ts';
import type {
  BacklogSource,
  Claim,
  Delivery,
  Matching,
  QueueKey,
  ResumingWorker,
  TaskKind,
} from '../ports/matching.ts';
import type { AppendResult, LogAppend, Store } from '../ports/store.ts';
import { decode } from '../wire/codec.ts';
import type { Command } from '../wire/command.ts';
import type { Payload } from '../wire/common.ts';
import { EventType, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '../wire/enums.ts';
import type { HistoryEvent } from '../wire/event.ts';
import type { Status } from '../wire/status.ts';
import { type EngineOptions, ShardEngine } from './engine.ts';
import { storeLog } from './store-log.ts';

export const NAMESPACE = 'default';
export const QUEUE = 'orders';
export const HOUR = 3_600_000;

/** A search attribute's payload as the door hands it in. */
export const stamped = (type: string, value: unknown): Payload => ({
  metadata: { encoding: Buffer.from('json/plain'), type: Buffer.from(type) },
  data: Buffer.from(JSON.stringify(value)),
});

/** Clock and scheduler that only the test moves. */
export class VirtualTime implements Clock, Scheduler {
  at = 1_700_000_000_000;
  /** ms the wall clock is off; the monotonic one and all waiting go by `at`. */
  wallOffMs = 0;
  #timers: { due: number; fn: () => void }[] = [];
  #soon: (() => void)[] = [];

  now(): number {
    return this.at + this.wallOffMs;
  }

  monotonic(): number {
    return this.at;
  }

  after(delayMs: number, fn: () => void): Cancelable {
    const timer = { due: this.at + delayMs, fn };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  soon(fn: () => void): void {
    this.#soon.push(fn);
  }

  /** What was due is forgotten: the process is gone. */
  forget(): void {
    this.#timers = [];
    this.#soon = [];
  }

  /** Runs everything that can run without time passing. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet += 1) {
      const fns = this.#soon.splice(0);
      if (fns.length > 0) quiet = -1;
      for (const fn of fns) fn();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async advance(ms: number): Promise<void> {
    const end = this.at + ms;
    await this.settle();
    for (;;) {
      const next = this.#timers.reduce<number>((least, { due }) => Math.min(least, due), Number.POSITIVE_INFINITY);
      if (next > end) break;
      this.at = Math.max(this.at, next);
      const due = this.#timers.filter((timer) => timer.due <= this.at);
      this.#timers = this.#timers.filter((timer) => timer.due > this.at);
      for (const { fn } of due) fn();
      await this.settle();
    }
    this.at = end;
    await this.settle();
  }
}

export class SeededRandom implements Random {
  #n = 0;

  uuid(): string {
    this.#n += 1;
    return `00000000-0000-4000-8000-${String(this.#n).padStart(12, '0')}`;
  }

  next(): number {
    this.#n += 1;
    return (this.#n * 0.618_033_988) % 1;
  }
}

export interface WorkerOptions {
  session?: string;
  queue?: string;
  workflow?: number;
  activity?: number;
  stickyQueue?: string;
  ahead?: boolean;
}

/** A worker's connection: what it was pushed, and how much more it takes. */
export class TestWorker {
  readonly session: string;
  readonly queue: string;
  readonly stickyQueue: string | undefined;
  readonly ahead: boolean;
  readonly credit: Record<TaskKind, number>;
  readonly received: Delivery[] = [];
  readonly durable: string[] = [];
  readonly over: string[] = [];
  readonly cancelled: { token: Uint8Array; reason: string }[] = [];
  connected = true;
  /** Called with each delivery, at once. */
  onTask: ((task: Delivery) => void) | undefined;

  constructor(options: WorkerOptions) {
    this.session = options.session ?? 'session-1';
    this.queue = options.queue ?? QUEUE;
    this.stickyQueue = options.stickyQueue;
    this.ahead = options.ahead ?? false;
    this.credit = { workflow: options.workflow ?? 0, activity: options.activity ?? 0 };
  }

  take(kind: Delivery['kind']): Delivery {
    const at = this.received.findIndex((task) => task.kind === kind);
    const [task] = at === -1 ? [] : this.received.splice(at, 1);
    if (task === undefined) throw new Error(`${this.session} was not given a ${kind} task`);
    return task;
  }
}

export class TestMatching implements Matching {
  readonly workers: TestWorker[] = [];
  source: BacklogSource | undefined;
  /** Fairness keys that are over their rate limit. */
  readonly heldKeys = new Set<string>();
  /** No new task is matched ahead of its queue's backlog. */
  claim(offer: TaskOffer): Claim | undefined {
    const { namespace, taskQueue: name, kind } = offer;
    if (offer.sticky !== undefined && this.stickyAlive(namespace, offer.sticky.queue)) {
      return this.#lend((worker) => worker.stickyQueue === offer.sticky?.queue, kind, true);
    }
    if ((this.source?.backlog({ namespace, name, kind }).count ?? 0) > 0) return undefined;
    const asked = offer.eagerFor;
    const eager = asked && this.#lend(({ session, queue }) => session === asked && queue === name, kind, false);
    if (eager) return eager;
    return this.#lend((worker) => worker.queue === name, kind, false);
  }

  takesEager(session: string, { namespace, name, kind }: QueueKey): boolean {
    if ((this.source?.backlog({ namespace, name, kind }).count ?? 0) > 0) return false;
    return this.workers.some(
      (worker) => worker.connected && worker.session === session && worker.queue === name && worker.credit[kind] > 0,
    );
  }

  claimQuery(_namespace: string, taskQueue: string, stickyQueue: string | undefined): Claim | undefined {
    return (
      this.#lend((worker) => stickyQueue !== undefined && worker.stickyQueue === stickyQueue, 'workflow', true) ??
      this.#lend((worker) => worker.queue === taskQueue, 'workflow', false)
    );
  }

  weightOf(): number | undefined {
    return undefined;
  }

  mayDispatch(_queue: QueueKey, fairnessKey: string): boolean {
    return !this.heldKeys.has(fairnessKey);
  }

  stickyAlive(_namespace: string, stickyQueue: string): boolean {
    return this.workers.some((worker) => worker.connected && worker.stickyQueue === stickyQueue);
  }

  backlogChanged(source: BacklogSource, queue: QueueKey): void {
    this.source = source;
    this.pull(queue);
  }

  cancelActivity(session: string, token: Uint8Array, reason: 'cancelRequested' | 'notFound' | 'timedOut'): void {
    this.workers.find((worker) => worker.session === session)?.cancelled.push({ token, reason });
  }

  grant(worker: TestWorker, kind: TaskKind, n: number): void {
    worker.credit[kind] += n;
    for (const name of [worker.queue, worker.stickyQueue]) {
      if (name !== undefined) this.pull({ namespace: NAMESPACE, name, kind });
    }
  }

  pull(queue: QueueKey): void {
    const count = this.source?.backlog(queue).count ?? 0;
    const claims: Claim[] = [];
    while (claims.length < count) {
      const sticky = this.#lend((worker) => worker.stickyQueue === queue.name, queue.kind, true);
      const claim = sticky ?? this.#lend((worker) => worker.queue === queue.name, queue.kind, false);
      if (claim === undefined) break;
      claims.push(claim);
    }
    if (claims.length > 0) this.source?.pull(queue, claims);
  }

  claimFor(worker: TestWorker, kind: TaskKind): Claim {
    worker.credit[kind] += 1;
    const claim = this.#lend((other) => other === worker, kind, false);
    if (claim === undefined) throw new Error('a worker has no credit although it was just given one');
    return claim;
  }

  /** The worker registers, holding these tokens. */
  resuming(worker: TestWorker, held: ReadonlySet<string> = new Set()): ResumingWorker {
    return {
      session: worker.session,
      held,
      claim: (kind) => this.claimFor(worker, kind),
      durable: (token) => worker.durable.push(Buffer.from(token).toString('latin1')),
      over: (tokens) => worker.over.push(...tokens.map((token) => Buffer.from(token).toString('latin1'))),
    };
  }

  #lend(fits: (worker: TestWorker) => boolean, kind: TaskKind, sticky: boolean): Claim | undefined {
    const worker = this.workers.find((other) => other.connected && other.credit[kind] > 0 && fits(other));
    if (worker === undefined) return undefined;
    worker.credit[kind] -= 1;
    let settled = false;
    const settle = (): boolean => {
      const first = !settled;
      settled = true;
      return first;
    };
    return {
      taker: {
        identity: `worker of ${worker.session}`,
        session: worker.session,
        version: familyOf(worker.queue).version,
        stickyQueue: worker.stickyQueue,
        stickyScheduleToStartTimeout: worker.stickyQueue === undefined ? undefined : 5_000,
      },
      ahead: worker.ahead,
      sticky,
      deliver: (task) => {
        if (!settle()) throw new Error('a claim was settled twice');
        if (!worker.connected) return false;
        worker.received.push(task);
        worker.onTask?.(task);
        return true;
      },
      durable: (token) => worker.durable.push(Buffer.from(token).toString('latin1')),
      over: (token) => worker.over.push(Buffer.from(token).toString('latin1')),
      release: () => {
        if (settle()) worker.credit[kind] += 1;
      },
    };
  }
}

export interface Answer<T> {
  error: Status | undefined;
  value: T | undefined;
  done: boolean;
}

/** A node over a store that can be opened again. */
export class World {
  readonly time = new VirtualTime();
  readonly random = new SeededRandom();
  matching = new TestMatching();
  readonly namespaces = new Map([[NAMESPACE, { id: 'id-of-default', retention: 72 * HOUR }]]);
  readonly fatal: unknown[] = [];
  readonly #openStore: () => Store;
  readonly #options: Partial<EngineOptions>;
  store: Store;
  engine: ShardEngine;
  #requests = 0;

  constructor(openStore: () => Store, options: Partial<EngineOptions> = {}) {
    this.#openStore = openStore;
    this.#options = options;
    this.store = openStore();
    this.engine = this.#build();
  }

  #build(): ShardEngine {
    const engine = new ShardEngine({
      store: this.store,
      clock: this.time,
      scheduler: this.time,
      random: this.random,
      matching: this.matching,
      namespaces: this.namespaces,
      onFatal: (error) => this.fatal.push(error),
      ...this.#options,
    });
    this.matching.source = engine;
    return engine;
  }

  async open(): Promise<this> {
    await this.engine.open();
    await this.time.settle();
    return this;
  }

  /** The process is killed and started again; workers have to come again too. */
  async restart(): Promise<void> {
    this.time.forget();
    this.renew();
    await this.open();
  }

  /** Another process over the same disk, not open yet. */
  renew(): void {
    this.matching = new TestMatching();
    this.store = this.#openStore();
    this.engine = this.#build();
  }

  worker(options: WorkerOptions = {}): TestWorker {
    const worker = new TestWorker(options);
    this.matching.workers.push(worker);
    for (const kind of ['workflow', 'activity'] as const) this.matching.grant(worker, kind, 0);
    return worker;
  }

  /** Hands a message in without waiting. */
  post(workflowId: string, message: Message): Answer<Reply> {
    const answer: Answer<Reply> = { error: undefined, value: undefined, done: false };
    this.engine.submit({ namespace: NAMESPACE, workflowId }, message, (error, value) => {
      if (answer.done) throw new Error('an answer came twice');
      Object.assign(answer, { error, value, done: true });
    });
    return answer;
  }

  async send(workflowId: string, message: Message): Promise<Answer<Reply>> {
    const answer = this.post(workflowId, message);
    await this.time.settle();
    return answer;
  }

  async call<T>(begin: (done: Done<T>) => unknown): Promise<Answer<T>> {
    const answer = this.begin(begin);
    await this.time.settle();
    return answer;
  }

  begin<T>(begin: (done: Done<T>) => unknown): Answer<T> {
    const answer: Answer<T> = { error: undefined, value: undefined, done: false };
    begin((error, value) => {
      if (answer.done) throw new Error('an answer came twice');
      Object.assign(answer, { error, value, done: true });
    });
    return answer;
  }

  startMessage(over: Partial<StartMessage> = {}): StartMessage {
    this.#requests += 1;
    return {
      type: 'start',
      runId: this.random.uuid(),
      requestId: `start-${this.#requests}`,
      identity: 'client',
      workflowType: 'order',
      taskQueue: QUEUE,
      reusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      conflictPolicy: WorkflowIdConflictPolicy.FAIL,
      ...over,
    };
  }

  async start(workflowId: string, over: Partial<StartMessage> = {}): Promise<string> {
    const message = this.startMessage(over);
    const { error } = await this.send(workflowId, message);
    if (error !== undefined) throw new Error(error.message);
    return message.runId;
  }

  signalMessage(signalName: string): Message {
    this.#requests += 1;
    return { type: 'signal', target: {}, signalName, identity: 'client', requestId: `signal-${this.#requests}` };
  }

  /** The whole committed history of a run, page by page. */
  async history(workflowId: string, runId?: string, maximumBytes = 1_000): Promise<HistoryEvent[]> {
    const events: HistoryEvent[] = [];
    for (let from: number | undefined = 1; from !== undefined; ) {
      const query = { runId, fromEventId: from, maximumBytes, waitNewEvent: false, closeEventOnly: false };
      const page: Answer<{ events: Uint8Array[]; nextEventId?: number | undefined }> = await this.call((done) =>
        this.engine.history({ namespace: NAMESPACE, workflowId }, query, done),
      );
      if (page.value === undefined) throw new Error(page.error?.message ?? 'no answer');
      for (const event of eventsOf(page.value.events)) if (event.eventId >= from) events.push(event);
      from = page.value.nextEventId;
    }
    return events;
  }

  completion(task: Delivery, commands: Command[], sticky = false): Message {
    if (task.kind !== 'workflow') throw new Error(`a ${task.kind} task has no commands`);
    return {
      type: 'completeWorkflowTask',
      task: task.started.ref,
      identity: 'worker',
      commands,
      sticky,
      forceCreateNewWorkflowTask: false,
    };
  }

  result(task: Delivery, result: unknown = 'done'): Message {
    if (task.kind !== 'activity') throw new Error(`a ${task.kind} task has no result`);
    return {
      type: 'completeActivityTask',
      activity: { task: task.started.ref },
      identity: 'worker',
      result: payloads(result),
    };
  }

  /** A worker that runs every workflow to its end: as many activities in turn as `steps`, then completion. */
  autopilot(steps: number, options: WorkerOptions = {}): TestWorker {
    const worker = this.worker({ workflow: 100, activity: 100, ...options });
    worker.onTask = (task) => {
      worker.credit[task.kind === 'activity' ? 'activity' : 'workflow'] += 1;
      if (task.kind === 'activity') this.post(task.workflowId, this.result(task));
      if (task.kind !== 'workflow') return;
      const { runId } = task.started.ref;
      const seen = task.started.task.firstEventId > 1 ? this.#progress.get(runId) : undefined;
      const progress = { scheduled: seen?.scheduled ?? 0, completed: seen?.completed ?? 0 };
      for (const { eventType } of eventsOf(task.history)) {
        if (eventType === EventType.ACTIVITY_TASK_SCHEDULED) progress.scheduled += 1;
        if (eventType === EventType.ACTIVITY_TASK_COMPLETED) progress.completed += 1;
      }
      this.#progress.set(runId, progress);
      const { scheduled, completed } = progress;
      let commands: Command[] = [];
      if (completed >= steps) commands = [command.complete(completed)];
      else if (scheduled === completed) commands = [command.activity(`a${completed}`)];
      this.post(task.workflowId, this.completion(task, commands, worker.stickyQueue !== undefined));
    };
    for (const kind of ['workflow', 'activity'] as const) this.matching.grant(worker, kind, 0);
    return worker;
  }

  /** What a warm worker remembers of a run. */
  readonly #progress = new Map<string, { scheduled: number; completed: number }>();
}

export const eventsOf = (batches: readonly Uint8Array[]): HistoryEvent[] =>
  batches.flatMap((bytes) => decode(bytes) as HistoryEvent[]);

export const typesOf = (events: readonly HistoryEvent[]): number[] => events.map(({ eventType }) => eventType);

/** A log whose appends a test carries out, in its own time. */
export const testLog = (
  store: Store,
  appends: CommitLog['appends'],
  append: (entries: readonly LogAppend[]) => Promise<AppendResult>,
): CommitLog => ({ ...storeLog({ append, flush: (flushes) => store.flush(flushes) }), appends });

export { command };
