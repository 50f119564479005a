// The shards of one node: the door's Engine and matching's BacklogSource over a Store (DESIGN §2, §5). Wires the parts, admits or refuses
// messages (I9), applies committed entries, recovers at open, drains at close. Built by the composition root; knows no socket.

import { DEFAULT_LIMITS, type Limits } from '../core/workflow/limits.ts';
import type { Message } from '../core/workflow/message.ts';
import type { Reply } from '../core/workflow/outcome.ts';
import type { Cancelable, Clock } from '../ports/clock.ts';
import type { ActorAddress, Done, Engine, HistoryQuery, Waiting } from '../ports/engine.ts';
import { lsn, shardId, type Term } from '../ports/ids.ts';
import type { BacklogSource, Claim, QueueKey, ResumingWorker } from '../ports/matching.ts';
import { StoreError } from '../ports/store.ts';
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
import type { Status } from '../wire/status.ts';
import { Actors } from './actors.ts';
import { Backlog } from './backlog.ts';
import { Committer } from './committer.ts';
import { type ActorCore, workflowCore } from './core.ts';
import { Outgoing } from './delivery.ts';
import { Executor } from './executor.ts';
import { Flusher } from './flusher.ts';
import { Gate } from './gate.ts';
import { Inbound } from './inbound.ts';
import { shardOf } from './keys.ts';
import { DEFAULT_SHARD_LIMITS, type ShardLimits } from './limits.ts';
import { Materializer } from './materializer.ts';
import type { EngineHealth, EngineLog, EngineOptions, EngineStats } from './options.ts';
import { Outbox } from './outbox.ts';
import { Overlay } from './overlay.ts';
import { Queries } from './queries.ts';
import { Reader } from './reader.ts';
import { Reads } from './reads.ts';
import { Resume } from './resume.ts';
import { Retention } from './retention.ts';
import { Search } from './search.ts';
import { Shard } from './shard.ts';
import { messageOf, unavailable } from './status.ts';
import { SteadyClock } from './steady-clock.ts';
import { Timers } from './timers.ts';
import { Waiters } from './waiters.ts';

export type { EngineHealth, EngineLog, EngineOptions, EngineStats };

const QUIET: EngineLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
const SWEEP_MS = 1_000;

export class ShardEngine implements Engine, BacklogSource {
  readonly #options: EngineOptions;
  readonly #log: EngineLog;
  readonly #bounds: ShardLimits;
  readonly #limits: Limits;
  readonly #clock: Clock;
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
  readonly #resume: Resume;
  readonly #retention: Retention;
  readonly #outbox: Outbox;
  readonly #search: Search;
  readonly #inbound: Inbound;
  readonly #materializer: Materializer;
  readonly #gate: Gate;
  #executor: Executor | undefined;
  #term: Term | undefined;
  #sweeper: Cancelable | undefined;
  #spaceCheck: Cancelable | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#log = options.log ?? QUIET;
    this.#bounds = { ...DEFAULT_SHARD_LIMITS, ...options.bounds };
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#core = options.core ?? workflowCore;
    const { store, scheduler, matching } = options;
    this.#clock = new SteadyClock(options.clock);
    const clock = this.#clock;
    const core = this.#core;
    const onReadFailed = (error: unknown): void => this.#readFailed(error);
    const onFailed = (error: unknown): void => this.#fail(error);
    const executor = (): Executor => this.#running();
    this.#gate = new Gate(this.#bounds, () => ({
      turns: this.#committer.pendingTurns + this.#actors.waiting,
      bytes: this.#committer.pendingBytes,
      overlayBytes: this.#overlay.bytes,
    }));
    this.#reader = new Reader(this.#overlay, store);
    const reader = this.#reader;
    this.#actors = new Actors({
      core,
      reader,
      clock,
      scheduler,
      matching,
      limits: this.#bounds,
      isFair: (queue) => this.#backlog.isFair(queue),
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
      refusal: () => this.#gate.closed(),
      onReadFailed,
    });
    this.#resume = new Resume({ core, reader, actors, outgoing: this.#outgoing, executor, onReadFailed });
    this.#retention = new Retention({ reader, actors, executor, onReadFailed });
    this.#search = new Search({ reader, ...this.#bounds });
    this.#committer = new Committer({
      store,
      scheduler,
      apply: (shard, entry) => this.#materializer.commit(shard, entry),
      applied: () => this.#backlog.announce(),
      onFenced: (shard) => this.#fenced(shard),
      onFailed,
    });
    this.#backlog = new Backlog({
      reader,
      scheduler,
      window: this.#bounds.backlogWindow,
      start: (task, claim, settled) => this.#inbound.start(task, claim, settled),
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
      reaches: (shard, time) => this.#shards.get(shard)?.reaches(time) ?? time,
      latest: (now) => [...this.#shards.values()].reduce((latest, shard) => Math.max(latest, shard.now(now)), now),
      fire: (timer, again) => this.#inbound.fire(timer, again),
      onReadFailed,
    });
    this.#outbox = new Outbox({
      reader,
      scheduler,
      shardCount: store.shardCount,
      window: this.#bounds.outboxWindow,
      retryMs: this.#bounds.outboxRetryMs,
      shard: (id) => this.#shard(id),
      deliver: (item, done) => this.#inbound.receive(item, done),
      remove: (shard, row) => this.#inbound.deleteRow(shard, row),
      onReadFailed,
    });
    this.#inbound = new Inbound({
      core,
      clock,
      actors,
      committer: this.#committer,
      reads: this.#reads,
      retention: this.#retention,
      executor,
      isServing: () => this.#gate.isServing,
      onReadFailed,
    });
    this.#materializer = new Materializer({
      store,
      reader,
      overlay: this.#overlay,
      backlog: this.#backlog,
      timers: this.#timers,
      outbox: this.#outbox,
    });
    this.#flusher = new Flusher({
      store,
      scheduler,
      overlay: this.#overlay,
      intervalMs: this.#bounds.flushIntervalMs,
      shards: () => this.#shards.values(),
      derived: (shard) => this.#backlog.counters(shard.id),
      hints: () => [...this.#backlog.hints(), ...this.#timers.lowWater()],
      onFailed,
    });
  }

  get health(): EngineHealth {
    return this.#gate.health;
  }

  // ---------------------------------------------------------------- life

  /** Recovers what the store holds and begins to serve. Rejects when it cannot; the store stays the caller's to close. */
  async open(): Promise<void> {
    const { store, random, matching } = this.#options;
    const clock = this.#clock;
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
      pass: (queue, offer, how) => this.#backlog.pass(queue, offer, how),
      pushAhead: (actor, handover) => this.#outgoing.pushAhead(actor, handover),
      leave: (turn) => this.#outgoing.leave(turn),
      send: (turn, effect) => this.#outbox.send(turn, effect),
      log: this.#log,
    });
    const entries = await this.#materializer.recover([...this.#shards.values()]);
    if (this.#gate.health.state !== 'starting') throw new Error('the engine was closed while it recovered');
    this.#gate.health = { state: 'serving' };
    this.#flusher.start();
    this.#timers.start();
    this.#outbox.start();
    this.#sweep();
    this.#checkSpace();
    this.#backlog.announce();
    this.#log.info({ shards: this.#shards.size, term: this.#term, replayed: entries }, 'shards serve');
  }

  /** Stops taking messages, makes everything decided durable and flushed, and lets long polls go. The store stays open. */
  async close(): Promise<void> {
    if (this.#gate.health.state === 'closed') return;
    // A recovery half done must not be flushed: the log would be trimmed of what was not replayed.
    const unsound = ['failed', 'starting'].includes(this.#gate.health.state);
    if (!unsound) this.#gate.health = { state: 'draining' };
    this.#timers.stop();
    this.#sweeper?.cancel();
    this.#spaceCheck?.cancel();
    this.#waiters.wakeAll();
    if (!unsound) await this.#committer.drained();
    this.#flusher.stop();
    if (!unsound) await this.#flusher.flushAll();
    this.#gate.health = { state: 'closed' };
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
      refused: this.#gate.refused,
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
    const refusal = this.#gate.admit(message);
    if (refusal !== undefined) {
      done(refusal, undefined);
      return;
    }
    this.#actors.with(to.namespace, to.workflowId, {
      run: (actor) => this.#inbound.speak(actor, message, done),
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
    const refusal = this.#gate.closed();
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
    const refusal = this.#gate.closed();
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
    if (this.#gate.health.state === 'serving') this.#backlog.pull(queue, claims);
    else for (const claim of claims) claim.release();
  }

  pullQueries(queue: QueueKey, claim: () => Claim | undefined): void {
    this.#queries.pull(queue, claim);
  }

  resume(worker: ResumingWorker): void {
    if (this.#gate.health.state === 'serving') this.#resume.begin(worker);
  }

  // ---------------------------------------------------------------- inside

  #running(): Executor {
    if (this.#executor === undefined) throw new Error('the engine is used before open()');
    return this.#executor;
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

  #searched<T>(done: Done<T>, search: () => Promise<{ ok: T } | { refused: Status }>): void {
    const refusal = this.#gate.closed();
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
        if (low !== this.#gate.lowOnSpace)
          this.#log.warn(
            { freeBytes },
            low ? 'disk space is low: starts and signals are refused' : 'disk space is sufficient again',
          );
        this.#gate.lowOnSpace = low;
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
    if (this.#gate.health.state === 'failed' || this.#gate.health.state === 'closed') return;
    this.#gate.health = { state: 'failed', error: messageOf(error) };
    this.#timers.stop();
    this.#flusher.stop();
    this.#log.error({ error: messageOf(error) }, 'the store failed: this node stops serving');
    this.#waiters.wakeAll();
    this.#options.onFatal?.(error);
  }
}
