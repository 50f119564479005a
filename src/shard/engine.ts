// The shards of one node: the door's Engine and matching's BacklogSource over a Store (DESIGN §2, §5). Wires the parts, admits or refuses
// messages (I9), applies committed entries, recovers at open, drains at close. Built by the composition root; knows no socket.

import { DEFAULT_LIMITS, type Limits } from '../core/workflow/limits.ts';
import type { Cancelable, Clock } from '../ports/clock.ts';
import type { ActorAddress, Done, Engine, HistoryQuery, Waiting } from '../ports/engine.ts';
import type { Lsn, ShardId, Term } from '../ports/ids.ts';
import type { LedShards, ShardMessage, ShardMessageOutcome, SharedShards } from '../ports/led-shards.ts';
import { silentLog } from '../ports/log.ts';
import type { BacklogSource, Claim, PriorityBacklog, QueueKey, ResumingWorker } from '../ports/matching.ts';
import { StoreError } from '../ports/store.ts';
import type { DescribeWorkflowExecutionResponse } from '../wire/execution-info.ts';
import type {
  AwaitWorkflowResultResponse,
  EventBatches,
  GetWorkflowExecutionHistoryResponse,
} from '../wire/history.ts';
import type { QueryResult } from '../wire/workflow-task.ts';
import { Actors } from './actors.ts';
import { Backlog } from './backlog.ts';
import { Committer } from './committer.ts';
import { type ActorCore, workflowCore } from './core.ts';
import { Outgoing } from './delivery.ts';
import { Executor } from './executor.ts';
import { Finding } from './finding.ts';
import { Flusher } from './flusher.ts';
import { Gate } from './gate.ts';
import { Inbound } from './inbound.ts';
import { Intake } from './intake.ts';
import { shardOf } from './keys.ts';
import { Leadership } from './leadership.ts';
import { DEFAULT_SHARD_LIMITS, type ShardLimits } from './limits.ts';
import { Materializer } from './materializer.ts';
import type { EngineHealth, EngineLog, EngineOptions } from './options.ts';
import { Outbox } from './outbox.ts';
import { outlookOf } from './outlook.ts';
import { Overlay } from './overlay.ts';
import { Queries } from './queries.ts';
import { Reader } from './reader.ts';
import { Reads } from './reads.ts';
import type { Rerouter } from './rerouter.ts';
import { Resume } from './resume.ts';
import { Retention } from './retention.ts';
import { Settings } from './settings.ts';
import type { Shard } from './shard.ts';
import { Shards } from './shards.ts';
import { SpaceWatch } from './space-watch.ts';
import { type EngineStats, statsOf } from './stats.ts';
import { messageOf } from './status.ts';
import { SteadyClock } from './steady-clock.ts';
import { storeLog } from './store-log.ts';
import { Timers } from './timers.ts';
import { UpdateCallers } from './update-callers.ts';
import { Waiters } from './waiters.ts';

export type { EngineHealth, EngineLog, EngineOptions };

const SWEEP_MS = 1_000;

export class ShardEngine implements LedShards, SharedShards, BacklogSource {
  readonly #options: EngineOptions;
  readonly #log: EngineLog;
  readonly #bounds: ShardLimits;
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #core: ActorCore;
  readonly #shards = new Shards();
  readonly #overlay = new Overlay();
  readonly #reader: Reader;
  readonly #actors: Actors;
  readonly #committer: Committer;
  readonly #flusher: Flusher;
  readonly #backlog: Backlog;
  readonly #timers: Timers;
  readonly #waiters: Waiters;
  readonly #queries: Queries;
  readonly #updates: UpdateCallers;
  readonly #outgoing: Outgoing;
  readonly #reads: Reads;
  readonly #resume: Resume;
  readonly #retention: Retention;
  readonly #outbox: Outbox;
  readonly #finding: Finding;
  readonly #inbound: Inbound;
  readonly #intake: Intake;
  readonly #settings: Settings;
  readonly #materializer: Materializer;
  readonly #gate: Gate;
  readonly #space: SpaceWatch;
  #executor: Executor | undefined;
  readonly #leadership: Leadership;
  #sweeper: Cancelable | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#log = options.log ?? silentLog;
    this.#bounds = { ...DEFAULT_SHARD_LIMITS, ...options.bounds };
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#core = options.core ?? workflowCore;
    const { store, scheduler, matching } = options;
    this.#clock = new SteadyClock(options.clock);
    const clock = this.#clock;
    const core = this.#core;
    const onReadFailed = (error: unknown): void => this.#readFailed(error);
    const onFailed = (error: unknown): void => this.#fail(error);
    const shards = this.#shards;
    const executor = (): Executor => this.#running();
    this.#gate = new Gate(this.#bounds, () => ({
      turns: this.#committer.pendingTurns + this.#actors.waiting,
      bytes: this.#committer.pendingBytes + this.#intake.bytes,
      overlayBytes: this.#overlay.bytes,
    }));
    this.#space = new SpaceWatch({
      store,
      scheduler,
      gate: this.#gate,
      bounds: this.#bounds,
      log: this.#log,
      onReadFailed,
    });
    this.#reader = new Reader(this.#overlay, store);
    const reader = this.#reader;
    const shardNamed = (namespace: string, workflowId: string): Shard =>
      shards.get(shardOf(namespace, workflowId, store.shardCount));
    this.#actors = new Actors({
      core,
      reader,
      clock,
      scheduler,
      matching,
      limits: this.#bounds,
      isFair: (queue) => this.#backlog.isFair(queue),
      shardOf: shardNamed,
      onReadFailed,
    });
    const actors = this.#actors;
    const common = { core, reader, actors, executor, onReadFailed };
    const intake = { gate: this.#gate, actors, clock, scheduler, bounds: this.#bounds, shardOf: shardNamed };
    this.#intake = new Intake({ ...intake, inbound: () => this.#inbound });
    const refusal = () => this.#gate.closed();
    this.#waiters = new Waiters(this.#bounds);
    const { submit } = this;
    this.#queries = new Queries({
      matching,
      limit: this.#bounds.waitingQueries,
      submit,
      deliver: (to, query, claim) => this.#outgoing.deliverQuery(to, query, claim),
    });
    this.#updates = new UpdateCallers({ reader, limit: this.#bounds.waitingUpdates, submit, onReadFailed });
    const waiting = { waiters: this.#waiters, queries: this.#queries, updates: this.#updates };
    this.#outgoing = new Outgoing({ ...common, matching, ...waiting, callbacks: options.callbacks });
    this.#reads = new Reads({ ...common, waiters: this.#waiters, refusal });
    this.#resume = new Resume({ ...common, outgoing: this.#outgoing });
    const isReplicated = options.commitLog !== undefined && store.scope === 'node';
    this.#retention = new Retention({ ...options, ...common, isReplicated });
    const finding = { shards, shardCount: store.shardCount, bounds: this.#bounds, clock, refusal, onFault: onFailed };
    this.#finding = new Finding({ ...common, ...finding });
    this.#settings = new Settings({
      ...common,
      ...{ clock, scheduler, refusal, namespaces: options.namespaces, onFault: onFailed },
      everywhere: () => options.everywhere?.() ?? this,
      leads: (namespace) => this.#gate.isServing && shards.isLed(shardOf(namespace, '', store.shardCount)),
      ...{ submit, routes: options.routes, isLed: shards.isLed, settled: () => this.#committer.settledSoFar() },
      queues: () => this.#backlog.queues(),
    });
    const log = options.commitLog ?? storeLog(store);
    this.#committer = new Committer({
      ...{ log, clock, scheduler },
      apply: (shard, entry) => this.#materializer.commit(shard, entry),
      applied: () => {
        this.#backlog.announce();
        this.#outbox.pump();
      },
      onFenced: (shard) => this.#fenced(shard),
      onFailed,
    });
    const rows = { reader, scheduler, isLed: shards.isLed, onReadFailed };
    this.#backlog = new Backlog({
      ...rows,
      window: this.#bounds.backlogWindow,
      start: (task, claim, settled) => this.#inbound.start(task, claim, settled),
      changed: (queue) => matching.backlogChanged(this, queue),
      mayDispatch: (queue, key) => matching.mayDispatch(queue, key),
    });
    this.#timers = new Timers({
      ...rows,
      clock,
      window: this.#bounds.timerWindow,
      horizonMs: this.#bounds.timerHorizonMs,
      firing: this.#bounds.firing,
      reaches: (shard, time) => shards.get(shard).reaches(time),
      latest: (now) => [...shards.values()].reduce((latest, shard) => Math.max(latest, shard.now(now)), now),
      fire: (timer, again) => this.#inbound.fire(timer, again),
    });
    this.#outbox = new Outbox({
      ...rows,
      shardCount: store.shardCount,
      window: this.#bounds.outboxWindow,
      kept: this.#bounds.outboxKept,
      retryMs: this.#bounds.outboxRetryMs,
      shard: (id) => shards.get(id),
      deliver: options.relay ?? ((item, done) => this.#inbound.receive(item, done)),
      remove: (shard, row) => this.#inbound.deleteRow(shard, row),
    });
    this.#inbound = new Inbound({
      ...common,
      clock,
      committer: this.#committer,
      reads: this.#reads,
      retention: this.#retention,
      settings: this.#settings,
      isServing: () => this.#gate.isServing,
    });
    const fed = { overlay: this.#overlay, backlog: this.#backlog, timers: this.#timers, outbox: this.#outbox };
    const keepsLowWaters = options.commitLog === undefined && store.scope === 'node';
    this.#materializer = new Materializer({ ...fed, store, reader, keepsLowWaters });
    this.#leadership = new Leadership({
      ...fed,
      shardCount: store.shardCount,
      shards,
      committer: this.#committer,
      materializer: this.#materializer,
      actors,
      ...waiting,
      onFailed,
    });
    this.#flusher = new Flusher({
      log,
      scheduler,
      overlay: this.#overlay,
      intervalMs: this.#bounds.flushIntervalMs,
      shards: () => shards.values(),
      derived: (shard) => this.#backlog.counters(shard.id),
      hints: () => this.#materializer.hints(),
      onFenced: (shard) => this.#fenced(shard),
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
    await store.open();
    const alone = this.#options.commitLog === undefined;
    if (alone) this.#shards.leadAlone(await store.nextTerm());
    // Not as of open(): in a shared database the leader before this one may have written until it was fenced. Led with others there, shards are
    // taken up as they come.
    if (alone || store.scope === 'node') this.#shards.restore(store.positions());
    this.#executor = new Executor({
      ...{ core: this.#core, clock, random },
      scheduler: this.#options.scheduler,
      matching,
      limits: this.#limits,
      actors: this.#actors,
      committer: this.#committer,
      ...{ namespaces: this.#options.namespaces, routes: this.#options.routes, endpoints: this.#options.endpoints },
      backlog: this.#backlog,
      pushAhead: (actor, handover) => this.#outgoing.pushAhead(actor, handover),
      leave: (turn) => this.#outgoing.leave(turn),
      send: (turn, effect) => this.#outbox.send(turn, effect),
      confirm: this.#options.commitLog?.confirm?.bind(this.#options.commitLog),
      log: this.#log,
    });
    const shards = [...this.#shards.values()];
    await this.#materializer.restore(shards);
    // Of a log that others keep, too, only what they have committed counts: `apply` says.
    const entries = alone ? await this.#materializer.replay(shards) : 0;
    await this.#backlog.learnPasses();
    if (this.#gate.health.state !== 'starting') throw new Error('the engine was closed while it recovered');
    this.#gate.health = { state: 'serving' };
    this.#flusher.start();
    this.#timers.start();
    this.#outbox.start();
    this.#sweep();
    this.#space.start();
    this.#backlog.announce();
    this.#log.info({ shards: this.#shards.size, replayed: entries }, 'shards serve');
  }

  /** Stops taking messages, makes everything decided durable and flushed, and lets long polls go. The store stays open. */
  async close(): Promise<void> {
    if (this.#gate.health.state === 'closed') return;
    // A recovery half done must not be flushed: the log would be trimmed of what was not replayed.
    const unsound = ['failed', 'starting'].includes(this.#gate.health.state);
    if (!unsound) this.#gate.health = { state: 'draining' };
    this.#timers.stop();
    this.#outbox.stop();
    this.#sweeper?.cancel();
    this.#space.stop();
    this.#waiters.wakeAll();
    if (!unsound) await this.#committer.drained();
    this.#flusher.stop();
    if (!unsound) await this.#flusher.flushAll();
    this.#gate.health = { state: 'closed' };
  }

  readonly outlook = () => outlookOf(this.#actors, this.#timers, this.getStats());

  getStats(): EngineStats {
    return statsOf({
      actors: this.#actors,
      backlog: this.#backlog,
      committer: this.#committer,
      flusher: this.#flusher,
      gate: this.#gate,
      intake: this.#intake,
      outbox: this.#outbox,
      outgoing: this.#outgoing,
      overlay: this.#overlay,
      queries: this.#queries,
      updates: this.#updates,
      retention: this.#retention,
      shards: this.#shards,
      timers: this.#timers,
      waiters: this.#waiters,
    });
  }

  /** Every actor that can leaves memory now: tests compare what comes back. */
  passivateAll(): void {
    this.#actors.passivateAll();
  }

  /** Writes all committed rows now; default: of all shards. */
  flush(of?: ReadonlySet<ShardId>): Promise<void> {
    return this.#flusher.flushAll(of);
  }

  // ---------------------------------------------------------------- leadership (with `commitLog` only)

  /** This node leads the shard in this term, all entries up to `lastLsn` being committed and applied: it is served here from now on. */
  lead(id: ShardId, term: Term, lastLsn: Lsn): void {
    this.#leadership.lead(id, term, lastLsn);
    this.#settings.rerouter.led();
  }

  /** It does not lead it any more. Returns the lsn its rows are at. */
  unlead(id: ShardId): Lsn {
    return this.#leadership.unlead(id);
  }

  /** An entry that another leader committed; `undefined`: one without content, of any leader. */
  apply(id: ShardId, lsn: Lsn, entry: Uint8Array | undefined): void {
    this.#leadership.apply(id, lsn, entry);
  }

  /** The log took this lsn for an entry of its own: the next one is the engine's. */
  controlAppended(id: ShardId, lsn: Lsn): void {
    this.#leadership.controlAppended(id, lsn);
  }

  /** The shard's rows in the store are another replica's now, as of `lsn`. */
  installed(id: ShardId, lsn: Lsn): void {
    this.#leadership.installed(id, lsn);
  }

  /** Shards of a database come, as their rows there are; see Leadership. */
  adopt(positions: ReadonlyMap<ShardId, Lsn>): Promise<void> {
    return this.#leadership.adopt(positions);
  }

  /** They go to other nodes of the database, and nothing of them is kept here. */
  release(ids: readonly ShardId[]): void {
    this.#leadership.release(ids);
  }

  /** An outbox message from a shard that another node leads. `later`: nothing is known of it here, try again. */
  receive(item: ShardMessage, done: (outcome: ShardMessageOutcome) => void): void {
    if (this.#gate.isServing) this.#inbound.receive(item, done);
    else done('later');
  }

  // ---------------------------------------------------------------- Engine (doors)

  readonly submit: Engine['submit'] = (to, message, done) => this.#intake.submit(to, message, done);

  query(...asked: Parameters<Engine['query']>): Waiting {
    return this.#queries.ask(...asked);
  }

  update(...asked: Parameters<Engine['update']>): Waiting {
    return this.#updates.ask(...asked);
  }

  updateWithStart(...asked: Parameters<Engine['updateWithStart']>): Waiting {
    return this.#updates.askWithStart(...asked);
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

  readonly list: Engine['list'] = (request, done) => this.#finding.list(request, done);
  readonly count: Engine['count'] = (request, done) => this.#finding.count(request, done);
  readonly searchAttributes: Engine['searchAttributes'] = (namespace, done) =>
    this.#finding.searchAttributes(namespace, done);
  readonly changeSearchAttributes: Engine['changeSearchAttributes'] = (namespace, change, done) =>
    this.#finding.changeSearchAttributes(namespace, change, done);

  readonly namespaces: Engine['namespaces'] = (asked, done) => this.#settings.namespaces.ask(asked, done);
  readonly nexusEndpoints: Engine['nexusEndpoints'] = (asked, done) => this.#settings.endpoints.ask(asked, done);
  /** Routes that tasks were offered by are others now. */
  readonly reroute: Rerouter['changed'] = (routes) => this.#settings.rerouter.changed(routes);
  readonly deployments: Engine['deployments'] = (asked, done) => this.#settings.deployments.ask(asked, done);
  readonly workers: Engine['workers'] = (namespace, asked, done) => this.#settings.workers.ask(namespace, asked, done);
  readonly jobs: Engine['jobs'] = (namespace, asked, done) => this.#settings.jobs.ask(namespace, asked, done);

  // ---------------------------------------------------------------- BacklogSource (matching)

  readonly backlog: BacklogSource['backlog'] = (queue) => this.#backlog.backlog(queue);
  readonly byPriority = (queue: QueueKey): Promise<PriorityBacklog[]> => this.#backlog.byPriority(queue);

  pull(queue: QueueKey, claims: Claim[]): void {
    if (this.#gate.health.state === 'serving') this.#backlog.pull(queue, claims);
    else for (const claim of claims) claim.release();
  }

  readonly waitingQueries = (queue: QueueKey): number => this.#queries.waitingOf(queue);

  pullQueries(queue: QueueKey, claim: () => Claim | undefined): void {
    this.#queries.pull(queue, claim);
  }

  resume(worker: ResumingWorker): void {
    if (this.#gate.health.state === 'serving') this.#resume.begin(worker);
  }

  // ---------------------------------------------------------------- housekeeping and failure

  #running(): Executor {
    if (this.#executor === undefined) throw new Error('the engine is used before open()');
    return this.#executor;
  }

  #sweep(): void {
    this.#actors.sweep();
    this.#sweeper = this.#options.scheduler.after(SWEEP_MS, () => this.#sweep());
  }

  #fenced(shard: Shard): void {
    this.#leadership.unlead(shard.id);
    if (this.#options.commitLog === undefined)
      this.#fail(new StoreError('failed', `shard ${shard.id} was fenced while this node led it alone`));
    // Among several nodes leaderships end in the course of things.
    else this.#log.info({ shard: shard.id, term: shard.term }, 'this shard is led elsewhere with turns under way here');
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
    this.#outbox.stop();
    this.#flusher.stop();
    this.#log.error({ error: messageOf(error) }, 'the store failed: this node stops serving');
    this.#waiters.wakeAll();
    this.#options.onFatal?.(error);
  }
}
