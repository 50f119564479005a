// Pairs worker credit with tasks (DESIGN §6). Shards offer tasks through `Matching`, doors bring workers through `WorkerRegistry`.
// Holds nothing durable: a task that finds no worker stays in its shard, and is pulled when credit appears. Keeps: one claim per
// credit, no new task ahead of its queue's backlog, sticky before normal; what a vanished worker claimed is never delivered.

import type { TaskOffer } from '../core/workflow/outcome.ts';
import type { Clock, Scheduler } from '../ports/clock.ts';
import type { ActorAddress } from '../ports/engine.ts';
import type {
  AnswerSeat,
  BacklogSource,
  Claim,
  Delivery,
  LocalQueue,
  Matching,
  MatchingPeers,
  QueueCredit,
  QueueKey,
  ResumingWorker,
  SeatRequest,
  TaskKind,
  WorkerRegistry,
  WorkerSession,
} from '../ports/matching.ts';
import type { ConfiguredTaskQueue, DescribeTaskQueueResponse, PollerInfo } from '../wire/task-queue.ts';
import { type ClaimOrigin, type ClaimOwner, WorkerClaim } from './claim.ts';
import { describeHere, merged, pollersOf } from './description.ts';
import { Pump } from './pump.ts';
import { Queues } from './queues.ts';
import { RateLimits } from './rate-limits.ts';
import { Seats } from './seats.ts';
import { type NormalQueue, RegisteredWorker, type ServedQueue, WorkersOwnQueue } from './serving.ts';

export interface MatcherOptions {
  clock: Clock;
  scheduler: Scheduler;
  /** The worker that was asked this query has vanished without an answer. */
  onQueryLost(to: ActorAddress, queryId: string): void;
  /** How long a sticky queue outlives its worker's connection, ms. Default 10,000. */
  stickyGraceMs?: number;
}

export class Matcher implements Matching, WorkerRegistry, ClaimOwner {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #onQueryLost: MatcherOptions['onQueryLost'];
  readonly #stickyGraceMs: number;
  readonly #sources = new Set<BacklogSource>();
  readonly #sessions = new Map<string, RegisteredWorker>();
  readonly #queues: Queues;
  readonly #limits = new RateLimits();
  readonly #seats = new Seats((key) => this.#isFree(key));
  readonly #pump: Pump;
  #peers: MatchingPeers | undefined;
  /** Tasks of other nodes. */
  #elsewhere: BacklogSource | undefined;

  constructor(options: MatcherOptions) {
    this.#clock = options.clock;
    this.#scheduler = options.scheduler;
    this.#onQueryLost = options.onQueryLost;
    this.#stickyGraceMs = options.stickyGraceMs ?? 10_000;
    this.#queues = new Queues({
      clock: this.#clock,
      normal: (queue) => {
        queue.nodes = this.#nodes;
        this.#apply(queue);
        this.#pump.refresh(queue);
      },
      own: (queue) => this.#pump.refresh(queue),
    });
    this.#pump = new Pump({
      clock: options.clock,
      scheduler: options.scheduler,
      sources: this.#sources,
      lend: (queue, now, source) => this.#lend(queue, now, source),
      claimQuery: (key) => this.#claimQueryOf(key),
    });
  }

  /** A node's shards: asked for backlog from now on. */
  attach(source: BacklogSource): void {
    this.#sources.add(source);
  }

  /** Other nodes: what changes here is told to `peers`, and `elsewhere` has what this node is to fetch from them. Once, before the first worker. */
  join(peers: MatchingPeers, elsewhere: BacklogSource): void {
    this.#peers = peers;
    this.#elsewhere = elsewhere;
    this.#sources.add(elsewhere);
  }

  /** A normal queue's credit, to tell other nodes of: the next change of it is noted again. */
  creditOf(key: QueueKey): QueueCredit {
    const { kind } = key;
    const queue = this.#queues.get(key);
    const all: QueueCredit = { workers: 0, credit: 0 };
    if (queue === undefined) return all;
    queue.noted = false;
    const now = this.#clock.monotonic();
    for (const worker of queue.workers) {
      all.workers += 1;
      const lane = worker.lane(kind);
      if (worker.session.ready() && lane.waitMs(now) <= 0) all.credit += Math.max(0, lane.available);
    }
    return queue.bucket === undefined || queue.bucket.waitMs(now) <= 0 ? all : { ...all, credit: 0 };
  }

  readonly isConnected = (session: string): boolean => this.#sessions.has(session);

  /** Queries wait elsewhere for a worker of this queue: ask for them once there is credit. */
  queriesWait({ namespace, name }: QueueKey): void {
    const queue = this.#queues.of('workflow').get(namespace, name);
    if (queue === undefined) return;
    queue.queriesWait = true;
    this.#pump.look(queue);
  }

  /** All configured queues, as they are from now on. */
  configure(queues: readonly ConfiguredTaskQueue[]): void {
    const changed = this.#limits.configure(queues);
    for (const key of changed) for (const queue of this.#queues.family(key)) this.#limit(queue);
  }

  /** So many nodes have workers of this queue, and share its rate limit. */
  shared(key: QueueKey, nodes: number): void {
    const queue = this.#queues.get(key);
    if (queue === undefined || queue.nodes === nodes) return;
    queue.nodes = Math.max(1, nodes);
    this.#limit(queue);
  }

  get workers(): number {
    return this.#sessions.size;
  }

  /** Credit not lent, over all workers: for metrics. */
  credit(kind: TaskKind): number {
    let sum = 0;
    for (const worker of this.#sessions.values()) sum += Math.max(0, worker.lane(kind).available);
    return sum;
  }

  // ---------------------------------------------------------------- Matching (shards)

  claim(offer: TaskOffer): Claim | undefined {
    return this.#seats.claim(offer) ?? this.#claim(offer, this.#clock.monotonic());
  }

  #claim(offer: TaskOffer, now: number): Claim | undefined {
    const sticky = offer.sticky;
    if (sticky !== undefined && this.#clock.now() < sticky.until) {
      const own = this.#queues.own(offer.namespace, sticky.queue);
      if (own?.alive(now)) return this.#lent(own.match(now), 'workflow', 'sticky', 'match');
    }
    const queue = this.#queues.of(offer.kind).get(offer.queueNamespace ?? offer.namespace, offer.taskQueue);
    if (queue === undefined) return undefined;
    queue.added.mark(now);
    const { fairnessKey } = offer;
    if (fairnessKey !== '' && !this.#limits.allows(queue.key, fairnessKey, now)) return undefined;
    const eager = this.#eager(offer.eagerFor, queue);
    const lane = (eager && queue.matchOne(eager.lane(offer.kind), now)) ?? queue.match(now);
    if (lane !== undefined && fairnessKey !== '') this.#limits.took(queue.key, fairnessKey, now);
    return this.#lent(lane, offer.kind, 'normal', 'match');
  }

  readonly weightOf: Matching['weightOf'] = (key, fairnessKey) => this.#limits.weightOf(key, fairnessKey);

  mayDispatch(key: QueueKey, fairnessKey: string): boolean {
    if (this.#limits.isEmpty) return true;
    this.#limits.nodes = this.#nodes;
    return this.#limits.take(key, fairnessKey, this.#clock.monotonic());
  }

  takesEager(session: string, key: QueueKey): boolean {
    if (this.#seats.takes(session, key)) return true;
    const queue = this.#queues.get(key);
    const worker = queue && this.#eager(session, queue);
    return worker !== undefined && queue?.takes(worker.lane(key.kind), this.#clock.monotonic()) === true;
  }

  claimQuery(namespace: string, taskQueue: string, stickyQueue: string | undefined): Claim | undefined {
    const now = this.#clock.monotonic();
    const own = stickyQueue === undefined ? undefined : this.#queues.own(namespace, stickyQueue);
    if (own !== undefined) {
      const claim = this.#lent(own.matchQuery(now), 'workflow', 'sticky', 'match');
      if (claim !== undefined) return claim;
      own.queriesWait = true;
    }
    const queue = this.#queues.of('workflow').get(namespace, taskQueue);
    const claim = this.#lent(queue?.matchQuery(now), 'workflow', 'normal', 'match');
    if (claim !== undefined) return claim;
    if (queue !== undefined) queue.queriesWait = true;
    this.#peers?.queryWaits({ namespace, name: taskQueue, kind: 'workflow' });
    return undefined;
  }

  stickyAlive(namespace: string, stickyQueue: string): boolean {
    return this.#queues.own(namespace, stickyQueue)?.alive(this.#clock.monotonic()) ?? false;
  }

  backlogChanged(source: BacklogSource, key: QueueKey): void {
    this.#sources.add(source);
    const queue = this.#queues.served(key);
    // A worker's own queue is matched where it is connected, or not at all.
    if (source !== this.#elsewhere && !(queue instanceof WorkersOwnQueue)) this.#peers?.backlogChanged(key);
    if (queue === undefined) return;
    this.#pump.refresh(queue);
  }

  cancelActivity(session: string, token: Uint8Array, reason: 'cancelRequested' | 'notFound' | 'timedOut'): void {
    const worker = this.#sessions.get(session);
    if (worker !== undefined) worker.session.pushCancel(token, reason);
    else this.#peers?.cancelActivity(session, token, reason);
  }

  // ---------------------------------------------------------------- WorkerRegistry (doors)

  register(session: WorkerSession): void {
    const before = this.#sessions.get(session.session);
    if (before !== undefined && before.session.connection.openedAt > session.connection.openedAt) return;
    if (before !== undefined) this.#remove(before);
    const monotonic = this.#clock.monotonic();
    const { namespace, stickyQueue } = session;
    const worker = new RegisteredWorker(
      session,
      {
        workflow: this.#queues.serveFor(session, 'workflow'),
        activity: this.#queues.serveFor(session, 'activity'),
        sticky: stickyQueue === undefined ? undefined : this.#queues.serveSticky(namespace, stickyQueue),
      },
      { wall: this.#clock.now(), monotonic },
    );
    this.#sessions.set(session.session, worker);
    for (const kind of ['workflow', 'activity'] as const) {
      worker.queue(kind).workers.add(worker);
    }
    worker.sticky?.attach(worker.workflow);
    if (session.maxTaskQueueActivitiesPerSecond !== undefined) {
      worker.activityQueue.workersRate = session.maxTaskQueueActivitiesPerSecond;
      this.#limit(worker.activityQueue);
    }
    // What it owns comes before what it might take.
    for (const source of this.#sources) {
      source.resume(this.#resuming(worker, session.heldTokens));
    }
    this.#granted(worker, 'workflow', session.workflowCredit);
    this.#granted(worker, 'activity', session.activityCredit);
  }

  unregister(session: string, connection: object): void {
    const worker = this.#on(session, connection);
    if (worker !== undefined) this.#remove(worker);
  }

  leave(session: string, connection: object): void {
    const worker = this.#on(session, connection);
    if (worker !== undefined) this.#close(worker, 0);
  }

  grant(session: string, kind: TaskKind, n: number, connection: object): void {
    const worker = this.#on(session, connection);
    if (worker === undefined) return;
    worker.lastAccessTime = this.#clock.now();
    if (worker.isLimitedAnew(this.#clock)) this.#pump.lookAgain(worker.activityQueue);
    this.#granted(worker, kind, n);
  }

  withdraw(session: string, kind: TaskKind, n: number, connection: object): number {
    const worker = this.#on(session, connection);
    if (worker === undefined) return 0;
    const taken = worker.lane(kind).withdraw(n);
    worker.queue(kind).update(worker.lane(kind));
    return taken;
  }

  resume(session: string, held: ReadonlySet<string>, connection: object): void {
    const worker = this.#on(session, connection);
    if (!worker?.workflow.open) return;
    // Of the shards here: it asks each node itself.
    for (const source of this.#sources) if (source !== this.#elsewhere) source.resume(this.#resuming(worker, held));
  }

  queryAnswered(session: string, queryId: string): void {
    this.#sessions.get(session)?.answered(queryId);
  }

  pollers(namespace: string, taskQueue: string): PollerInfo[] {
    return pollersOf(this.#queues, namespace, taskQueue);
  }

  openSeat(request: SeatRequest): AnswerSeat {
    return this.#seats.open(request);
  }

  /** Of the whole cluster. */
  async describe(namespace: string, taskQueue: string): Promise<DescribeTaskQueueResponse> {
    const others = this.#peers?.describe(namespace, taskQueue);
    const queues = [await this.describeHere(namespace, taskQueue), ...((await others)?.queues ?? [])];
    const silentNodes = (await others)?.silent ?? [];
    return { ...merged(queues, this.#clock.now()), ...(silentNodes.length > 0 && { silentNodes }) };
  }

  /** Of this node's workers, and of what waits in its shards. */
  describeHere(namespace: string, taskQueue: string): Promise<LocalQueue> {
    const sources = [...this.#sources].filter((source) => source !== this.#elsewhere);
    const { clock, queues, limits } = { clock: this.#clock, queues: this.#queues, limits: this.#limits };
    return describeHere({ clock, queues, limits, sources }, namespace, taskQueue);
  }

  // ---------------------------------------------------------------- ClaimOwner (claims)

  deliver(claim: WorkerClaim, task: Delivery): boolean {
    const { worker, kind } = claim;
    const lane = worker.lane(kind);
    this.#settle(claim);
    if (!lane.open || !worker.session.push(task)) {
      lane.released();
      this.#returned(claim);
      return false;
    }
    lane.delivered();
    const now = this.#clock.now();
    worker.lastAccessTime = now;
    if (task.kind !== 'query') {
      if (!claim.sticky) worker.queue(kind).dispatched.mark(now);
    } else {
      const displaced = worker.owes(task.queryId, { namespace: task.namespace, workflowId: task.workflowId });
      if (displaced !== undefined) this.#onQueryLost(displaced.to, displaced.queryId);
    }
    return true;
  }

  /** It may have registered again since: the notice goes where the session is now. */
  durable({ worker }: WorkerClaim, token: Uint8Array): void {
    this.#sessions.get(worker.session.session)?.session.pushDurable(token);
  }

  over({ worker }: WorkerClaim, token: Uint8Array): void {
    this.#sessions.get(worker.session.session)?.session.pushOver([token]);
  }

  release(claim: WorkerClaim): void {
    this.#settle(claim);
    claim.worker.lane(claim.kind).released();
    if (claim.origin === 'pull') {
      const queue = claim.sticky ? claim.worker.sticky : claim.worker.queue(claim.kind);
      if (queue !== undefined) queue.fruitless = true;
    }
    this.#returned(claim);
  }

  // ---------------------------------------------------------------- inside

  /** The worker, if this connection is where it registered last. */
  #on(session: string, connection: object): RegisteredWorker | undefined {
    const worker = this.#sessions.get(session);
    return worker?.session.connection === connection ? worker : undefined;
  }

  /** The worker that asked for a task of this queue for itself, if it listens there, on this node. */
  #eager(session: string | undefined, queue: NormalQueue): RegisteredWorker | undefined {
    const worker = session === undefined ? undefined : this.#sessions.get(session);
    return worker?.queue(queue.key.kind) === queue ? worker : undefined;
  }

  /** Nothing waits in this activity queue, on this node, and no rate is set. */
  #isFree(key: QueueKey): boolean {
    if (this.#queues.get(key)?.bucket !== undefined || this.#limits.isLimited(key)) return false;
    return ![...this.#sources].some((source) => source.backlog(key).count > 0);
  }

  /** Of the cluster, as far as is known. */
  get #nodes(): number {
    return this.#peers?.nodes() ?? 1;
  }

  #apply(queue: NormalQueue): void {
    this.#limits.nodes = this.#nodes;
    this.#limits.apply(queue, this.#clock.monotonic());
  }

  /** Another rate limit may let more through. */
  #limit(queue: NormalQueue): void {
    this.#apply(queue);
    this.#pump.lookAgain(queue);
    this.#note(queue);
  }

  #lent(
    lane: { worker: RegisteredWorker } | undefined,
    kind: TaskKind,
    from: 'sticky' | 'normal',
    origin: ClaimOrigin,
  ): WorkerClaim | undefined {
    if (lane === undefined) return undefined;
    // A sticky claim changed the lane behind its normal queue's back.
    if (from === 'sticky') lane.worker.workflowQueue.update(lane.worker.workflow);
    this.#note(lane.worker.queue(kind));
    return new WorkerClaim(this, lane.worker, kind, from === 'sticky', origin);
  }

  #lend(queue: ServedQueue, now: number, source: BacklogSource): WorkerClaim | undefined {
    if (queue instanceof WorkersOwnQueue) return this.#lent(queue.lend(now), 'workflow', 'sticky', 'pull');
    if (source !== this.#elsewhere) return this.#lent(queue.lend(now), queue.key.kind, 'normal', 'pull');
    return this.#lent(queue.lendAway(now), queue.key.kind, 'normal', 'fetch');
  }

  #note(queue: NormalQueue): void {
    if (queue.noted) return;
    queue.noted = true;
    this.#peers?.creditChanged(queue.key);
  }

  #claimQueryOf(key: QueueKey): Claim | undefined {
    const own = this.#queues.own(key.namespace, key.name);
    return own === undefined
      ? this.claimQuery(key.namespace, key.name, undefined)
      : this.claimQuery(key.namespace, key.name, key.name);
  }

  #resuming(worker: RegisteredWorker, held: ReadonlySet<string>): ResumingWorker {
    const { session, ahead } = worker.session;
    const told = (): boolean => ahead && this.#sessions.get(session) === worker;
    return {
      session,
      held,
      claim: (kind) => this.#owed(worker, kind),
      durable: (token) => {
        if (told()) worker.session.pushDurable(token);
      },
      over: (tokens) => {
        if (told()) worker.session.pushOver(tokens);
      },
    };
  }

  /** For a task its session was started for: owed whatever its credit says, but only to the session's latest registration. */
  #owed(worker: RegisteredWorker, kind: TaskKind): WorkerClaim | undefined {
    if (this.#sessions.get(worker.session.session) !== worker) return undefined;
    worker.lane(kind).claim(this.#clock.monotonic());
    worker.queue(kind).update(worker.lane(kind));
    return new WorkerClaim(this, worker, kind, false, 'resume');
  }

  #granted(worker: RegisteredWorker, kind: TaskKind, n: number): void {
    const lane = worker.lane(kind);
    lane.grant(n);
    this.#changed(worker, kind);
  }

  /** Credit may have appeared: let whatever waits for it look. */
  #changed(worker: RegisteredWorker, kind: TaskKind): void {
    const queue = worker.queue(kind);
    queue.update(worker.lane(kind));
    this.#note(queue);
    const sticky = kind === 'workflow' ? worker.sticky : undefined;
    if (sticky !== undefined) this.#pump.look(sticky);
    this.#pump.look(queue);
  }

  #settle(claim: WorkerClaim): void {
    if (claim.origin !== 'pull') return;
    const queue = claim.sticky ? claim.worker.sticky : claim.worker.queue(claim.kind);
    if (queue === undefined) return;
    queue.settled();
    // No more is lent than waits, and what claims under way stand for waits no more: credit may have been held back for them.
    this.#pump.look(queue);
  }

  #returned(claim: WorkerClaim): void {
    const { worker, kind } = claim;
    if (kind === 'activity') worker.activityQueue.bucket?.giveBack();
    this.#changed(worker, kind);
  }

  /** It takes nothing more. */
  #close(worker: RegisteredWorker, stickyGraceMs: number): void {
    if (!worker.workflow.open) return;
    for (const kind of ['workflow', 'activity'] as const) {
      const lane = worker.lane(kind);
      lane.close();
      const queue = worker.queue(kind);
      queue.update(lane);
      this.#queues.leave(queue, worker);
      this.#note(queue);
    }
    const sticky = worker.sticky;
    if (sticky === undefined || sticky.lane !== worker.workflow) return;
    sticky.detach(this.#clock.monotonic(), stickyGraceMs);
    if (stickyGraceMs === 0) this.#queues.forgetSticky(sticky);
    else this.#scheduler.after(stickyGraceMs, () => this.#queues.forgetSticky(sticky));
  }

  #remove(worker: RegisteredWorker): void {
    this.#close(worker, this.#stickyGraceMs);
    this.#sessions.delete(worker.session.session);
    for (const [queryId, to] of worker.openQueries) this.#onQueryLost(to, queryId);
  }
}
