// Runs turns: message → decide → rows, and, where a worker is free, the start of what was offered in the same turn (match before commit,
// DESIGN §5). Everything here is synchronous; what a turn came to joins the forming batch. Keeps I1: only workflow tasks for workers that
// understand it leave ahead of the commit.

import type { Routes } from '../core/deployment/routes.ts';
import { versionedQueue } from '../core/deployment/versioned-queue.ts';
import { added } from '../core/lists.ts';
import { Breakers } from '../core/nexus/breakers.ts';
import type { EndpointBook } from '../core/nexus/endpoints.ts';
import { encodeToken } from '../core/workflow/index.ts';
import type { Limits } from '../core/workflow/limits.ts';
import type { Message, Taker } from '../core/workflow/message.ts';
import type { Effect, Outcome, Reply, TaskOffer, TurnContext, VisibilityChange } from '../core/workflow/outcome.ts';
import type { Clock, Random, Scheduler } from '../ports/clock.ts';
import type { Done } from '../ports/engine.ts';
import type { Key, ShardId } from '../ports/ids.ts';
import type { Claim, Matching, QueueKey } from '../ports/matching.ts';
import { encode } from '../wire/codec.ts';
import { isOpenStatus } from '../wire/enums.ts';
import { timedRunId, untimedRunId } from '../wire/run-id.ts';
import type { Status } from '../wire/status.ts';
import type { Actor } from './actor.ts';
import { type Actors, notLed } from './actors.ts';
import type { Backlog } from './backlog.ts';
import type { Committer } from './committer.ts';
import type { ActorCore } from './core.ts';
import type { Receipt } from './entry.ts';
import { backlogKey, passKey, retentionKey, startedKey, timerKey } from './keys.ts';
import type { EngineLog, ServedNamespace } from './options.ts';
import type { Shard } from './shard.ts';
import { fault, perhapsFor } from './status.ts';
import { encodeRetained } from './timers.ts';
import { type Handover, NOTHING, Turn } from './turn.ts';
import { deleteVisibilityRows, scheduleRow, visibilityRows } from './visibility.ts';
import { encodeWaitingTask } from './waiting-task.ts';

export interface ExecutorOptions {
  core: ActorCore;
  clock: Clock;
  random: Random;
  scheduler: Scheduler;
  matching: Matching;
  limits: Limits;
  actors: Actors;
  committer: Committer;
  namespaces: ReadonlyMap<string, ServedNamespace>;
  endpoints: EndpointBook | undefined;
  /** Says where among the waiting tasks of its priority one belongs. */
  backlog: Pick<Backlog, 'pass' | 'speculative'>;
  routes: Routes | undefined;
  /** Frames of a started task that need no reading; undefined when its history is not in memory. */
  pushAhead(actor: Actor, handover: Handover): boolean | undefined;
  /** After the commit: handovers, effects, wake-ups. */
  leave(turn: Turn): void;
  /** Whether what is known of a shard is fresh (CommitLog); undefined where nobody else can lead it. */
  confirm: ((shard: ShardId) => Promise<boolean>) | undefined;
  /** Hears of faults: bugs of the core. */
  log: EngineLog;
  /** An outbox message of this turn: its row. */
  send(turn: Turn, effect: Extract<Effect, { type: 'send' }>): void;
}

/** A deadline that moves by less is not worth two rows of a log entry. */
const FAR_MS = 30_000;
/** Most rows reach the disk later than this. */
const UNFLUSHED_MS = 400;

/** How long a closed run is kept at least whose namespace this node has not heard of: then it is looked up again (retention.ts). */
const UNHEARD_RETENTION_MS = 3_600_000;

/** What a turn does besides its message. */
export interface TurnExtras {
  /** Rows written in the same entry: a timer row that has fired goes. */
  rows?: readonly (readonly [Key, Uint8Array | undefined])[];
  receipt?: Receipt;
  /** The claim a start message came from. */
  claim?: Claim;
  /** The start an undo takes back. */
  undone?: Handover;
}

/** A run id is made when it is asked for: few turns begin a run, and random bytes are dear. */
class Context implements TurnContext {
  readonly now: number;
  readonly limits: Limits;
  readonly namespaces: TurnContext['namespaces'];
  readonly endpoints: TurnContext['endpoints'];
  readonly breakers: TurnContext['breakers'];
  readonly routes: Routes | undefined;
  readonly #random: Random;
  #spareRunId: string | undefined;

  constructor(
    { now, limits, namespaces, endpoints, breakers, routes }: Omit<TurnContext, 'spareRunId'>,
    random: Random,
  ) {
    this.now = now;
    this.limits = limits;
    this.namespaces = namespaces;
    this.endpoints = endpoints;
    this.breakers = breakers;
    this.routes = routes;
    this.#random = random;
  }

  get spareRunId(): string {
    this.#spareRunId ??= timedRunId(untimedRunId(this.#random.uuid()), this.now);
    return this.#spareRunId;
  }
}

export class Executor {
  readonly #options: ExecutorOptions;
  #seq = 0;
  /** Of Nexus destinations, as this node has found them. */
  readonly #breakers = new Breakers();

  constructor(options: ExecutorOptions) {
    this.#options = options;
  }

  /** Starts this process has named so far. */
  get starts(): number {
    return this.#seq;
  }

  /** Whether a start was named after the first so many of this process, in its shard's present term. */
  startedSince({ term }: Shard, startId: Taker['startId'], starts: number): boolean {
    return startId.term > term || (startId.term === term && startId.seq > starts);
  }

  taker({ term }: Shard, claim: Claim): Taker {
    this.#seq += 1;
    const requestId = claim.taker.requestId ?? this.#options.random.uuid();
    return { ...claim.taker, startId: { term, seq: this.#seq }, requestId };
  }

  /** One turn. `done` is called once, when its outcome is durable (I1), or with why it is not. */
  run(actor: Actor, message: Message | undefined, done: Done<Reply>, extras?: TurnExtras): void {
    const { core, clock, committer, actors } = this.#options;
    const turn = new Turn(actor);
    const before = actor.bytes;
    const now = actor.shard.now(clock.now());
    for (const [key, value] of extras?.rows ?? []) turn.write(key, value);
    if (extras?.receipt !== undefined) {
      turn.receipts = added(turn.receipts, extras.receipt);
      actor.shard.inbox(extras.receipt.source).add(extras.receipt.seq);
    }
    actor.busy = true;
    let status: Status | undefined;
    let reply: Reply | undefined;
    if (message !== undefined) {
      const decision = this.#decide(turn, beginningAt(this.#eagerIfTaken(message, actor), now), now);
      if (!decision.ok) status = decision.status;
      else {
        status = decision.refusal;
        reply = decision.reply;
        if (extras?.undone !== undefined) this.#forget(turn, extras.undone);
        if (extras?.claim !== undefined) this.#handover(turn, extras.claim, decision);
      }
    }
    this.#place(turn, now, extras?.undone === undefined ? 'first' : 'again');
    this.#rearm(turn, core.nextDeadline(actor.state), now);
    this.#show(turn, now);
    turn.seal();
    actors.account(actor, before);
    turn.settle = (why) => {
      if (why !== undefined) done(turn.empty ? perhapsFor(message, why) : why, undefined);
      else if (status !== undefined) done(status, undefined);
      else done(undefined, reply);
      if (why === undefined) {
        this.#options.leave(turn);
        return;
      }
      for (const { claim } of turn.handovers ?? []) claim.release();
      // If their entry is durable after all, the shard's next leader gives them to another worker once they time out.
      for (const { claim, token } of turn.ahead ?? []) claim.over(token);
      extras?.claim?.release();
    };
    if (!turn.empty) committer.join(turn);
    else if (actor.pending !== undefined) {
      // What it was decided on is not durable yet: nothing of it is shown before (I1). That it was committed, perhaps before this came, says
      // nothing of who leads now.
      actor.pending.wait({ durable: () => this.#endUnwritten(turn), failed: (why) => turn.end(why) });
    }
    // A committer that has stopped refused the turn at once: nothing of it may go, and its claims are given back.
    if (actor.pending !== undefined && (turn.empty || actor.pending === turn)) this.#pushAhead(turn);
    for (const { started } of turn.handovers ?? []) actor.startsDelivery(deliveryId(started));
    actor.busy = false;
    if (turn.empty && actor.pending === undefined) this.#endUnwritten(turn);
  }

  /** An answer that rests on what was known here, and on no entry of its own, counts only while nobody else leads (DESIGN §7, fresh reads). */
  #endUnwritten(turn: Turn): void {
    const { shard } = turn.actor;
    if (this.#options.confirm === undefined) turn.end(undefined);
    else void this.confirmed(shard).then((fresh) => turn.end(fresh ? undefined : notLed(shard)));
  }

  /** Whether nobody else leads the shard. */
  confirmed({ id }: Shard): Promise<boolean> {
    return this.#options.confirm?.(id) ?? Promise.resolve(true);
  }

  /** An eager start is accepted only where its worker takes the task in this very turn: between here and its placement nothing happens. */
  #eagerIfTaken(message: Message, { namespace, workflowId }: Actor): Message {
    if (message.type !== 'start' || message.eagerFor === undefined) return message;
    const version = this.#options.routes?.target(namespace, message.taskQueue, 'workflow', workflowId);
    const queue = { namespace, name: versionedQueue(message.taskQueue, version), kind: 'workflow' } as const;
    if (this.#options.matching.takesEager(message.eagerFor, queue)) return message;
    return { ...message, eagerFor: undefined };
  }

  #decide(turn: Turn, message: Message, now: number): ReturnType<ActorCore['decide']> {
    const { core, random, limits, namespaces, endpoints, routes } = this.#options;
    const { actor } = turn;
    const breakers = this.#breakers;
    const context = new Context({ now, limits, namespaces, endpoints, breakers, routes }, random);
    let decision: ReturnType<ActorCore['decide']>;
    try {
      decision = core.decide(actor.state, message, context);
    } catch (error) {
      // Deciding is pure: nothing has changed, so a fault of ours costs this message and no more.
      const { namespace, workflowId } = actor;
      const cause = error instanceof Error ? error : new Error(String(error));
      const where = { error: cause, namespace, workflowId, message: message.type };
      this.#options.log.error(where, 'a message could not be decided: a fault of the server');
      return { ok: false, status: fault(workflowId, message.type) };
    }
    if (!decision.ok) return decision;
    actor.state = core.evolve(actor.state, decision);
    turn.take(decision);
    this.#absorb(turn, decision.effects, now);
    return decision;
  }

  /** Sorts effects: some are rows of this very turn, the others leave after the commit. */
  #absorb(turn: Turn, effects: readonly Effect[], now: number): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'offerTask':
          turn.offer(effect.offer);
          break;
        case 'withdrawTask':
          turn.withdraw(effect.offer);
          break;
        case 'taskSettled':
          turn.settled(effect.session, effect.kind, effect.runId, effect.scheduledEventId);
          break;
        case 'taskKept':
          turn.listed(effect.session, effect.kind, effect.runId, effect.scheduledEventId);
          break;
        case 'destinationNoted':
          this.#breakers.note(effect.destination, effect.note, now);
          break;
        case 'send':
          turn.sends = true;
          this.#options.send(turn, effect);
          break;
        default:
          turn.effects = added(turn.effects, effect);
      }
    }
  }

  /** Each task offered: started at once for a worker that is free, else backlog. */
  #place(turn: Turn, now: number, how: 'first' | 'again'): void {
    const { matching } = this.#options;
    this.#stillWaits(turn.actor);
    // A start may offer more (it never does today): the map grows while it is walked, each offer is tried once.
    for (const [id, offer] of turn.offers ?? []) {
      const claim = matching.claim(offer);
      if (claim !== undefined && this.#start(turn, offer, claim, now)) {
        turn.offers?.delete(id);
        continue;
      }
      if (offer.speculative === true) {
        if (this.#waits(turn.actor, offer)) continue;
        // It becomes a task that can wait in a row, offered under the same id.
        const { runId, scheduledEventId } = offer;
        this.#decide(turn, { type: 'keepTask', runId, scheduledEventId }, now);
      }
      this.#enqueue(turn, id, offer, how);
    }
  }

  /** A speculative task that was withdrawn, got events or was taken waits no more. */
  #stillWaits({ base, state: { run } }: Actor): void {
    const { speculative } = this.#options.backlog;
    const waiting = speculative.of(base);
    if (waiting === undefined) return;
    const task = run?.speculative;
    const isSame = task?.startId === undefined && task?.scheduledEventId === waiting.scheduledEventId;
    if (!isSame || run?.runId !== waiting.runId) speculative.remove(base);
  }

  /** In memory: until a worker takes it, or its actor has waited long enough. False: there is no room. */
  #waits(actor: Actor, offer: TaskOffer): boolean {
    const { namespace, workflowId, runId, scheduledEventId, attempt, priority, scheduledTime } = offer;
    const added = this.#options.backlog.speculative.add({
      ...{ namespace, workflowId, runId, scheduledEventId, attempt, priority, scheduledTime },
      queue: this.#queueOf(offer),
      actorBase: actor.base,
      shard: actor.shard.id,
    });
    if (added) this.#watch(actor);
    return added;
  }

  /** A sticky queue, as long as its worker lives. */
  #queueOf({ namespace, queueNamespace = namespace, sticky, taskQueue, kind }: TaskOffer): QueueKey {
    const warm = sticky !== undefined && this.#options.matching.stickyAlive(namespace, sticky.queue);
    return { namespace: queueNamespace, name: warm ? sticky.queue : taskQueue, kind };
  }

  #start(turn: Turn, offer: TaskOffer, claim: Claim, now: number): boolean {
    const { runId, scheduledEventId, attempt, kind } = offer;
    const taker = this.taker(turn.actor.shard, claim);
    const decision = this.#decide(
      turn,
      kind === 'workflow'
        ? { type: 'startWorkflowTask', runId, scheduledEventId, attempt, taker, sticky: claim.sticky }
        : { type: 'startActivityTask', runId, scheduledEventId, attempt, taker },
      now,
    );
    if (!decision.ok) {
      claim.release();
      return false;
    }
    this.#handover(turn, claim, decision);
    return true;
  }

  #handover(turn: Turn, claim: Claim, { reply }: Outcome): void {
    if (reply.type !== 'workflowTaskStarted' && reply.type !== 'activityTaskStarted') {
      claim.release();
      return;
    }
    if (reply.type === 'workflowTaskStarted' && reply.speculative === true) this.#watch(turn.actor);
    else turn.started(claim.taker.session, reply);
    turn.handovers = added(turn.handovers, { claim, started: reply });
  }

  /** A speculative task has no row to time it: its actor stays in memory until it is over. */
  #watch(actor: Actor): void {
    const { actors, clock, core, scheduler } = this.#options;
    const due = core.volatileDeadline(actor.state);
    if (due === undefined) return;
    const { namespace, workflowId } = actor;
    scheduler.after(Math.max(1, due - actor.shard.now(clock.now())), () => {
      // Another actor by now, or another task: it has a watch of its own.
      if (actor.phase !== 'ready' || core.volatileDeadline(actor.state) !== due) return;
      actors.with(namespace, workflowId, {
        run: (live) => {
          if (actor.shard.now(clock.now()) < due) this.#watch(live);
          else this.run(live, { type: 'timer' }, () => undefined);
        },
        refuse: () => undefined,
      });
    });
  }

  #enqueue(turn: Turn, id: string, offer: TaskOffer, how: 'first' | 'again'): void {
    const { actor } = turn;
    const { namespace, workflowId, runId, scheduledEventId, attempt, kind, sticky } = offer;
    const queue = this.#queueOf(offer);
    const warm = queue.name === sticky?.queue;
    const at = { ...offer, actorBase: actor.base };
    const before = actor.places?.get(id);
    if (before !== undefined) {
      if (before.key === backlogKey(queue, { ...at, pass: before.pass })) return;
      turn.leavePlace(offer, before);
    }
    const weight = offer.fairnessKey === '' ? undefined : this.#options.matching.weightOf(queue, offer.fairnessKey);
    const pass = warm ? undefined : this.#options.backlog.pass(queue, offer, how, weight);
    const key = backlogKey(queue, { ...at, pass });
    const task = { queue, namespace, workflowId, runId, scheduledEventId, attempt };
    if (pass === undefined) turn.write(key, encodeWaitingTask(task));
    else {
      turn.write(passKey(actor.base, kind, runId, scheduledEventId), encode(pass));
      turn.write(
        key,
        encodeWaitingTask({ ...task, fair: { key: offer.fairnessKey, time: Math.floor(offer.scheduledTime) } }),
      );
    }
    actor.waitsAt(id, { key, queue, pass });
    turn.count(queue, 1);
  }

  /**
   * One timer row per actor: an earlier deadline moves it, a later one leaves it to fire early and be set again. Except that a row no flush
   * has seen moves for nothing: a workflow that goes to sleep for long right after its start is not woken in vain.
   */
  #rearm(turn: Turn, due: number | undefined, now: number): void {
    const { actor } = turn;
    const { armed } = actor;
    if (due !== undefined && armed !== undefined && armed.at <= due) {
      const moves = armed.key !== undefined && due - armed.at > FAR_MS && now - armed.setAt < UNFLUSHED_MS;
      if (!moves) return;
    }
    if (armed?.key !== undefined) turn.write(armed.key, undefined);
    if (due === undefined) {
      actor.armed = undefined;
      return;
    }
    const key = timerKey(Math.ceil(due), actor.base);
    if (actor.wasRead) turn.rewrite(key, NOTHING);
    else turn.write(key, NOTHING);
    actor.armed = { key, at: due, setAt: now };
  }

  #show(turn: Turn, now: number): void {
    const { actor } = turn;
    if (turn.visibility === undefined && turn.schedule === undefined) return;
    const { ordinary } = actor.shard;
    const at = { namespace: actor.namespace, shard: actor.shard.id, economy: ordinary.during(now) };
    if (turn.schedule !== undefined) turn.write(...scheduleRow(at, turn.schedule));
    for (const change of turn.visibility ?? []) {
      const { info } = change;
      if (change.gone === true) {
        this.#hide(turn, change);
        continue;
      }
      if (change.before === undefined) ordinary.begun(now);
      visibilityRows(at, change, (key, value) => turn.write(key, value));
      if (isOpenStatus(info.status) || info.closeTime === undefined) continue;
      const retentionMs = this.#options.namespaces.get(actor.namespace)?.retention ?? UNHEARD_RETENTION_MS;
      turn.write(retentionKey(info.closeTime + retentionMs, actor.base, info.runId), encodeRetained(info));
    }
    for (const [key, value] of ordinary.takeChanges()) turn.write(key, value);
  }

  /** A run that was deleted: out of the indexes now, and its retention is over; once more when what was asked of its workflow id may be forgotten. */
  #hide(turn: Turn, { info, before, forgetAt }: VisibilityChange): void {
    const { actor } = turn;
    if (before !== undefined) {
      const at = { namespace: actor.namespace, shard: actor.shard.id, economy: actor.shard.ordinary };
      deleteVisibilityRows(at, { ...info, ...before }, (key, value) => turn.write(key, value));
    }
    const now = actor.shard.now(this.#options.clock.now());
    turn.rewrite(retentionKey(now, actor.base, info.runId), encodeRetained(info));
    if (forgetAt !== undefined) turn.write(retentionKey(forgetAt, actor.base, info.runId), encodeRetained(info));
  }

  #pushAhead(turn: Turn): void {
    for (const handover of turn.handovers ?? []) {
      const { claim, started } = handover;
      if (!claim.ahead || started.type !== 'workflowTaskStarted') continue;
      const pushed = this.#options.pushAhead(turn.actor, handover);
      if (pushed === undefined) continue;
      turn.handovers = turn.handovers?.filter((other) => other !== handover);
      if (pushed) turn.ahead = added(turn.ahead, { claim, token: this.token(turn.actor, handover) });
      else this.undo(turn.actor, handover);
    }
  }

  token(actor: Actor, { started }: Handover): Uint8Array {
    const { namespace, workflowId } = actor;
    const kind = started.type === 'workflowTaskStarted' ? 'workflow' : 'activity';
    return encodeToken({ kind, namespace, workflowId, ...started.ref });
  }

  /** The frame was never written: the same attempt waits again. */
  undo(actor: Actor, handover: Handover): void {
    const { started } = handover;
    const kind = started.type === 'workflowTaskStarted' ? 'workflow' : 'activity';
    const { runId, scheduledEventId, startId } = started.ref;
    this.#options.actors.with(actor.namespace, actor.workflowId, {
      run: (live) =>
        this.run(live, { type: 'undoStart', kind, runId, scheduledEventId, startId }, () => undefined, {
          undone: handover,
        }),
      // The task's own timeout gives it to another worker.
      refuse: () => undefined,
    });
  }

  #forget(turn: Turn, { claim, started }: Handover): void {
    const { runId, scheduledEventId } = started.ref;
    const kind = started.type === 'workflowTaskStarted' ? 'workflow' : 'activity';
    const again = startedKey(claim.taker.session, kind, turn.actor.base, runId, scheduledEventId);
    turn.write(again, undefined);
  }
}

/** The run that a message may begin is named by the moment it would. */
function beginningAt(message: Message, now: number): Message {
  if (message.type !== 'start' && message.type !== 'reset') return message;
  const runId = timedRunId(message.runId, now);
  return runId === message.runId ? message : { ...message, runId };
}

/** One delivery of one start. */
export const deliveryId = ({ ref: { runId, scheduledEventId, startId } }: Handover['started']): string =>
  `${scheduledEventId}:${startId.term}.${startId.seq}:${runId}`;
