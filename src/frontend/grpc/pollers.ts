// Long polls as matching sees them: the polls of one worker for one queue and kind are one session, whose credit is the number of polls that wait.
// A poll is one credit for one answer (DESIGN §6); a poll that ends without a task takes its credit back. Keeps: credit, lent or not, is the number of
// waiting polls plus what a poll left behind that ended while its credit was lent.

import type { VersionKey } from '../../core/deployment/versioned-queue.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import type { Delivery, TaskKind, WorkerConnection, WorkerRegistry, WorkerSession } from '../../ports/matching.ts';
import { sessionOf } from '../hosted-worker.ts';

/** A poll that waits. Exactly one of its methods is called, or none when it is taken back. */
export interface Poll {
  /** False: it cannot be answered any more, the task is for somebody else. */
  take(task: Delivery): boolean;
  /** No task, and none will come. */
  empty(): void;
}

export interface PolledQueue {
  readonly namespace: string;
  readonly name: string;
  readonly kind: TaskKind;
  /** A worker's own queue. */
  readonly sticky: boolean;
  readonly identity: string;
  readonly buildId: string | undefined;
  /** The deployment version of the worker; `name` names it too, but for a sticky queue. */
  readonly version?: VersionKey | undefined;
  /** Activities per second of the whole queue. */
  readonly tasksPerSecond: number | undefined;
}

/** A sticky queue whose worker has not polled for so long is nobody's: its tasks go to the normal queue (rule 9). */
const STICKY_IDLE_MS = 10_000;
/** How long a normal queue's poller is told of after its last poll, as on the reference server. */
const NORMAL_IDLE_MS = 5 * 60_000;
/** Sessions kept (I9): past it those that do not poll are forgotten, the longest idle first. */
const MAX_SESSIONS = 20_000;
/** Direct queries whose worker is remembered, so that its vanishing is noticed. */
const MAX_QUERIES = 10_000;

export interface PollersOptions {
  readonly registry: WorkerRegistry;
  readonly clock: Clock;
  readonly random: Random;
}

export class Pollers {
  readonly #options: PollersOptions;
  readonly #sessions = new Map<string, PollSession>();
  /** Session by query id. */
  readonly #queries = new Map<string, string>();
  #closed = false;

  constructor(options: PollersOptions) {
    this.#options = options;
  }

  /** Polls that wait. */
  get waiting(): number {
    let count = 0;
    for (const session of this.#sessions.values()) count += session.polls;
    return count;
  }

  /** Waits for a task; the result takes the poll back. */
  add(queue: PolledQueue, poll: Poll): () => void {
    if (this.#closed) {
      poll.empty();
      return () => {};
    }
    const session = this.#session(queue);
    session.add(poll);
    return () => session.takeBack(poll);
  }

  queryAnswered(queryId: string): void {
    const session = this.#queries.get(queryId);
    if (session === undefined) return;
    this.#queries.delete(queryId);
    this.#options.registry.queryAnswered(session, queryId);
  }

  /** The worker behind this sticky queue goes: its polls end, and no task waits for it. */
  shutDown(namespace: string, stickyQueue: string): void {
    for (const session of this.#sessions.values()) {
      const { queue } = session;
      if (queue.sticky && queue.name === stickyQueue && queue.namespace === namespace) this.#end(session);
    }
  }

  /** Every poll is answered empty, and so are those to come. */
  close(): void {
    this.#closed = true;
    for (const session of [...this.#sessions.values()]) this.#end(session);
  }

  /** To be called now and then: forgets workers that went without a word. */
  sweep(): void {
    const now = this.#options.clock.monotonic();
    for (const session of [...this.#sessions.values()]) {
      if (session.idleSince !== undefined && now - session.idleSince >= idleMs(session.queue)) this.#end(session);
    }
  }

  #end(session: PollSession): void {
    this.#sessions.delete(keyOf(session.queue));
    // In this order: no grace for a sticky queue whose worker has gone.
    this.#options.registry.leave(session.session, session.connection);
    this.#options.registry.unregister(session.session, session.connection);
    session.end();
  }

  #session(queue: PolledQueue): PollSession {
    const key = keyOf(queue);
    let session = this.#sessions.get(key);
    if (session === undefined) {
      if (this.#sessions.size >= MAX_SESSIONS) this.#forgetIdlest();
      session = new PollSession(queue, this.#options, (queryId) => this.#asked(queryId, session));
      this.#sessions.set(key, session);
      this.#options.registry.register(session);
    }
    return session;
  }

  #asked(queryId: string, session: PollSession | undefined): void {
    if (session === undefined) return;
    if (this.#queries.size >= MAX_QUERIES) {
      for (const oldest of this.#queries.keys()) {
        this.#queries.delete(oldest);
        break;
      }
    }
    this.#queries.set(queryId, session.session);
  }

  #forgetIdlest(): void {
    let idlest: PollSession | undefined;
    for (const session of this.#sessions.values()) {
      if (session.idleSince === undefined) continue;
      if (idlest?.idleSince === undefined || session.idleSince < idlest.idleSince) idlest = session;
    }
    if (idlest !== undefined) this.#end(idlest);
  }
}

const idleMs = (queue: PolledQueue): number => (queue.sticky ? STICKY_IDLE_MS : NORMAL_IDLE_MS);

/** A sticky queue has one worker, whoever asks. */
function keyOf({ namespace, name, kind, sticky, identity, buildId = '', tasksPerSecond }: PolledQueue): string {
  return sticky
    ? `sticky\0${namespace}\0${name}`
    : `${kind}\0${namespace}\0${name}\0${identity}\0${buildId}\0${tasksPerSecond ?? ''}`;
}

class PollSession implements WorkerSession {
  readonly queue: PolledQueue;
  readonly session: string;
  /** One of its own: no poll has another's name. */
  readonly connection: WorkerConnection = { openedAt: 0 };
  readonly namespace: string;
  readonly taskQueue: string;
  readonly identity: string;
  readonly buildId: string | undefined;
  readonly version: VersionKey | undefined;
  readonly stickyQueue: string | undefined;
  readonly stickyScheduleToStartTimeout = 0;
  readonly only: TaskKind;
  readonly workflowCredit = 0;
  readonly activityCredit = 0;
  readonly maxActivitiesPerSecond = undefined;
  readonly maxTaskQueueActivitiesPerSecond: number | undefined;
  readonly heldTokens: ReadonlySet<string> = new Set();
  /** Never through this door (I1): an answer is all there is, nothing could be said after it. */
  readonly ahead = false;
  /** Monotonic ms since when it has no poll; undefined while it has. */
  idleSince: number | undefined;
  readonly #registry: WorkerRegistry;
  readonly #clock: Clock;
  readonly #onQuery: (queryId: string) => void;
  /** Longest waiting first. */
  readonly #polls = new Set<Poll>();
  /** Credit that polls left behind which ended while it was lent. */
  #surplus = 0;
  #ended = false;

  constructor(queue: PolledQueue, { registry, clock, random }: PollersOptions, onQuery: (queryId: string) => void) {
    this.queue = queue;
    this.session = sessionOf(queue.namespace, `poll-${random.uuid()}`);
    this.namespace = queue.namespace;
    this.taskQueue = queue.name;
    this.stickyQueue = queue.sticky ? queue.name : undefined;
    this.only = queue.kind;
    this.identity = queue.identity;
    this.buildId = queue.buildId;
    this.version = queue.version;
    this.maxTaskQueueActivitiesPerSecond = queue.tasksPerSecond;
    this.#registry = registry;
    this.#clock = clock;
    this.#onQuery = onQuery;
  }

  get polls(): number {
    return this.#polls.size;
  }

  add(poll: Poll): void {
    this.#polls.add(poll);
    this.idleSince = undefined;
    const left = this.#surplus > 0;
    if (left) this.#surplus -= 1;
    // Nothing granted says that the credit there is can be used again.
    this.#registry.grant(this.session, this.only, left ? 0 : 1, this.connection);
  }

  takeBack(poll: Poll): void {
    if (!this.#polls.delete(poll)) return;
    this.#rests();
    if (this.#registry.withdraw(this.session, this.only, 1, this.connection) === 0) this.#surplus += 1;
  }

  end(): void {
    this.#ended = true;
    for (const poll of this.#polls) poll.empty();
    this.#polls.clear();
  }

  ready(): boolean {
    return !this.#ended && this.#polls.size > 0;
  }

  push(task: Delivery): boolean {
    for (const poll of this.#polls) {
      this.#polls.delete(poll);
      if (poll.take(task)) {
        if (task.kind === 'query') this.#onQuery(task.queryId);
        this.#rests();
        return true;
      }
      // Its credit goes with it: the one that was lent for this task comes back.
      if (this.#registry.withdraw(this.session, this.only, 1, this.connection) === 0) this.#surplus += 1;
    }
    this.#rests();
    return false;
  }

  pushDurable(): void {}

  pushOver(): void {}

  /** It learns of it by its next heartbeat. */
  pushCancel(): void {}

  #rests(): void {
    if (this.#polls.size === 0) this.idleSince = this.#clock.monotonic();
  }
}
