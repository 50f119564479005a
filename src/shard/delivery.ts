// What leaves after a commit (I1): tasks to the claims that wait for them, cancellations, query answers and dispatches, wake-ups of long polls.
// A frame that could not be written undoes its start. History comes from the actor's tail on the warm path, else from rows, a page at most.

import { encodeToken } from '../core/workflow/index.ts';
import type { StartedActivityTask, StartedWorkflowTask } from '../core/workflow/outcome.ts';
import type { Claim, Delivery, LateAnswer, LateDelivery, Matching } from '../ports/matching.ts';
import { isActivityAddress } from '../wire/activity-address.ts';
import { encode } from '../wire/codec.ts';
import type { EventBatches } from '../wire/history.ts';
import type { Status } from '../wire/status.ts';
import type { Actor } from './actor.ts';
import type { Actors } from './actors.ts';
import { Callbacks, type CallbacksOptions } from './callbacks.ts';
import type { ActorCore } from './core.ts';
import { deliveryId, type Executor } from './executor.ts';
import { FIRST_PAGE_BYTES, type HistoryPage, readHistory } from './history.ts';
import type { DirectQuery, Queries } from './queries.ts';
import type { Reader } from './reader.ts';
import { messageOf, unavailable } from './status.ts';
import type { Handover, LeavingEffect, Turn } from './turn.ts';
import type { UpdateCallers } from './update-callers.ts';
import type { Waiters } from './waiters.ts';

export interface DeliveryOptions extends Pick<CallbacksOptions, 'callbacks'> {
  core: ActorCore;
  matching: Matching;
  reader: Reader;
  actors: Actors;
  waiters: Waiters;
  queries: Queries;
  updates: UpdateCallers;
  executor(): Executor;
  onReadFailed(error: unknown): void;
}

/** A start on its way to a worker of another node. */
interface UnderWay {
  readonly actor: Actor;
  readonly late: LateDelivery;
  /** Resumes of its session that came meanwhile: they look again when it is answered. */
  readonly resumes: (() => void)[];
}

/** Registrations of one session that wait for one answer; the answer of a link that works comes within a round trip (I9). */
const MAX_RESUMES = 100;

export class Outgoing {
  readonly #options: DeliveryOptions;
  /** By `deliveryId`: a start id is unique in its shard and term, and the run id in it names the actor. */
  readonly #underWay = new Map<string, UnderWay>();
  readonly #callbacks: Callbacks;
  delivered = 0;
  undone = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#callbacks = new Callbacks(options);
  }

  /** A turn is durable: everything of it may be shown. */
  leave(turn: Turn): void {
    const { actor } = turn;
    for (const { claim, token } of turn.ahead ?? []) claim.durable(token);
    for (const handover of turn.handovers ?? []) this.handOver(actor, handover);
    for (const effect of turn.effects ?? []) this.#effect(actor, effect);
    const { waiters } = this.#options;
    if (waiters.size === 0) return;
    for (const runId of turn.grown ?? []) waiters.wake('event', actor.base, runId);
    for (const runId of turn.published ?? []) waiters.wake('state', actor.base, runId);
    if (!isActivityAddress(actor.workflowId)) return;
    // Its heartbeats are no events; and one that was deleted is no state any more.
    const { run } = actor.state;
    for (const runId of new Set([...(turn.grown ?? []), ...(run === undefined ? [] : [run.runId])]))
      waiters.wake('change', actor.base, runId);
  }

  /** Before the commit, to a worker that knows what that means; undefined when its history is not in memory. */
  pushAhead(actor: Actor, { claim, started }: Handover): boolean | undefined {
    if (started.type !== 'workflowTaskStarted') return undefined;
    const history = warmHistory(actor, started);
    if (history === undefined) return undefined;
    const { namespace, workflowId } = actor;
    const task: Delivery = {
      kind: 'workflow',
      namespace,
      workflowId,
      started,
      history,
      nextEventId: undefined,
      ahead: true,
    };
    // Who takes tasks ahead is connected here.
    return claim.deliver(task) === true;
  }

  handOver(actor: Actor, handover: Handover): void {
    const { namespace, workflowId } = actor;
    const { started } = handover;
    if (started.type === 'activityTaskStarted') {
      this.#deliver(actor, handover, { kind: 'activity', namespace, workflowId, started });
      return;
    }
    const history = warmHistory(actor, started);
    if (history !== undefined) {
      const task: Delivery = {
        kind: 'workflow',
        namespace,
        workflowId,
        started,
        history,
        nextEventId: undefined,
        ahead: false,
      };
      this.#deliver(actor, handover, task);
      return;
    }
    taskHistory(this.#options.reader, actor, started, started.task.firstEventId, FIRST_PAGE_BYTES).then(
      ({ events, nextEventId }) =>
        this.#deliver(actor, handover, {
          kind: 'workflow',
          namespace,
          workflowId,
          started,
          history: events,
          nextEventId,
          ahead: false,
        }),
      (error: unknown) => {
        this.#options.onReadFailed(error);
        handover.claim.release();
        this.#undo(actor, handover);
      },
    );
  }

  deliverQuery(to: { namespace: string; workflowId: string }, query: DirectQuery, claim: Claim): void {
    const { actors, core, queries, reader } = this.#options;
    const lost = (why: Status): void => {
      claim.release();
      queries.answer(query.queryId, why, undefined);
    };
    const deliver = (actor: Actor): void => {
      if (!queries.isOpen(query.queryId)) {
        claim.release();
        return;
      }
      const basis = core.queryBasis(actor.state, query.runId);
      if (basis === undefined) {
        // Another run took its place while the query waited, and the closed one is not at hand.
        lost(unavailable(`Run ${query.runId} of workflow ${to.workflowId} has closed: ask again.`, 'no'));
        this.#forgetQuery(to, query.queryId);
        return;
      }
      const push = ({ events, nextEventId }: HistoryPage): void => {
        const pushed = claim.deliver({
          kind: 'query',
          namespace: to.namespace,
          workflowId: to.workflowId,
          runId: query.runId,
          workflowType: basis.workflowType,
          queryId: query.queryId,
          query: query.query,
          history: events,
          firstEventId: claim.sticky ? basis.lastEventId + 1 : 1,
          nextEventId,
          previousStartedEventId: basis.previousStartedEventId,
          startedEventId: basis.previousStartedEventId,
        });
        if (pushed === true) return;
        if (pushed === false) queries.dispatch(actor, query);
        else pushed.whenAnswered((answer) => answer === 'taken' || queries.dispatch(actor, query));
      };
      if (claim.sticky) {
        push({ events: [], nextEventId: undefined });
        return;
      }
      const page = { runId: query.runId, from: 1, to: basis.lastEventId, maximumBytes: FIRST_PAGE_BYTES };
      readHistory(reader, actor.base, { ...page, edges: 'exact' }).then(push, (error: unknown) => {
        this.#options.onReadFailed(error);
        lost(unavailable(`The history of workflow ${to.workflowId} cannot be read: ${messageOf(error)}`, 'no'));
        this.#forgetQuery(to, query.queryId);
      });
    };
    actors.with(to.namespace, to.workflowId, {
      run: (actor) => {
        // What the actor has decided and not made durable is no history yet (I1).
        if (actor.pending === undefined) deliver(actor);
        else actor.pending.wait({ durable: () => deliver(actor), failed: lost });
      },
      refuse: lost,
    });
  }

  /** The caller was answered without the core: it must not hold the query for ever. */
  #forgetQuery({ namespace, workflowId }: { namespace: string; workflowId: string }, queryId: string): void {
    const { actors, executor } = this.#options;
    actors.with(namespace, workflowId, {
      run: (actor) => executor().run(actor, { type: 'queryAbandoned', queryId }, () => undefined),
      refuse: () => undefined,
    });
  }

  #deliver(actor: Actor, handover: Handover, task: Delivery): void {
    const { claim, started } = handover;
    actor.endsDelivery(deliveryId(started));
    const delivered = claim.deliver(task);
    if (delivered === true) this.delivered += 1;
    else if (delivered === false) this.#undo(actor, handover);
    else this.#answersLater(actor, handover, delivered);
  }

  /** It goes on counting as being delivered: a `resume` of its session must not send it twice. */
  #answersLater(actor: Actor, handover: Handover, late: LateDelivery): void {
    const id = deliveryId(handover.started);
    const underWay: UnderWay = { actor, late, resumes: [] };
    actor.startsDelivery(id);
    this.#underWay.set(id, underWay);
    late.whenAnswered((answer) => {
      if (this.#underWay.get(id) === underWay) this.#answered(id, underWay, handover, answer);
    });
  }

  #answered(id: string, { actor, resumes }: UnderWay, handover: Handover, answer: LateAnswer): void {
    this.#underWay.delete(id);
    actor.endsDelivery(id);
    if (answer === 'taken') this.delivered += 1;
    if (answer === 'refused') this.#undo(actor, handover);
    // Its frame may have been lost with a connection that ended since; who holds it says so.
    else for (const again of resumes) again();
  }

  /**
   * For a start that counts as being delivered: `again` once it does not any more. True: what the worker says it holds is to be believed now, since
   * the link that the task was on its way over is gone; what comes of that delivery later is not heard of.
   */
  resumes(started: Started, again: () => void): boolean {
    const id = deliveryId(started);
    const underWay = this.#underWay.get(id);
    if (underWay === undefined) return false;
    if (underWay.late.inDoubt) {
      this.#underWay.delete(id);
      underWay.late.forget();
      underWay.actor.endsDelivery(id);
      return true;
    }
    if (underWay.resumes.length < MAX_RESUMES) underWay.resumes.push(again);
    return false;
  }

  #undo(actor: Actor, handover: Handover): void {
    actor.endsDelivery(deliveryId(handover.started));
    this.undone += 1;
    this.#options.executor().undo(actor, handover);
  }

  #effect(actor: Actor, effect: LeavingEffect): void {
    const { matching, queries, updates, waiters } = this.#options;
    switch (effect.type) {
      case 'cancelActivity': {
        const { session, runId, scheduledEventId, attempt, startId, reason } = effect;
        const { namespace, workflowId } = actor;
        const ref = { runId, scheduledEventId, attempt, startId };
        matching.cancelActivity(session, encodeToken({ kind: 'activity', namespace, workflowId, ...ref }), reason);
        return;
      }
      case 'dispatchQuery':
        queries.dispatch(actor, effect);
        return;
      case 'answerQuery':
        if ('rejection' in effect.answer) queries.answer(effect.queryId, effect.answer.rejection, undefined);
        else queries.answer(effect.queryId, undefined, effect.answer.response);
        return;
      case 'answerUpdate':
        updates.leave(actor, effect);
        return;
      case 'deliverCallback':
        this.#callbacks.deliver(actor, effect);
        return;
      case 'runClosed':
        actor.tail.forget(effect.runId);
        waiters.wake('close', actor.base, effect.runId);
        waiters.wake('event', actor.base, effect.runId);
        waiters.wake('state', actor.base, effect.runId);
        return;
      default:
        effect satisfies never;
    }
  }
}

const transientBatch = (started: StartedWorkflowTask): EventBatches =>
  started.transientEvents.length === 0 ? [] : [encode(started.transientEvents)];

function warmHistory(actor: Actor, started: StartedWorkflowTask): EventBatches | undefined {
  const history = actor.tail.read(started.task.runId, started.task.firstEventId, started.lastEventId);
  return history === undefined ? undefined : [...history, ...transientBatch(started)];
}

/** A page of the history that belongs to a started task, transient events at its very end (rule 6). */
export async function taskHistory(
  reader: Reader,
  actor: Actor,
  started: StartedWorkflowTask,
  from: number,
  maximumBytes: number,
): Promise<HistoryPage> {
  const page = { runId: started.task.runId, from, to: started.lastEventId, maximumBytes, edges: 'exact' as const };
  const { events, nextEventId } = await readHistory(reader, actor.base, page);
  if (nextEventId !== undefined) return { events, nextEventId };
  const transient = started.transientEvents.filter(({ eventId }) => eventId >= from);
  return { events: transient.length === 0 ? events : [...events, encode(transient)], nextEventId };
}

export type Started = StartedWorkflowTask | StartedActivityTask;
