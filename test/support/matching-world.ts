// A world for tests of matching: virtual time, workers that note what they are pushed, and a source of backlog in memory.

import type { TaskOffer } from '../../src/core/workflow/outcome.ts';
import type { Cancelable, Clock, Scheduler } from '../../src/ports/clock.ts';
import type {
  BacklogSource,
  Claim,
  Delivery,
  QueueKey,
  ResumingWorker,
  TaskKind,
  WorkerSession,
} from '../../src/ports/matching.ts';

export class VirtualTime implements Clock, Scheduler {
  #now = 0;
  #soon: (() => void)[] = [];
  #timers: { at: number; fn: () => void }[] = [];

  now(): number {
    return 1_700_000_000_000 + this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(delayMs: number, fn: () => void): Cancelable {
    const timer = { at: this.#now + delayMs, fn };
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

  /** Runs what is due in this tick, and what that makes due in later ones. */
  settle(): void {
    for (let round = 0; this.#soon.length > 0; round += 1) {
      if (round > 10_000) throw new Error('the tick never ends');
      for (const fn of this.#soon.splice(0)) fn();
    }
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    this.settle();
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.fn();
      this.settle();
    }
    this.#now = until;
  }
}

export class FakeWorker implements WorkerSession {
  readonly session: string;
  connection = { openedAt: 0 };
  namespace = 'default';
  taskQueue = 'queue';
  identity: string;
  buildId: string | undefined = undefined;
  stickyQueue: string | undefined = undefined;
  stickyScheduleToStartTimeout = 5_000;
  workflowCredit = 0;
  activityCredit = 0;
  maxActivitiesPerSecond: number | undefined = undefined;
  maxTaskQueueActivitiesPerSecond: number | undefined = undefined;
  heldTokens: ReadonlySet<string> = new Set();
  ahead = false;
  writable = true;
  readonly pushed: string[] = [];
  readonly cancelled: string[] = [];

  constructor(name: string, settings: Partial<FakeWorker> = {}) {
    this.session = name;
    this.identity = name;
    Object.assign(this, settings);
  }

  ready(): boolean {
    return this.writable;
  }

  push(task: Delivery): boolean {
    if (!this.writable) return false;
    this.pushed.push(task.workflowId);
    return true;
  }

  readonly durable: string[] = [];
  readonly over: string[] = [];

  pushDurable(token: Uint8Array): void {
    this.durable.push(Buffer.from(token).toString('latin1'));
  }

  pushOver(tokens: Uint8Array[]): void {
    for (const token of tokens) this.over.push(Buffer.from(token).toString('latin1'));
  }

  pushCancel(_token: Uint8Array, reason: string): void {
    this.cancelled.push(reason);
  }
}

/** A delivery of a workflow id; the rest does not matter to matching. */
export function delivery(workflowId: string, kind: 'workflow' | 'activity' | 'query' = 'activity'): Delivery {
  if (kind === 'query') {
    return {
      kind,
      namespace: 'default',
      workflowId,
      runId: 'run',
      workflowType: 'type',
      queryId: `query of ${workflowId}`,
      query: { queryType: 'q' },
      history: [],
      firstEventId: 1,
      nextEventId: undefined,
      previousStartedEventId: 0,
      startedEventId: 0,
    };
  }
  // Matching reads nothing of what it hands on.
  return { kind, namespace: 'default', workflowId } as Delivery;
}

export const offer = (workflowId: string, over: Partial<TaskOffer> = {}): TaskOffer => ({
  kind: 'activity',
  namespace: 'default',
  workflowId,
  runId: 'run',
  taskQueue: 'queue',
  scheduledEventId: 5,
  attempt: 1,
  scheduledTime: 0,
  priority: 3,
  fairnessKey: '',
  fairnessWeight: 1,
  ...over,
});

/** Waiting tasks by queue; hands them out at once, or when `open` is called. */
export class FakeSource implements BacklogSource {
  readonly waiting = new Map<string, string[]>();
  readonly queries: string[] = [];
  readonly held: string[] = [];
  /** Tasks this source believes started for a session. */
  readonly started = new Map<string, { workflowId: string; token: string; kind: TaskKind }[]>();
  readonly #onChanged: (queue: QueueKey) => void;
  pulls = 0;

  constructor(onChanged: (source: FakeSource, queue: QueueKey) => void) {
    this.#onChanged = (queue) => onChanged(this, queue);
  }

  static id(queue: QueueKey): string {
    return `${queue.kind}/${queue.namespace}/${queue.name}`;
  }

  add(queue: QueueKey, workflowId: string): void {
    const tasks = this.waiting.get(FakeSource.id(queue)) ?? [];
    tasks.push(workflowId);
    this.waiting.set(FakeSource.id(queue), tasks);
    this.#onChanged(queue);
  }

  backlog(queue: QueueKey): { count: number; oldest: number | undefined } {
    const count = this.waiting.get(FakeSource.id(queue))?.length ?? 0;
    return { count, oldest: count === 0 ? undefined : 1_700_000_000_000 };
  }

  pull(queue: QueueKey, claims: Claim[]): void {
    this.pulls += 1;
    const tasks = this.waiting.get(FakeSource.id(queue)) ?? [];
    for (const claim of claims) {
      const task = tasks.shift();
      this.#onChanged(queue);
      if (task === undefined) claim.release();
      else if (!claim.deliver(delivery(task, queue.kind))) {
        tasks.unshift(task);
        this.#onChanged(queue);
      }
    }
  }

  waitingQueries(): number {
    return this.queries.length;
  }

  pullQueries(_queue: QueueKey, claim: () => Claim | undefined): void {
    while (this.queries.length > 0) {
      const lent = claim();
      if (lent === undefined) return;
      const query = this.queries.shift();
      if (query === undefined) lent.release();
      else lent.deliver(delivery(query, 'query'));
    }
  }

  resume({ session, held, claim }: ResumingWorker): void {
    for (const { workflowId, token, kind } of this.started.get(session) ?? []) {
      if (!held.has(token)) claim(kind)?.deliver(delivery(workflowId, kind));
    }
  }
}
