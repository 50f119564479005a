// A worker of the cluster: a session at one node's matching, or as the SDK's at every node's, which it keeps over reconnects and restarts of those nodes.
// Answers go to whatever node is up, again under the same token while it is not known what became of them. Sometimes a connection takes no task, or
// loses one. It may keep executions warm, and have a sticky queue.

import { jsonPayloads } from '../../../src/core/workflow/fields.ts';
import type { Message, TaskRef } from '../../../src/core/workflow/message.ts';
import type { Reply } from '../../../src/core/workflow/outcome.ts';
import { decodeToken, encodeToken } from '../../../src/core/workflow/token.ts';
import type { ActorAddress, Done, Engine } from '../../../src/ports/engine.ts';
import type { Delivery, TaskKind, WorkerConnection, WorkerSession } from '../../../src/ports/matching.ts';
import { decode } from '../../../src/wire/codec.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { EventBatches, GetWorkflowExecutionHistoryResponse } from '../../../src/wire/history.ts';
import type { ProtocolMessage } from '../../../src/wire/protocol-message.ts';
import { type Status, StatusCode } from '../../../src/wire/status.ts';
import type { QueryResult } from '../../../src/wire/workflow-task.ts';
import { type Kernel, Violation } from '../kernel.ts';
import type { SeededRandom } from '../random.ts';
import type { Truth } from '../truth.ts';
import type { Heartbeats } from './heartbeats.ts';
import { ledgerAnswer, type TaskAnswer } from './ledger.ts';
import type { ClusterProcess } from './node.ts';
import { NAMESPACE } from './node.ts';
import type { TaskWatch } from './task-watch.ts';
import { checkTrue, checkWhole, WarmRuns } from './warm-runs.ts';
import { CLIMBS, commandsFor, signalsOf, startOf, TASK_QUEUE } from './workflows.ts';

/** How the workers of a seed are. */
export interface WorkerWays {
  /** Connected to every node that is up, rather than to one. */
  readonly everywhere: boolean;
  /** With sticky queues. */
  readonly warm: boolean;
}

export interface WorkerWorld {
  readonly kernel: Kernel;
  readonly truth: Truth;
  readonly heartbeats: Heartbeats;
  readonly tasks: TaskWatch;
  reached(what: string): void;
  /** Asks a node that is up, this one if possible; `done` may never be called. */
  ask<T>(
    preferred: ClusterProcess | undefined,
    what: string,
    go: (engine: Engine, done: Done<T>) => void,
    done: Done<T>,
  ): void;
}

const CREDIT = { workflow: 8, activity: 8 };
/** ms after which an answer that brought no reply is given again. */
const AGAIN_MS = 3_000;
const MOST_TRIES = 12;
/** Of tasks that find their run kept warm: it has just been evicted. */
const EVICTED = 0.1;

const eventsOf = (batches: EventBatches): HistoryEvent[] => batches.flatMap((bytes) => decode(bytes) as HistoryEvent[]);

export class SimWorker {
  readonly name: string;
  readonly #world: WorkerWorld;
  readonly #random: SeededRandom;
  readonly #refuseChance: number;
  readonly #loseChance: number;
  readonly #ahead: boolean;
  readonly #ways: WorkerWays;
  /** Its connection to each node it is at. */
  readonly #connections = new Map<ClusterProcess, WorkerConnection>();
  /** Tokens of tasks it has and has not answered. */
  readonly #held = new Set<string>();
  /** Answered, whatever came of it: several nodes may think that it lacks a task. */
  readonly #settled = new Set<string>();
  readonly #warm = new WarmRuns();
  answered = 0;
  /** The world is healed: it works as it should. */
  calm = false;

  constructor(world: WorkerWorld, name: string, random: SeededRandom, ways: WorkerWays) {
    this.#world = world;
    this.#ways = ways;
    this.name = name;
    this.#random = random;
    this.#refuseChance = random.pick([0, 0.02, 0.1]);
    this.#loseChance = random.pick([0, 0.01, 0.03]);
    this.#ahead = random.chance(0.5);
  }

  /** Of these nodes, which are up, those that it should be at and is not. */
  missing(up: readonly ClusterProcess[], random: SeededRandom): readonly ClusterProcess[] {
    for (const node of this.#connections.keys()) if (!node.process.alive) this.#connections.delete(node);
    if (this.#ways.everywhere) return up.filter((node) => !this.#connections.has(node));
    return this.#connections.size > 0 || up.length === 0 ? [] : [random.pick(up)];
  }

  /** Connects to a node that has just begun to serve, or anew. */
  connect(node: ClusterProcess): void {
    const connection = { openedAt: 0 };
    this.#connections.set(node, connection);
    const { matcher, process } = node;
    process.act(() => matcher?.register(this.#session(node, connection)));
  }

  /** A connection of it breaks, and it comes back with what it holds. */
  reconnect(): void {
    const nodes = [...this.#connections.keys()];
    const node = nodes.length > 1 ? this.#random.pick(nodes) : nodes[0];
    const connection = node && this.#connections.get(node);
    if (node === undefined || connection === undefined || !node.process.alive) return;
    const broken = { openedAt: 0 };
    node.process.act(() => node.matcher?.unregister(this.name, connection));
    this.#connections.set(node, broken);
    this.#world.kernel.after(this.#random.between(50, 500), 'worker reconnects', () => {
      if (this.#connections.get(node) === broken && node.process.alive) this.connect(node);
    });
  }

  #session(node: ClusterProcess, connection: WorkerConnection): WorkerSession {
    return {
      ...{ session: this.name, connection, namespace: NAMESPACE, taskQueue: TASK_QUEUE, identity: this.name },
      ...{ buildId: undefined, stickyScheduleToStartTimeout: 5_000 },
      stickyQueue: this.#ways.warm ? `${this.name} sticky` : undefined,
      ...{ workflowCredit: CREDIT.workflow, activityCredit: CREDIT.activity },
      ...{ maxActivitiesPerSecond: undefined, maxTaskQueueActivitiesPerSecond: undefined },
      heldTokens: new Set(this.#held),
      ahead: this.#ahead,
      ready: () => this.#connections.get(node) === connection,
      push: (task) => this.#push(node, connection, task),
      pushDurable: (token) => this.#world.tasks.durable(token),
      pushOver: (tokens) => {
        for (const token of tokens) {
          this.#held.delete(Buffer.from(token).toString('latin1'));
          this.#warm.evict(decodeToken(token)?.runId ?? '');
        }
      },
      pushCancel: () => undefined,
    };
  }

  #push(node: ClusterProcess, connection: WorkerConnection, task: Delivery): boolean {
    if (this.#connections.get(node) !== connection) return false;
    if (task.kind !== 'query') this.#world.tasks.pushed(task);
    const kind = task.kind === 'activity' ? 'activity' : 'workflow';
    if (!this.calm && this.#random.chance(this.#refuseChance)) {
      // The buffer is full, or the socket has just gone: the credit is granted anew once it is not.
      this.#grant(node, kind, 0);
      return false;
    }
    if (!this.calm && this.#random.chance(this.#loseChance)) {
      this.#world.kernel.note(`${this.name} loses ${task.kind} of ${task.workflowId}`);
      this.#world.kernel.after(5_000, 'credit comes back', () => this.#grant(node, kind, 1));
      return true;
    }
    const workMs = this.#random.next() ** 4 * (task.kind === 'activity' ? 300 : 40) + 0.5;
    if (task.kind !== 'query') {
      const token = tokenOf(task);
      if (this.#ways.everywhere && (this.#held.has(token) || this.#settled.has(token))) {
        this.#world.reached('a task was sent twice');
        this.#world.kernel.after(0.1, 'credit comes back', () => this.#grant(node, kind, 1));
        return true;
      }
      this.#held.add(token);
    }
    this.#world.kernel.after(workMs, `${this.name} works`, () => this.#work(node, task));
    return true;
  }

  /** To the node that the task came from, or to another one when it has lost that. */
  #grant(from: ClusterProcess, kind: TaskKind, n: number): void {
    const node = this.#connections.has(from) ? from : this.#connections.keys().next().value;
    const connection = node && this.#connections.get(node);
    if (connection !== undefined) node?.process.act(() => node.matcher?.grant(this.name, kind, n, connection));
  }

  #work(node: ClusterProcess, task: Delivery): void {
    const { namespace, workflowId } = task;
    const to = { namespace, workflowId };
    switch (task.kind) {
      case 'workflow': {
        const work = (): void => {
          if (this.#ways.warm && !this.#warm.take(task.started.ref.runId, work)) return;
          this.#withHistory(node, task, (events) => this.#answerWorkflowTask(node, task, events));
        };
        work();
        return;
      }
      case 'activity':
        this.#answerActivity(node, task);
        return;
      case 'query':
        this.#withQueried(node, task, (events) => {
          const result: QueryResult = { answer: jsonPayloads(signalsOf(events)) };
          this.#world.ask<undefined>(
            node,
            `query answer of ${workflowId}`,
            (engine, done) => engine.answerQuery(to, task.queryId, result, done),
            () => this.#finished(node, 'workflow'),
          );
        });
        return;
    }
  }

  /** What a warm worker knows of the run, or all of it. */
  #withQueried(
    node: ClusterProcess,
    {
      namespace,
      workflowId,
      runId,
      history,
      firstEventId,
      previousStartedEventId,
    }: Extract<Delivery, { kind: 'query' }>,
    then: (events: readonly HistoryEvent[]) => void,
  ): void {
    const known = firstEventId === 1 ? eventsOf(history) : this.#warm.upTo(runId, previousStartedEventId);
    if (known !== undefined) {
      then(known);
      return;
    }
    const page = { runId, fromEventId: 1, maximumBytes: 1_000_000, waitNewEvent: false, closeEventOnly: false };
    this.#world.ask<GetWorkflowExecutionHistoryResponse>(
      node,
      `history of ${workflowId} for a query`,
      (engine, done) => void engine.history({ namespace, workflowId }, page, done),
      (_error, answer) => {
        if (answer === undefined) this.#finished(node, 'workflow');
        else then(eventsOf(answer.events));
      },
    );
  }

  /** What did not come with the task is fetched: pages, and what is not warm any more. */
  #withHistory(
    node: ClusterProcess,
    task: Extract<Delivery, { kind: 'workflow' }>,
    then: (events: HistoryEvent[]) => void,
  ): void {
    const { workflowId } = task;
    const { runId, scheduledEventId } = task.started.ref;
    if (this.#ways.warm && this.#random.chance(EVICTED)) this.#warm.evict(runId);
    const before = this.#warm.before(runId, task.started.task.firstEventId);
    const events = before === undefined ? [] : [...before, ...eventsOf(task.history)];
    if (before === undefined) this.#world.reached('an evicted run was asked for');
    else if (before.length > 0) this.#world.reached('a task found its run warm');
    const whole = (all: HistoryEvent[]): void => {
      checkWhole(workflowId, all);
      then(all);
    };
    if (before !== undefined && task.nextEventId === undefined) {
      whole(events);
      return;
    }
    const to = { namespace: task.namespace, workflowId };
    const fromEventId = before === undefined ? 1 : (task.nextEventId ?? 1);
    const page = { runId, scheduledEventId, fromEventId, maximumBytes: 1_000_000 };
    let isHeard = false;
    const heard = (answer: { events: EventBatches; nextEventId: number | undefined } | undefined): void => {
      if (isHeard) return;
      isHeard = true;
      if (answer !== undefined && answer.nextEventId === undefined) {
        whole([...events, ...eventsOf(answer.events)]);
        return;
      }
      this.#warm.settled(runId, undefined);
      this.#finished(node, 'workflow');
    };
    this.#world.ask<{ events: EventBatches; nextEventId: number | undefined }>(
      node,
      `task history of ${workflowId}`,
      (engine, done) => engine.taskHistory(to, page, done),
      (_error, answer) => heard(answer),
    );
    // The node may be gone: other tasks of the run wait for this one's turn to end.
    this.#world.kernel.after(AGAIN_MS * 4, 'worker waits no longer', () => heard(undefined));
  }

  #answerWorkflowTask(
    node: ClusterProcess,
    task: Extract<Delivery, { kind: 'workflow' }>,
    events: HistoryEvent[],
  ): void {
    const { ref } = task.started;
    const { task: body } = task.started;
    const { queries = {} } = body;
    const seen: QueryResult = { answer: jsonPayloads(signalsOf(events)) };
    const message: Message = {
      ...{
        type: 'completeWorkflowTask',
        task: ref,
        identity: this.name,
        ...answerTo(events, body.messages ?? []),
        sticky: this.#ways.warm,
      },
      queryResults: Object.fromEntries(Object.keys(queries).map((id) => [id, seen])),
      forceCreateNewWorkflowTask: false,
    };
    const { runId } = ref;
    this.#answer(node, task, message, 'workflow', (error) => {
      if (error === undefined)
        checkTrue(
          task.workflowId,
          events.slice(0, task.started.lastEventId),
          this.#world.truth.run(runId)?.events ?? [],
        );
      this.#warm.settled(runId, this.#ways.warm && error === undefined ? events : undefined);
    });
  }

  #answerActivity(node: ClusterProcess, task: Extract<Delivery, { kind: 'activity' }>): void {
    const { ref, task: body } = task.started;
    if (body.activityType === CLIMBS) {
      this.#climb(node, task);
      return;
    }
    const activity = { task: ref };
    const identity = this.name;
    const fails = !this.calm && body.attempt < 3 && this.#random.chance(0.1);
    const message: Message = fails
      ? {
          type: 'failActivityTask',
          activity,
          identity,
          failure: { message: 'now and then', source: 'sim', applicationFailureInfo: { type: 'Now' } },
        }
      : {
          type: 'completeActivityTask',
          activity,
          identity,
          result: jsonPayloads(`${task.workflowId} ${body.activityId}`),
        };
    this.#answer(node, task, message, 'activity');
  }

  /** As many steps as its workflow wants. */
  #climb(node: ClusterProcess, task: Extract<Delivery, { kind: 'activity' }>): void {
    const { heartbeats } = this.#world;
    const { namespace, workflowId, started } = task;
    const activity = { task: started.ref };
    const identity = this.name;
    const [first] = this.#world.truth.run(started.ref.runId)?.events ?? [];
    const { count: to } = startOf(first === undefined ? [] : [first]).input;
    const from = heartbeats.begun(task, (what) => this.#world.reached(what));
    heartbeats.climb(
      this.#world,
      task,
      { from, to, calm: () => this.calm },
      (message, done) =>
        this.#world.ask(
          node,
          `heartbeat of ${workflowId}`,
          (engine, told) => engine.submit({ namespace, workflowId }, message, told),
          done,
        ),
      (how) => {
        if (how === 'completed')
          this.#answer(
            node,
            task,
            { type: 'completeActivityTask', activity, identity, result: jsonPayloads(to) },
            'activity',
          );
        else if (how === 'failed') {
          const failure = { message: 'slipped', source: 'sim', applicationFailureInfo: { type: 'Now' } };
          this.#answer(node, task, { type: 'failActivityTask', activity, identity, failure }, 'activity');
        } else {
          this.#held.delete(tokenOf(task));
          if (this.#ways.everywhere) this.#settled.add(tokenOf(task));
          this.#finished(node, 'activity');
        }
      },
    );
  }

  #answer(
    node: ClusterProcess,
    task: Exclude<Delivery, { kind: 'query' }>,
    message: Message,
    kind: TaskKind,
    heard: (error: Status | undefined) => void = () => undefined,
  ): void {
    const to: ActorAddress = { namespace: task.namespace, workflowId: task.workflowId };
    const attempt = (n: number): void => {
      let over = false;
      const settle = (error: Status | undefined, reply?: Reply): void => {
        if (over) return;
        over = true;
        if (error !== undefined && n < MOST_TRIES && AGAIN.has(error.code)) {
          this.#world.kernel.after(100, 'worker tries again', () => attempt(n + 1));
          return;
        }
        if (error?.code === StatusCode.INTERNAL) {
          this.#world.kernel.fail(new Violation('door', `an answer of ${this.name} failed inside: ${error.message}`));
        }
        if (error === undefined) this.#world.tasks.taken(tokenOf(task), task, message, reply);
        this.#held.delete(tokenOf(task));
        if (this.#ways.everywhere) this.#settled.add(tokenOf(task));
        this.answered += 1;
        heard(error);
        this.#finished(node, kind);
      };
      this.#world.ask<Reply>(
        n === 0 ? node : undefined,
        `${message.type} of ${to.workflowId}`,
        (engine, done) => engine.submit(to, message, done),
        settle,
      );
      this.#world.kernel.after(AGAIN_MS * 4, 'worker waits no longer', () =>
        settle({ code: StatusCode.UNAVAILABLE, message: 'no answer' }),
      );
    };
    attempt(0);
  }

  #finished(from: ClusterProcess, kind: TaskKind): void {
    this.#grant(from, kind, 1);
  }
}

const AGAIN: ReadonlySet<number> = new Set([
  StatusCode.UNAVAILABLE,
  StatusCode.RESOURCE_EXHAUSTED,
  StatusCode.DEADLINE_EXCEEDED,
]);

function answerTo(events: readonly HistoryEvent[], asked: readonly ProtocolMessage[]): TaskAnswer {
  const { type, input } = startOf(events);
  return type === 'ledger' ? ledgerAnswer(events, asked, input.count) : { commands: commandsFor(events), messages: [] };
}

function tokenOf(task: Exclude<Delivery, { kind: 'query' }>): string {
  const { namespace, workflowId, kind } = task;
  const ref: TaskRef = task.started.ref;
  return Buffer.from(encodeToken({ kind, namespace, workflowId, ...ref })).toString('latin1');
}
