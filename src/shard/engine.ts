// The shards of one node: the door's Engine and matching's BacklogSource over a Store (DESIGN §2, §5). Wires the parts, admits or refuses
// messages (I9), applies committed entries, recovers at open, drains at close. Built by the composition root; knows no socket.

import { DEFAULT_LIMITS, type Limits } from '../core/workflow/limits.ts';
import type { Message } from '../core/workflow/message.ts';
import type { Reply } from '../core/workflow/outcome.ts';
import type { Cancelable, Clock, Random, Scheduler } from '../ports/clock.ts';
import type { ActorAddress, Done, Engine, HistoryQuery, Waiting } from '../ports/engine.ts';
import { type Key, lsn, shardId, type Term } from '../ports/ids.ts';
import type { BacklogSource, Claim, Matching, QueueKey, TaskKind } from '../ports/matching.ts';
import { type Store, StoreError } from '../ports/store.ts';
import type {
  AwaitWorkflowResultResponse,
  CountWorkflowExecutionsResponse,
  DescribeWorkflowExecutionResponse,
  EventBatches,
  GetWorkflowExecutionHistoryResponse,
  ListWorkflowExecutionsResponse,
  QueryResult,
  QueryWorkflowResponse,
} from '../wire/api.ts';
import { decode } from '../wire/codec.ts';
import type { Status } from '../wire/status.ts';
import { Actor } from './actor.ts';
import { Actors } from './actors.ts';
import { Backlog, type WaitingTask } from './backlog.ts';
import { Committer } from './committer.ts';
import { type ActorCore, workflowCore } from './core.ts';
import { Outgoing } from './delivery.ts';
import { decodeEntry, type Entry } from './entry.ts';
import { Executor } from './executor.ts';
import { Flusher } from './flusher.ts';
import { after, shardMetaKey, shardOf, startedPrefix, TIMER_LOW_WATER } from './keys.ts';
import { DEFAULT_SHARD_LIMITS, type ShardLimits } from './limits.ts';
import { applied, Outbox, type OutboxMessage } from './outbox.ts';
import { Overlay } from './overlay.ts';
import { Queries } from './queries.ts';
import { Reader } from './reader.ts';
import { Reads } from './reads.ts';
import { Retention } from './retention.ts';
import { Search } from './search.ts';
import { Shard } from './shard.ts';
import { exhausted, messageOf, unavailable } from './status.ts';
import { type DueTimer, Timers } from './timers.ts';
import { Turn } from './turn.ts';
import { Waiters } from './waiters.ts';

export interface EngineOptions {
  store: Store;
  clock: Clock;
  scheduler: Scheduler;
  random: Random;
  matching: Matching;
  /** Name → retention of closed executions, ms. Looked at for every message: may be changed in place. */
  namespaces: ReadonlyMap<string, number>;
  limits?: Partial<Limits>;
  bounds?: Partial<ShardLimits>;
  log?: EngineLog;
  /** The engine has stopped serving for good: a write error, or a broken invariant. */
  onFatal?(error: unknown): void;
  /** Tests of the shards drive a small fake. */
  core?: ActorCore;
}

export interface EngineLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export type EngineHealth =
  | { state: 'starting' | 'serving' | 'draining' | 'closed' }
  | { state: 'failed'; error: string };

/** Counters since open (they only grow) and gauges. */
export interface EngineStats {
  turns: number;
  commits: number;
  flushes: number;
  flushedRows: number;
  activations: number;
  passivations: number;
  timersFired: number;
  tasksDelivered: number;
  startsUndone: number;
  runsDeleted: number;
  refused: number;
  shards: number;
  actors: number;
  actorBytes: number;
  overlayRows: number;
  overlayBytes: number;
  pendingTurns: number;
  pendingBytes: number;
  waitingTasks: number;
  timersInMemory: number;
  longPolls: number;
  openQueries: number;
  outbox: number;
}

const QUIET: EngineLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
const SWEEP_MS = 1_000;
const RESUME_ROWS = 10_000;

export class ShardEngine implements Engine, BacklogSource {
  readonly #options: EngineOptions;
  readonly #log: EngineLog;
  readonly #bounds: ShardLimits;
  readonly #limits: Limits;
  readonly #core: ActorCore;
  readonly #shards = new Map<number, Shard>();
  readonly #overlay = new Overlay();
  readonly #reader: Reader;
  readonly #actors: Actors;
  readonly #committer: Committer;
  readonly #flusher: Flusher;
  readonly #backlog: Backlog;
  readonly #timers: Timers;
  readonly #waiters: Waiters;
  readonly #queries: Queries;
  readonly #outgoing: Outgoing;
  readonly #reads: Reads;
  readonly #retention: Retention;
  readonly #outbox: Outbox;
  readonly #search: Search;
  #executor: Executor | undefined;
  #term: Term | undefined;
  #health: EngineHealth = { state: 'starting' };
  #lowOnSpace = false;
  #sweeper: Cancelable | undefined;
  #spaceCheck: Cancelable | undefined;
  #refused = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#log = options.log ?? QUIET;
    this.#bounds = { ...DEFAULT_SHARD_LIMITS, ...options.bounds };
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#core = options.core ?? workflowCore;
    const { store, clock, scheduler, matching } = options;
    const core = this.#core;
    const onReadFailed = (error: unknown): void => this.#readFailed(error);
    const onFailed = (error: unknown): void => this.#fail(error);
    const executor = (): Executor => this.#running();
    this.#reader = new Reader(this.#overlay, store);
    const reader = this.#reader;
    this.#actors = new Actors({
      core,
      reader,
      clock,
      scheduler,
      matching,
      limits: this.#bounds,
      shardOf: (namespace, workflowId) => this.#shard(shardOf(namespace, workflowId, store.shardCount)),
      onReadFailed,
    });
    const actors = this.#actors;
    this.#waiters = new Waiters(this.#bounds);
    this.#queries = new Queries({
      matching,
      limit: this.#bounds.waitingQueries,
      deliver: (to, query, claim) => this.#outgoing.deliverQuery(to, query, claim),
    });
    this.#outgoing = new Outgoing({
      core,
      matching,
      reader,
      actors,
      waiters: this.#waiters,
      queries: this.#queries,
      executor,
      onReadFailed,
    });
    this.#reads = new Reads({
      core,
      actors,
      reader,
      waiters: this.#waiters,
      refusal: () => this.#notServing(),
      onReadFailed,
    });
    this.#retention = new Retention({ reader, actors, executor, onReadFailed });
    this.#search = new Search({ reader, scannedPerPage: this.#bounds.scannedPerPage });
    this.#committer = new Committer({
      store,
      scheduler,
      apply: (shard, entry) => this.#apply(shard, entry),
      applied: () => this.#backlog.announce(),
      onFenced: (shard) => this.#fenced(shard),
      onFailed,
    });
    this.#backlog = new Backlog({
      reader,
      scheduler,
      window: this.#bounds.backlogWindow,
      start: (task, claim, settled) => this.#startWaiting(task, claim, settled),
      changed: (queue) => matching.backlogChanged(this, queue),
      onReadFailed,
    });
    this.#timers = new Timers({
      reader,
      clock,
      scheduler,
      window: this.#bounds.timerWindow,
      horizonMs: this.#bounds.timerHorizonMs,
      firing: this.#bounds.firing,
      fire: (timer, again) => this.#fire(timer, again),
      onReadFailed,
    });
    this.#outbox = new Outbox({
      reader,
      scheduler,
      shardCount: store.shardCount,
      window: this.#bounds.outboxWindow,
      retryMs: this.#bounds.outboxRetryMs,
      shard: (id) => this.#shard(id),
      deliver: (item, done) => this.#receive(item, done),
      remove: (shard, row) => this.#writeAlone(shard, row),
      onReadFailed,
    });
    this.#flusher = new Flusher({
      store,
      scheduler,
      overlay: this.#overlay,
      intervalMs: this.#bounds.flushIntervalMs,
      shards: () => this.#shards.values(),
      derived: (shard) => this.#backlog.counters(shard.id),
      hints: () => [...this.#backlog.lowWaters(), ...this.#timers.lowWater()],
      onFailed,
    });
  }

  get health(): EngineHealth {
    return this.#health;
  }

  // ---------------------------------------------------------------- life

  /** Recovers what the store holds and begins to serve. Rejects when it cannot; the store stays the caller's to close. */
  async open(): Promise<void> {
    const { store, clock, random, matching } = this.#options;
    const positions = await store.open();
    this.#term = await store.nextTerm();
    for (const [id, position] of positions) this.#shards.set(id, new Shard(id, this.#term, position));
    this.#executor = new Executor({
      core: this.#core,
      clock,
      random,
      matching,
      limits: this.#limits,
      actors: this.#actors,
      committer: this.#committer,
      term: this.#term,
      retentionMs: (namespace) => this.#options.namespaces.get(namespace) ?? Number.MAX_SAFE_INTEGER,
      pushAhead: (actor, handover) => this.#outgoing.pushAhead(actor, handover),
      leave: (turn) => this.#outgoing.leave(turn),
      send: (turn, effect) => this.#outbox.send(turn, effect),
    });
    await this.#recover();
    this.#health = { state: 'serving' };
    this.#flusher.start();
    this.#timers.start();
    this.#outbox.start();
    this.#sweep();
    this.#checkSpace();
    this.#backlog.announce();
    this.#log.info({ shards: this.#shards.size, term: this.#term }, 'shards serve');
  }

  /** Stops taking messages, makes everything decided durable and flushed, and lets long polls go. The store stays open. */
  async close(): Promise<void> {
    if (this.#health.state === 'closed') return;
    const failed = this.#health.state === 'failed';
    if (!failed) this.#health = { state: 'draining' };
    this.#timers.stop();
    this.#sweeper?.cancel();
    this.#spaceCheck?.cancel();
    this.#waiters.wakeAll();
    if (!failed) {
      await this.#committer.drained();
      this.#flusher.stop();
      await this.#flusher.flushAll();
    } else this.#flusher.stop();
    this.#health = { state: 'closed' };
  }

  getStats(): EngineStats {
    return {
      turns: this.#committer.turns,
      commits: this.#committer.commits,
      flushes: this.#flusher.flushes,
      flushedRows: this.#flusher.rows,
      activations: this.#actors.activations,
      passivations: this.#actors.passivations,
      timersFired: this.#timers.fired,
      tasksDelivered: this.#outgoing.delivered,
      startsUndone: this.#outgoing.undone,
      runsDeleted: this.#retention.deleted,
      refused: this.#refused,
      shards: this.#shards.size,
      actors: this.#actors.size,
      actorBytes: this.#actors.bytes,
      overlayRows: this.#overlay.size,
      overlayBytes: this.#overlay.bytes,
      pendingTurns: this.#committer.pendingTurns,
      pendingBytes: this.#committer.pendingBytes,
      waitingTasks: this.#backlog.waiting,
      timersInMemory: this.#timers.size,
      longPolls: this.#waiters.size,
      openQueries: this.#queries.size,
      outbox: this.#outbox.size,
    };
  }

  /** Every actor that can leaves memory now: tests compare what comes back. */
  passivateAll(): void {
    this.#actors.passivateAll();
  }

  /** Writes all committed rows now. */
  flush(): Promise<void> {
    return this.#flusher.flushAll();
  }

  // ---------------------------------------------------------------- Engine (doors)

  submit(to: ActorAddress, message: Message, done: Done<Reply>): void {
    const refusal = this.#notServing() ?? this.#admit(message);
    if (refusal !== undefined) {
      this.#refused += 1;
      done(refusal, undefined);
      return;
    }
    this.#actors.with(to.namespace, to.workflowId, {
      run: (actor) => this.#speak(actor, message, done),
      refuse: (why) => done(why, undefined),
    });
  }

  query(to: ActorAddress, message: Extract<Message, { type: 'query' }>, done: Done<QueryWorkflowResponse>): Waiting {
    const { queryId } = message;
    const refusal = this.#queries.open(queryId, done);
    if (refusal !== undefined) {
      done(refusal, undefined);
      return { abandon: () => undefined };
    }
    this.submit(to, message, (error) => {
      if (error !== undefined) this.#queries.answer(queryId, error, undefined);
    });
    return {
      abandon: () => {
        if (!this.#queries.abandon(queryId)) return;
        this.submit(to, { type: 'queryAbandoned', queryId }, () => undefined);
      },
    };
  }

  answerQuery(to: ActorAddress, queryId: string, result: QueryResult, done: Done<undefined>): void {
    this.submit(to, { type: 'queryAnswered', queryId, result }, (error) => done(error, undefined));
  }

  describe(to: ActorAddress, runId: string | undefined, done: Done<DescribeWorkflowExecutionResponse>): void {
    const refusal = this.#notServing();
    if (refusal !== undefined) done(refusal, undefined);
    else this.#reads.describe(to, runId, done);
  }

  history(to: ActorAddress, query: HistoryQuery, done: Done<GetWorkflowExecutionHistoryResponse>): Waiting {
    return this.#reads.history(to, query, done);
  }

  taskHistory(
    to: ActorAddress,
    task: { runId: string; scheduledEventId: number; fromEventId: number; maximumBytes: number },
    done: Done<{ events: EventBatches; firstEventId: number; nextEventId: number | undefined }>,
  ): void {
    const refusal = this.#notServing();
    if (refusal !== undefined) done(refusal, undefined);
    else this.#reads.taskHistory(to, task, done);
  }

  awaitResult(
    to: ActorAddress,
    runId: string | undefined,
    followRuns: boolean,
    done: Done<AwaitWorkflowResultResponse>,
  ): Waiting {
    return this.#reads.awaitResult(to, runId, followRuns, done);
  }

  list(
    request: { namespace: string; query: string; pageSize: number; nextPageToken: Uint8Array | undefined },
    done: Done<ListWorkflowExecutionsResponse>,
  ): void {
    this.#searched(done, () => this.#search.list(request));
  }

  count(request: { namespace: string; query: string }, done: Done<CountWorkflowExecutionsResponse>): void {
    this.#searched(done, () => this.#search.count(request));
  }

  // ---------------------------------------------------------------- BacklogSource (matching)

  backlog(queue: QueueKey): { count: number; oldest: number | undefined } {
    return this.#backlog.backlog(queue);
  }

  pull(queue: QueueKey, claims: Claim[]): void {
    if (this.#health.state === 'serving') this.#backlog.pull(queue, claims);
    else for (const claim of claims) claim.release();
  }

  pullQueries(queue: QueueKey, claim: () => Claim | undefined): void {
    this.#queries.pull(queue, claim);
  }

  resume(session: string, held: ReadonlySet<string>, claim: (kind: TaskKind) => Claim): void {
    if (this.#health.state !== 'serving') return;
    const prefix = startedPrefix(session);
    this.#reader.range(prefix as Key, after(prefix), RESUME_ROWS).then(
      (rows) => {
        for (const [, bytes] of rows) {
          // Written by Turn.started alone and checksummed by the store.
          const [namespace, workflowId, runId, scheduledEventId, kind] = decode(bytes) as [
            string,
            string,
            string,
            number,
            TaskKind,
          ];
          this.#actors.with(namespace, workflowId, {
            run: (actor) => {
              const task = { kind, runId, scheduledEventId };
              const again = (): void => this.#outgoing.resume(actor, task, held, claim);
              if (actor.pending === undefined) again();
              else actor.pending.wait({ durable: again, failed: () => undefined });
            },
            refuse: () => undefined,
          });
        }
      },
      (error: unknown) => this.#readFailed(error),
    );
  }

  // ---------------------------------------------------------------- turns

  #running(): Executor {
    if (this.#executor === undefined) throw new Error('the engine is used before open()');
    return this.#executor;
  }

  /** Queries and cancels may name an earlier, closed run: its rows are read first. */
  #speak(actor: Actor, message: Message, done: Done<Reply>): void {
    const runId = message.type === 'query' || message.type === 'requestCancel' ? message.target.runId : undefined;
    const current = this.#core.currentRunId(actor.state);
    if (!runId || current === undefined || runId === current) {
      this.#running().run(actor, message, done);
      return;
    }
    const { namespace, workflowId } = actor;
    this.#reads.rowsOf(actor, runId).then(
      (rows) =>
        this.#actors.with(namespace, workflowId, {
          run: (live) => {
            if (rows.length > 0) this.#core.adopt(live.state, runId, rows);
            this.#running().run(live, message, done);
          },
          refuse: (why) => done(why, undefined),
        }),
      (error: unknown) => {
        this.#readFailed(error);
        done(
          unavailable(`Run ${runId} of workflow ${workflowId} cannot be read: ${messageOf(error)}`, 'no'),
          undefined,
        );
      },
    );
  }

  #startWaiting(task: WaitingTask, claim: Claim, settled: (outcome: 'started' | 'gone' | 'later') => void): void {
    const { namespace, workflowId, runId, scheduledEventId, attempt, queue } = task;
    this.#actors.with(namespace, workflowId, {
      run: (actor) => {
        const executor = this.#running();
        const taker = executor.taker(claim);
        const message: Message =
          queue.kind === 'workflow'
            ? { type: 'startWorkflowTask', runId, scheduledEventId, attempt, taker, sticky: claim.sticky }
            : { type: 'startActivityTask', runId, scheduledEventId, attempt, taker };
        executor.run(
          actor,
          message,
          (error) => {
            if (error === undefined) settled('started');
            else settled(error.detail?.kind === 'Unavailable' ? 'later' : 'gone');
          },
          { claim },
        );
      },
      refuse: () => settled('later'),
    });
  }

  #fire(timer: DueTimer, again: () => void): void {
    if (this.#health.state !== 'serving') {
      again();
      return;
    }
    if (timer.retention !== undefined) {
      this.#retention.end(timer, again);
      return;
    }
    this.#actors.with(timer.namespace, timer.workflowId, {
      run: (actor) => {
        const { armed } = actor;
        if (armed !== undefined && (armed.key === undefined || armed.key === timer.key)) actor.armed = undefined;
        const now = actor.shard.now(this.#options.clock.now());
        const due = this.#core.nextDeadline(actor.state);
        const message = due !== undefined && due <= now ? ({ type: 'timer' } as const) : undefined;
        this.#running().run(actor, message, (error) => (applied(error) ? undefined : again()), {
          rows: [[timer.key, undefined]],
        });
      },
      refuse: again,
    });
  }

  #receive(item: OutboxMessage, done: (outcome: 'applied' | 'later') => void): void {
    const { namespace, workflowId, message, source, seq } = item;
    this.#actors.with(namespace, workflowId, {
      run: (actor) => {
        if (actor.shard.inbox(source).has(seq)) {
          // Applied before; it may go only once that is durable.
          done(actor.shard.committedReceived.get(source)?.has(seq) === true ? 'applied' : 'later');
          return;
        }
        const receipt = { source, seq };
        this.#running().run(actor, message, (error) => done(applied(error) ? 'applied' : 'later'), { receipt });
      },
      refuse: () => done('later'),
    });
  }

  /** An entry that belongs to no actor. */
  #writeAlone(shard: Shard, row: Key): void {
    const turn = new Turn(new Actor(shard, '', '', this.#core.empty('', '')));
    turn.write(row, undefined);
    turn.seal();
    this.#committer.join(turn);
  }

  #apply(shard: Shard, entry: Entry): void {
    shard.commit(entry.time);
    this.#materialize(shard, entry);
  }

  /** What an entry determines: the same at commit and at recovery. */
  #materialize(shard: Shard, entry: Entry): void {
    const { rewritten } = entry;
    for (const [key, value] of entry.rows) {
      this.#overlay.apply(
        shard.id,
        key,
        value,
        rewritten.length > 0 && rewritten.includes(key) ? 'rewritten' : undefined,
      );
      switch (key.charCodeAt(0)) {
        case 0x62: // b
          if (value === undefined) this.#backlog.delete(key);
          else this.#backlog.put(key, value);
          break;
        case 0x74: // t
          if (value === undefined) this.#timers.delete(key);
          else this.#timers.put(key, value);
          break;
        case 0x6f: // o
          if (value === undefined) this.#outbox.delete(key);
          else this.#outbox.put(shard, key, value);
          break;
      }
    }
    for (const { source, seq } of entry.receipts) shard.receipt(source, seq);
    for (const count of entry.counts) this.#backlog.count(shard.id, count);
  }

  // ---------------------------------------------------------------- recovery

  async #recover(): Promise<void> {
    const { store } = this.#options;
    const shards = [...this.#shards.values()];
    const metas = await store.readMany(shards.map(({ id }) => shardMetaKey(id)));
    shards.forEach((shard, i) => {
      const meta = metas[i];
      if (meta !== undefined) shard.restoreMeta(meta);
    });
    const counters = await this.#reader.range('n' as Key, 'o' as Key, 1_000_000);
    for (const [key, bytes] of counters) this.#backlog.restoreCount(key.charCodeAt(1) * 256 + key.charCodeAt(2), bytes);
    for (const { queue, key } of this.#backlog.lowWaterKeys()) {
      const bytes = await store.read(key);
      if (bytes !== undefined) this.#backlog.restoreLowWater(queue, bytes);
    }
    this.#timers.restoreLowWater(await store.read(TIMER_LOW_WATER));
    let entries = 0;
    for (const shard of shards) {
      if (shard.appliedLsn === shard.commitLsn) continue;
      for await (const { entry: bytes } of store.readLog(shard.id, lsn(shard.appliedLsn + 1))) {
        const entry = decodeEntry(bytes);
        shard.observe(entry.time);
        this.#materialize(shard, entry);
        entries += 1;
      }
    }
    if (entries > 0) this.#log.info({ entries }, 'replayed the log behind the last flush');
  }

  #shard(id: number): Shard {
    let shard = this.#shards.get(id);
    if (shard === undefined) {
      if (this.#term === undefined) throw new Error('the engine is used before open()');
      shard = new Shard(shardId(id), this.#term, { lastLsn: lsn(0), appliedLsn: lsn(0) });
      this.#shards.set(id, shard);
    }
    return shard;
  }

  // ---------------------------------------------------------------- refusals

  #notServing(): Status | undefined {
    switch (this.#health.state) {
      case 'serving':
        return undefined;
      case 'failed':
        return unavailable(
          `This node stopped serving: ${this.#health.error}. Restart it once the disk is sound.`,
          'no',
        );
      default:
        return unavailable(`This node is ${this.#health.state}: ask again in a moment, or another node.`, 'no');
    }
  }

  /** New work is refused first; completions, heartbeats, timers and undos keep room of their own (I9). */
  #admit(message: Message): Status | undefined {
    const load = Math.max(
      (this.#committer.pendingTurns + this.#actors.waiting) / this.#bounds.pendingTurns,
      this.#committer.pendingBytes / this.#bounds.pendingBytes,
      this.#overlay.bytes / this.#bounds.overlayBytes,
    );
    switch (message.type) {
      case 'start':
      case 'signal':
        if (this.#lowOnSpace) {
          const mib = Math.round(this.#bounds.freeSpaceReserve / 2 ** 20);
          return exhausted('DISK_SPACE', `Less than ${mib} MiB are free on the data disk: free space, then try again.`);
        }
        return load >= 0.5 ? overloaded(message.type) : undefined;
      case 'query':
      case 'requestCancel':
      case 'terminate':
        return load >= 0.75 ? overloaded(message.type) : undefined;
      default:
        return load >= 1 && message.type !== 'timer' ? overloaded(message.type) : undefined;
    }
  }

  #searched<T>(done: Done<T>, search: () => Promise<{ ok: T } | { refused: Status }>): void {
    const refusal = this.#notServing();
    if (refusal !== undefined) {
      done(refusal, undefined);
      return;
    }
    search().then(
      (answer) => ('ok' in answer ? done(undefined, answer.ok) : done(answer.refused, undefined)),
      (error: unknown) => {
        this.#readFailed(error);
        done(unavailable(`The visibility index cannot be read: ${messageOf(error)}`, 'no'), undefined);
      },
    );
  }

  // ---------------------------------------------------------------- housekeeping and failure

  #sweep(): void {
    this.#actors.sweep();
    this.#sweeper = this.#options.scheduler.after(SWEEP_MS, () => this.#sweep());
  }

  #checkSpace(): void {
    this.#options.store.stats().then(
      ({ freeBytes }) => {
        const low = freeBytes < this.#bounds.freeSpaceReserve;
        if (low !== this.#lowOnSpace)
          this.#log.warn(
            { freeBytes },
            low ? 'disk space is low: starts and signals are refused' : 'disk space is sufficient again',
          );
        this.#lowOnSpace = low;
      },
      (error: unknown) => this.#readFailed(error),
    );
    this.#spaceCheck = this.#options.scheduler.after(this.#bounds.freeSpaceCheckMs, () => this.#checkSpace());
  }

  #fenced(shard: Shard): void {
    this.#log.warn(
      { shard: shard.id, term: shard.term },
      'a newer leader was seen: this shard is not served here any more',
    );
    this.#actors.drop(shard, unavailable(`Shard ${shard.id} has a newer leader; ask again.`, 'no'));
    this.#shards.delete(shard.id);
    this.#fail(new StoreError('failed', `shard ${shard.id} was fenced while this node led it alone`));
  }

  /** A read went wrong: damage is the reader's own answer; an error of the handle stops the engine. */
  #readFailed(error: unknown): void {
    if (error instanceof StoreError && (error.kind === 'failed' || error.kind === 'closed')) this.#fail(error);
    else this.#log.error({ error: messageOf(error) }, 'a read failed');
  }

  #fail(error: unknown): void {
    if (this.#health.state === 'failed' || this.#health.state === 'closed') return;
    this.#health = { state: 'failed', error: messageOf(error) };
    this.#timers.stop();
    this.#flusher.stop();
    this.#log.error({ error: messageOf(error) }, 'the store failed: this node stops serving');
    this.#waiters.wakeAll();
    this.#options.onFatal?.(error);
  }
}

const overloaded = (type: string): Status =>
  exhausted(
    'OVERLOADED',
    `This node has as much undurable work as it may hold; the ${type} was not applied: try again later.`,
  );
