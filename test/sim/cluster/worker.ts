// A worker of the cluster: a session at one node's matching, which it keeps over reconnects and restarts of that node. Answers go to whatever node is up,
// again under the same token while it is not known what became of them. Sometimes its connection takes no task, or loses one.

import { jsonPayloads } from '../../../src/core/workflow/fields.ts';
import type { Message, TaskRef } from '../../../src/core/workflow/message.ts';
import { encodeToken } from '../../../src/core/workflow/token.ts';
import type { ActorAddress, Done, Engine } from '../../../src/ports/engine.ts';
import type { Delivery, TaskKind, WorkerConnection, WorkerSession } from '../../../src/ports/matching.ts';
import type { EventBatches, QueryResult } from '../../../src/wire/api.ts';
import { decode } from '../../../src/wire/codec.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { ProtocolMessage } from '../../../src/wire/protocol-message.ts';
import { type Status, StatusCode } from '../../../src/wire/status.ts';
import { type Kernel, Violation } from '../kernel.ts';
import type { SeededRandom } from '../random.ts';
import { ledgerAnswer, type TaskAnswer } from './ledger.ts';
import type { ClusterProcess } from './node.ts';
import { NAMESPACE } from './node.ts';
import { commandsFor, signalsOf, startOf, TASK_QUEUE } from './workflows.ts';

export interface WorkerWorld {
  readonly kernel: Kernel;
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

const eventsOf = (batches: EventBatches): HistoryEvent[] => batches.flatMap((bytes) => decode(bytes) as HistoryEvent[]);

export class SimWorker {
  readonly name: string;
  readonly #world: WorkerWorld;
  readonly #random: SeededRandom;
  readonly #refuseChance: number;
  readonly #loseChance: number;
  readonly #ahead: boolean;
  #node: ClusterProcess | undefined;
  #connection: WorkerConnection = { openedAt: 0 };
  /** Tokens of tasks it has and has not answered. */
  readonly #held = new Set<string>();
  answered = 0;
  /** The world is healed: it works as it should. */
  calm = false;

  constructor(world: WorkerWorld, name: string, random: SeededRandom) {
    this.#world = world;
    this.name = name;
    this.#random = random;
    this.#refuseChance = random.pick([0, 0.02, 0.1]);
    this.#loseChance = random.pick([0, 0.01, 0.03]);
    this.#ahead = random.chance(0.5);
  }

  /** At a node that is up, as far as it knows. */
  get isConnected(): boolean {
    return this.#node?.process.alive === true;
  }

  /** Connects to a node that has just begun to serve, or anew. */
  connect(node: ClusterProcess): void {
    this.#node = node;
    const connection = { openedAt: 0 };
    this.#connection = connection;
    const { matcher, process } = node;
    process.act(() => matcher?.register(this.#session(connection)));
  }

  /** Its connection breaks, and it comes back with what it holds. */
  reconnect(): void {
    const node = this.#node;
    if (node === undefined || !node.process.alive) return;
    const connection = this.#connection;
    node.process.act(() => node.matcher?.unregister(this.name, connection));
    this.#connection = { openedAt: 0 };
    this.#world.kernel.after(this.#random.between(50, 500), 'worker reconnects', () => {
      if (this.#node === node && node.process.alive) this.connect(node);
    });
  }

  #session(connection: WorkerConnection): WorkerSession {
    return {
      ...{ session: this.name, connection, namespace: NAMESPACE, taskQueue: TASK_QUEUE, identity: this.name },
      ...{ buildId: undefined, stickyQueue: undefined, stickyScheduleToStartTimeout: 5_000 },
      ...{ workflowCredit: CREDIT.workflow, activityCredit: CREDIT.activity },
      ...{ maxActivitiesPerSecond: undefined, maxTaskQueueActivitiesPerSecond: undefined },
      heldTokens: new Set(this.#held),
      ahead: this.#ahead,
      ready: () => this.#connection === connection,
      push: (task) => this.#push(connection, task),
      pushDurable: () => undefined,
      pushOver: (tokens) => {
        for (const token of tokens) this.#held.delete(Buffer.from(token).toString('latin1'));
      },
      pushCancel: () => undefined,
    };
  }

  #push(connection: WorkerConnection, task: Delivery): boolean {
    if (this.#connection !== connection) return false;
    if (!this.calm && this.#random.chance(this.#refuseChance)) {
      // The buffer is full, or the socket has just gone: the credit is granted anew once it is not.
      this.#grant(task.kind === 'activity' ? 'activity' : 'workflow', 0);
      return false;
    }
    const node = this.#node;
    if (!this.calm && this.#random.chance(this.#loseChance)) {
      this.#world.kernel.note(`${this.name} loses ${task.kind} of ${task.workflowId}`);
      this.#world.kernel.after(5_000, 'credit comes back', () =>
        this.#grant(task.kind === 'activity' ? 'activity' : 'workflow', 1),
      );
      return true;
    }
    const workMs = this.#random.next() ** 4 * (task.kind === 'activity' ? 300 : 40) + 0.5;
    if (task.kind !== 'query') this.#held.add(tokenOf(task));
    this.#world.kernel.after(workMs, `${this.name} works`, () => this.#work(node, task));
    return true;
  }

  #grant(kind: TaskKind, n: number): void {
    const node = this.#node;
    node?.process.act(() => node.matcher?.grant(this.name, kind, n, this.#connection));
  }

  #work(node: ClusterProcess | undefined, task: Delivery): void {
    const { namespace, workflowId } = task;
    const to = { namespace, workflowId };
    switch (task.kind) {
      case 'workflow':
        this.#withHistory(node, task, (events) => this.#answerWorkflowTask(node, task, events));
        return;
      case 'activity':
        this.#answerActivity(node, task);
        return;
      case 'query': {
        const result: QueryResult = { answer: jsonPayloads(signalsOf(eventsOf(task.history))) };
        this.#world.ask<undefined>(
          node,
          `query answer of ${workflowId}`,
          (engine, done) => engine.answerQuery(to, task.queryId, result, done),
          () => this.#finished('workflow'),
        );
        return;
      }
    }
  }

  /** Pages that did not come with the task are fetched. */
  #withHistory(
    node: ClusterProcess | undefined,
    task: Extract<Delivery, { kind: 'workflow' }>,
    then: (events: HistoryEvent[]) => void,
  ): void {
    const events = eventsOf(task.history);
    if (task.nextEventId === undefined) {
      then(events);
      return;
    }
    const { runId, scheduledEventId } = task.started.ref;
    const to = { namespace: task.namespace, workflowId: task.workflowId };
    const page = { runId, scheduledEventId, fromEventId: task.nextEventId, maximumBytes: 1_000_000 };
    this.#world.ask<{ events: EventBatches; nextEventId: number | undefined }>(
      node,
      `task history of ${task.workflowId}`,
      (engine, done) => engine.taskHistory(to, page, done),
      (_error, answer) => {
        if (answer === undefined || answer.nextEventId !== undefined) this.#finished('workflow');
        else then([...events, ...eventsOf(answer.events)]);
      },
    );
  }

  #answerWorkflowTask(
    node: ClusterProcess | undefined,
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
        sticky: false,
      },
      queryResults: Object.fromEntries(Object.keys(queries).map((id) => [id, seen])),
      forceCreateNewWorkflowTask: false,
    };
    this.#answer(node, task, message, 'workflow');
  }

  #answerActivity(node: ClusterProcess | undefined, task: Extract<Delivery, { kind: 'activity' }>): void {
    const { ref, task: body } = task.started;
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

  #answer(
    node: ClusterProcess | undefined,
    task: Exclude<Delivery, { kind: 'query' }>,
    message: Message,
    kind: TaskKind,
  ): void {
    const to: ActorAddress = { namespace: task.namespace, workflowId: task.workflowId };
    const attempt = (n: number): void => {
      let over = false;
      const settle = (error: Status | undefined): void => {
        if (over) return;
        over = true;
        if (error !== undefined && n < MOST_TRIES && AGAIN.has(error.code)) {
          this.#world.kernel.after(100, 'worker tries again', () => attempt(n + 1));
          return;
        }
        if (error?.code === StatusCode.INTERNAL) {
          this.#world.kernel.fail(new Violation('door', `an answer of ${this.name} failed inside: ${error.message}`));
        }
        this.#held.delete(tokenOf(task));
        this.answered += 1;
        this.#finished(kind);
      };
      this.#world.ask(
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

  #finished(kind: TaskKind): void {
    this.#grant(kind, 1);
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
