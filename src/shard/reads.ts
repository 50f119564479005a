// Reads of executions: describe, history, results. None shows what is not durable (I1): an answer drawn from an actor's state waits for that
// actor's pending commit, and history is read from committed rows only.

import { stateEvents } from '../core/workflow/published.ts';
import { runNotFound, workflowNotFound } from '../core/workflow/rejections.ts';
import type { Done, HistoryQuery, Waiting } from '../ports/engine.ts';
import { key } from '../ports/ids.ts';
import { encode } from '../wire/codec.ts';
import { EventType, isOpenStatus, WorkflowExecutionStatus } from '../wire/enums.ts';
import type { HistoryEvent } from '../wire/event.ts';
import type { DescribeWorkflowExecutionResponse } from '../wire/execution-info.ts';
import type {
  AwaitWorkflowResultResponse,
  EventBatches,
  GetWorkflowExecutionHistoryResponse,
} from '../wire/history.ts';
import type { Status } from '../wire/status.ts';
import type { Actor } from './actor.ts';
import { type Actors, storedRow } from './actors.ts';
import type { ActorCore, Standing, StoredRow } from './core.ts';
import { taskHistory } from './delivery.ts';
import { type HistoryPage, readHistory, readLastEvent, recentLastEvent } from './history.ts';
import { after, rowKey, runPrefix } from './keys.ts';
import type { Reader } from './reader.ts';
import { dataLoss, messageOf, notFound, unavailable } from './status.ts';
import type { Waiters, WaitFor } from './waiters.ts';

export interface ReadsOptions {
  core: ActorCore;
  actors: Actors;
  reader: Reader;
  waiters: Waiters;
  /** Why nothing is served, or undefined. */
  refusal(): Status | undefined;
  onReadFailed(error: unknown): void;
}

interface Address {
  namespace: string;
  workflowId: string;
}

/** The run a reader means, as of a durable state. */
interface Located {
  actor: Actor;
  runId: string;
  /** Of the current run; undefined for an earlier, closed one. */
  current: Omit<Standing, 'runId'> | undefined;
  /** Of the current run: what follows its last event and is not written yet. */
  unwritten: HistoryEvent[];
}

const ROWS = 100_000;

/** A call that was given up: its answer goes nowhere. */
class Call implements Waiting {
  given = false;
  #inner: Waiting | undefined;

  abandon(): void {
    this.given = true;
    this.#inner?.abandon();
  }

  follow(inner: Waiting): void {
    this.#inner = inner;
  }
}

export class Reads {
  readonly #options: ReadsOptions;
  /** Of published state, under way. */
  readonly #stateReadings = new Map<string, Promise<HistoryPage | undefined>>();

  constructor(options: ReadsOptions) {
    this.#options = options;
  }

  describe(to: Address, runId: string | undefined, done: Done<DescribeWorkflowExecutionResponse>): void {
    this.#options.actors.with(to.namespace, to.workflowId, {
      run: (actor) => {
        const { core } = this.#options;
        const wanted = runId === '' ? undefined : runId;
        if (wanted === undefined || wanted === core.currentRunId(actor.state)) {
          const answer = core.describe(actor.state, undefined);
          this.#durable(actor, done, () => {
            if (answer === undefined) done(unknownWorkflow(to), undefined);
            else done(undefined, answer);
          });
          return;
        }
        this.#durable(actor, done, () => {
          this.#rowsOf(actor, wanted).then(
            (rows) => {
              const answer = core.describeEarlier(actor.state, wanted, rows);
              if (answer === undefined) done(unknownRun(to, wanted), undefined);
              else done(undefined, answer);
            },
            (error: unknown) => this.#failed(error, to, done),
          );
        });
      },
      refuse: (why) => done(why, undefined),
    });
  }

  history(to: Address, query: HistoryQuery, done: Done<GetWorkflowExecutionHistoryResponse>): Waiting {
    const call = new Call();
    if (query.changedSince !== undefined) this.#changed(to, query.runId, query.changedSince, call, done);
    else if (query.stateOnly === true) this.#state(to, query, call, done);
    else this.#history(to, query, call, done);
    return call;
  }

  /** Answers without events, once the run is another than it was. */
  #changed(
    to: Address,
    run: string | undefined,
    since: number,
    call: Call,
    done: Done<GetWorkflowExecutionHistoryResponse>,
  ): void {
    this.#locate(to, run, call, done, ({ actor, runId, current }) => {
      const closed = current === undefined || !isOpenStatus(current.status);
      if (closed || current.transitions > since) done(undefined, { runId, events: [], closed, nextEventId: undefined });
      else this.#wait('change', actor, runId, call, done, () => this.#changed(to, runId, since, call, done));
    });
  }

  #history(to: Address, query: HistoryQuery, call: Call, done: Done<GetWorkflowExecutionHistoryResponse>): void {
    this.#locate(to, query.runId, call, done, ({ actor, runId, current, unwritten }) => {
      const closed = current === undefined || !isOpenStatus(current.status);
      const nothingNew = query.closeEventOnly || (current !== undefined && query.fromEventId > current.lastEventId);
      if (!closed && nothingNew) {
        if (!query.waitNewEvent) {
          // A page that begins with them: a worker that reads by its task's events needs each of them.
          const shown = query.withUnwritten === true && !query.closeEventOnly && unwritten.length > 0;
          done(undefined, { runId, events: shown ? [encode(unwritten)] : [], closed, nextEventId: undefined });
          return;
        }
        const on = query.closeEventOnly ? 'close' : 'event';
        this.#wait(on, actor, runId, call, done, () => this.#history(to, { ...query, runId }, call, done));
        return;
      }
      this.#readHistory(actor, runId, current?.lastEventId, query).then(
        (page) => {
          if (call.given) return;
          if (page === undefined) done(unknownRun(to, runId), undefined);
          else {
            const ends = query.withUnwritten === true && page.nextEventId === undefined && unwritten.length > 0;
            const events = ends ? [...page.events, encode(unwritten)] : page.events;
            done(undefined, { runId, closed, ...page, events });
          }
        },
        (error: unknown) => this.#failed(error, to, done),
      );
    });
  }

  /** What a run publishes, from an event on: the markers with latest values. A reader that comes back with the next id misses none. */
  #state(to: Address, query: HistoryQuery, call: Call, done: Done<GetWorkflowExecutionHistoryResponse>): void {
    this.#locate(to, query.runId, call, done, ({ actor, runId, current }) => {
      const closed = current === undefined || !isOpenStatus(current.status);
      if (!closed && query.waitNewEvent && stateEvents(current.published, query.fromEventId).length === 0) {
        this.#wait('state', actor, runId, call, done, () => this.#state(to, { ...query, runId }, call, done));
        return;
      }
      this.#sharedState(actor, to, runId, current, query).then(
        (page) => {
          if (call.given) return;
          if (page === undefined) done(unknownRun(to, runId), undefined);
          else done(undefined, { runId, closed, ...page });
        },
        (error: unknown) => this.#failed(error, to, done),
      );
    });
  }

  /** One reading for all who are woken by the same event and stand at the same place. */
  #sharedState(
    actor: Actor,
    to: Address,
    runId: string,
    current: Located['current'],
    query: HistoryQuery,
  ): Promise<HistoryPage | undefined> {
    const { fromEventId, maximumBytes } = query;
    const id = `${actor.base}${runId}\0${current?.lastEventId ?? 'closed'}\0${fromEventId}\0${maximumBytes}`;
    const reading = this.#stateReadings.get(id);
    if (reading !== undefined) return reading;
    const page = this.#readState(actor, to, runId, current, query);
    this.#stateReadings.set(id, page);
    const forget = (): void => void this.#stateReadings.delete(id);
    page.then(forget, forget);
    return page;
  }

  async #readState(
    actor: Actor,
    to: Address,
    runId: string,
    current: Located['current'],
    { fromEventId, maximumBytes }: HistoryQuery,
  ): Promise<{ events: EventBatches; nextEventId: number | undefined } | undefined> {
    const { core, reader } = this.#options;
    let index = current?.published;
    if (current === undefined) {
      const rows = await this.#rowsOf(actor, runId);
      index = rows.length === 0 ? undefined : core.publishedBy(core.load(to.namespace, to.workflowId, rows), runId);
      if (index === undefined) return undefined;
    }
    const events: EventBatches = [];
    let bytes = 0;
    for (const id of stateEvents(index, fromEventId)) {
      if (bytes > maximumBytes) return { events, nextEventId: id };
      const page = await readHistory(reader, actor.base, { runId, from: id, to: id, maximumBytes, edges: 'exact' });
      for (const batch of page.events) bytes += batch.length;
      events.push(...page.events);
    }
    return { events, nextEventId: undefined };
  }

  async #readHistory(
    actor: Actor,
    runId: string,
    lastEventId: number | undefined,
    query: HistoryQuery,
  ): Promise<{ events: EventBatches; nextEventId: number | undefined } | undefined> {
    const { reader } = this.#options;
    if (query.closeEventOnly) {
      const recent = lastEventId === undefined ? undefined : recentLastEvent(reader, actor.base, runId, lastEventId);
      const last = recent ?? (await readLastEvent(reader, actor.base, runId));
      return last === undefined ? undefined : { events: [encode([last])], nextEventId: undefined };
    }
    const to = lastEventId ?? (await readLastEvent(reader, actor.base, runId))?.eventId;
    if (to === undefined) return undefined;
    const { fromEventId: from, maximumBytes } = query;
    return readHistory(reader, actor.base, { runId, from: Math.max(1, from), to, maximumBytes, edges: 'whole' });
  }

  taskHistory(
    to: Address,
    task: { runId: string; scheduledEventId: number; fromEventId: number; maximumBytes: number },
    done: Done<{ events: EventBatches; firstEventId: number; nextEventId: number | undefined }>,
  ): void {
    this.#options.actors.with(to.namespace, to.workflowId, {
      run: (actor) => {
        const { core, reader } = this.#options;
        const { runId, scheduledEventId, fromEventId, maximumBytes } = task;
        const started = core.startedTask(actor.state, 'workflow', runId, scheduledEventId);
        // A direct query's token names no task: its worker reads the run as it is.
        const basis = scheduledEventId === 0 ? core.queryBasis(actor.state, runId) : undefined;
        this.#durable(actor, done, () => {
          let page: ReturnType<typeof readHistory>;
          if (started?.type === 'workflowTaskStarted')
            page = taskHistory(reader, actor, started, fromEventId, maximumBytes);
          else if (basis !== undefined) {
            const range = { runId, from: fromEventId, to: basis.lastEventId, maximumBytes };
            page = readHistory(reader, actor.base, { ...range, edges: 'exact' });
          } else {
            done(notFound(`The workflow task of ${to.workflowId} is over: drop it.`), undefined);
            return;
          }
          page.then(
            ({ events, nextEventId }) => done(undefined, { events, firstEventId: fromEventId, nextEventId }),
            (error: unknown) => this.#failed(error, to, done),
          );
        });
      },
      refuse: (why) => done(why, undefined),
    });
  }

  awaitResult(
    to: Address,
    runId: string | undefined,
    followRuns: boolean,
    done: Done<AwaitWorkflowResultResponse>,
  ): Waiting {
    const call = new Call();
    this.#await(to, runId, followRuns, call, done);
    return call;
  }

  #await(
    to: Address,
    runId: string | undefined,
    followRuns: boolean,
    call: Call,
    done: Done<AwaitWorkflowResultResponse>,
  ): void {
    this.#locate(to, runId, call, done, ({ actor, runId: run, current }) => {
      const look = (): void => this.#await(to, run, followRuns, call, done);
      if (current !== undefined && isOpenStatus(current.status)) {
        this.#wait('close', actor, run, call, done, look);
        return;
      }
      const answer = (event: HistoryEvent | undefined): void => {
        if (call.given) return;
        const status = event === undefined ? undefined : closeStatus(event);
        if (event === undefined || status === undefined) {
          done(unknownRun(to, run), undefined);
          return;
        }
        const successor = followRuns ? successorOf(event) : undefined;
        if (successor !== undefined) this.#await(to, successor, followRuns, call, done);
        else done(undefined, { runId: run, status, closeEvent: encode([event]) });
      };
      const { reader } = this.#options;
      const recent = current && recentLastEvent(reader, actor.base, run, current.lastEventId);
      if (recent !== undefined) answer(recent);
      else readLastEvent(reader, actor.base, run).then(answer, (error: unknown) => this.#failed(error, to, done));
    });
  }

  /** Rows of an earlier run, for messages that speak of it. */
  async rowsOf(actor: Actor, runId: string): Promise<StoredRow[]> {
    return this.#rowsOf(actor, runId);
  }

  async #rowsOf(actor: Actor, runId: string): Promise<StoredRow[]> {
    const prefix = runPrefix(actor.base, runId);
    const rows = await this.#options.reader.range(key(prefix), after(prefix), ROWS);
    return rows.map(([k, value]) => storedRow(k, prefix, runId, value));
  }

  #locate<T>(to: Address, runId: string | undefined, call: Call, done: Done<T>, then: (found: Located) => void): void {
    const refusal = this.#options.refusal();
    if (refusal !== undefined) {
      if (!call.given) done(refusal, undefined);
      return;
    }
    this.#options.actors.with(to.namespace, to.workflowId, {
      run: (actor) => {
        const current = this.#options.core.standing(actor.state);
        const unwritten = this.#options.core.unwrittenOf(actor.state);
        this.#durable(actor, done, () => {
          if (call.given) return;
          const wanted = runId === '' ? undefined : runId;
          if (current !== undefined && (wanted === undefined || wanted === current.runId)) {
            then({ actor, runId: current.runId, current, unwritten });
          } else if (wanted === undefined) done(unknownWorkflow(to), undefined);
          else {
            // The events of a run that was deleted are there for a while.
            this.#options.reader.get(rowKey(actor.base, 'run', wanted, '')).then(
              (row) => {
                if (call.given) return;
                if (row === undefined) done(unknownRun(to, wanted), undefined);
                else then({ actor, runId: wanted, current: undefined, unwritten: [] });
              },
              (error: unknown) => this.#failed(error, to, done),
            );
          }
        });
      },
      refuse: (why) => done(why, undefined),
    });
  }

  /** Once everything the actor has decided so far is durable. */
  #durable<T>(actor: Actor, done: Done<T>, then: () => void): void {
    if (actor.pending === undefined) then();
    else actor.pending.wait({ durable: then, failed: (why) => done(why, undefined) });
  }

  #wait<T>(on: WaitFor, actor: Actor, runId: string, call: Call, done: Done<T>, wake: () => void): void {
    const waiting = this.#options.waiters.wait(on, actor.base, runId, wake);
    if ('code' in waiting) done(waiting, undefined);
    else call.follow(waiting);
  }

  #failed<T>(error: unknown, to: Address, done: Done<T>): void {
    this.#options.onReadFailed(error);
    const corrupt = !(error instanceof Error && 'kind' in error) || error.kind === 'corrupt';
    const what = `Workflow ${to.workflowId} cannot be read: ${messageOf(error)}`;
    done(corrupt ? dataLoss(what) : unavailable(what, 'no'), undefined);
  }
}

const unknownWorkflow = ({ workflowId }: Address): Status => workflowNotFound(workflowId).status;

const unknownRun = ({ workflowId }: Address, runId: string): Status => runNotFound(workflowId, runId).status;

function closeStatus({ eventType }: HistoryEvent): WorkflowExecutionStatus | undefined {
  switch (eventType) {
    case EventType.WORKFLOW_EXECUTION_COMPLETED:
      return WorkflowExecutionStatus.COMPLETED;
    case EventType.WORKFLOW_EXECUTION_FAILED:
      return WorkflowExecutionStatus.FAILED;
    case EventType.WORKFLOW_EXECUTION_TIMED_OUT:
      return WorkflowExecutionStatus.TIMED_OUT;
    case EventType.WORKFLOW_EXECUTION_TERMINATED:
      return WorkflowExecutionStatus.TERMINATED;
    case EventType.WORKFLOW_EXECUTION_CANCELED:
      return WorkflowExecutionStatus.CANCELED;
    case EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
      return WorkflowExecutionStatus.CONTINUED_AS_NEW;
    default:
      return undefined;
  }
}

/** The run that carries the chain on. */
function successorOf(event: HistoryEvent): string | undefined {
  switch (event.eventType) {
    case EventType.WORKFLOW_EXECUTION_COMPLETED:
    case EventType.WORKFLOW_EXECUTION_FAILED:
    case EventType.WORKFLOW_EXECUTION_TIMED_OUT:
    case EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
      return event.attributes.newExecutionRunId || undefined;
    default:
      return undefined;
  }
}
