// Workers and the task queues they serve: a worker as matching keeps it (its session, a lane of credit per kind, the direct queries
// it was given), and its queues (the pure pairing plus what the pump notes on them). Used by matcher.ts and pump.ts only.

import { Lane } from '../core/matching/lane.ts';
import { PairingQueue } from '../core/matching/queue.ts';
import { RateCounter } from '../core/matching/rate-counter.ts';
import { StickyQueue } from '../core/matching/sticky.ts';
import { TokenBucket } from '../core/matching/token-bucket.ts';
import type { Cancelable, Clock } from '../ports/clock.ts';
import type { ActorAddress } from '../ports/engine.ts';
import type { Claim, QueueKey, TaskKind, WorkerSession } from '../ports/matching.ts';

/** Direct queries one worker may owe answers to; past it the oldest is taken for lost (I9). */
const MAX_OPEN_QUERIES = 1_000;

export class RegisteredWorker {
  readonly session: WorkerSession;
  readonly workflow: Lane<RegisteredWorker>;
  readonly activity: Lane<RegisteredWorker>;
  readonly taker: Claim['taker'];
  readonly workflowQueue: NormalQueue;
  readonly activityQueue: NormalQueue;
  readonly sticky: WorkersOwnQueue | undefined;
  /** Epoch ms of the last grant or push. */
  lastAccessTime: number;
  readonly #queries = new Map<string, ActorAddress>();

  constructor(
    session: WorkerSession,
    queues: {
      workflow: NormalQueue;
      activity: NormalQueue;
      sticky: WorkersOwnQueue | undefined;
    },
    now: { wall: number; monotonic: number },
  ) {
    this.session = session;
    this.workflowQueue = queues.workflow;
    this.activityQueue = queues.activity;
    this.sticky = queues.sticky;
    this.lastAccessTime = now.wall;
    const rate = session.maxActivitiesPerSecond;
    this.workflow = new Lane<RegisteredWorker>(this, undefined);
    this.activity = new Lane<RegisteredWorker>(
      this,
      rate === undefined ? undefined : new TokenBucket(rate, now.monotonic),
    );
    this.taker = Object.freeze({
      identity: session.identity,
      session: session.session,
      workerVersion: session.buildId === undefined ? undefined : { buildId: session.buildId, useVersioning: false },
      version: session.version,
      stickyQueue: session.stickyQueue,
      stickyScheduleToStartTimeout:
        session.stickyQueue === undefined ? undefined : session.stickyScheduleToStartTimeout,
    });
  }

  /** Takes over the rate limit that its session says by now. Whether that is another one. */
  isLimitedAnew(clock: Clock): boolean {
    const rate = this.session.maxActivitiesPerSecond;
    if (rate === this.activity.bucket?.rate) return false;
    this.activity.limit(rate, clock.monotonic());
    return true;
  }

  lane(kind: TaskKind): Lane<RegisteredWorker> {
    return kind === 'workflow' ? this.workflow : this.activity;
  }

  queue(kind: TaskKind): NormalQueue {
    return kind === 'workflow' ? this.workflowQueue : this.activityQueue;
  }

  /** Notes a direct query this worker now owes an answer to; returns the one it displaced, if any. */
  owes(queryId: string, to: ActorAddress): { queryId: string; to: ActorAddress } | undefined {
    let displaced: { queryId: string; to: ActorAddress } | undefined;
    if (this.#queries.size >= MAX_OPEN_QUERIES) {
      for (const [oldest, address] of this.#queries) {
        displaced = { queryId: oldest, to: address };
        break;
      }
      if (displaced !== undefined) this.#queries.delete(displaced.queryId);
    }
    this.#queries.set(queryId, to);
    return displaced;
  }

  answered(queryId: string): void {
    this.#queries.delete(queryId);
  }

  get openQueries(): ReadonlyMap<string, ActorAddress> {
    return this.#queries;
  }
}

const ready = (worker: RegisteredWorker): boolean => worker.session.ready();

/** Takes a frame now, and has no warm execution's task waiting: those come first, to the credit they share with the normal queue. */
const readyForNormal = (worker: RegisteredWorker): boolean =>
  worker.session.ready() && (worker.sticky === undefined || !worker.sticky.waiting);

interface Served {
  readonly key: QueueKey;
  /** In the matcher's list of queues to look at this tick. */
  dirty: boolean;
  /** A pull came back with nothing while backlog was announced: look again after a pause. */
  fruitless: boolean;
  /** A look is scheduled for when a rate limit or a pause is over. */
  later: Cancelable | undefined;
  /** A query found no worker here, or may have before there was one: tell the sources when one has credit. */
  queriesWait: boolean;
}

/** Most queues of a node that stands alone are noted once, and never again. */
interface Noted {
  /** Its credit has changed since the other nodes were last told of it. */
  noted: boolean;
}

export class NormalQueue extends PairingQueue<RegisteredWorker> implements Served, Noted {
  readonly key: QueueKey;
  noted = false;
  readonly workers = new Set<RegisteredWorker>();
  /** What its workers last said of all activities of the queue together, a second. */
  workersRate: number | undefined;
  /** Nodes that have workers of it: they share its limit. */
  nodes = 1;
  /** Tasks that came, in monotonic time, and that were given to workers, in wall time: what their marks have at hand. */
  readonly added: RateCounter;
  readonly dispatched: RateCounter;
  dirty = false;
  fruitless = false;
  later: Cancelable | undefined;
  queriesWait: boolean;

  constructor(key: QueueKey, now: { wall: number; monotonic: number }) {
    super(key.kind === 'workflow' ? readyForNormal : ready);
    this.key = key;
    this.added = new RateCounter(now.monotonic);
    this.dispatched = new RateCounter(now.wall);
    this.queriesWait = key.kind === 'workflow';
  }
}

export class WorkersOwnQueue extends StickyQueue<RegisteredWorker> implements Served {
  readonly key: QueueKey;
  dirty = false;
  fruitless = false;
  later: Cancelable | undefined;
  queriesWait = true;

  constructor(key: QueueKey) {
    super(ready);
    this.key = key;
  }
}

export type ServedQueue = NormalQueue | WorkersOwnQueue;
