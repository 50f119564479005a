// A worker without workflow code, in the bench's own process: completes every workflow at its first task, and checks that each comes once and in
// order. So cheap that the nodes are what is measured.

import { randomUUID } from 'node:crypto';
import type { Connection } from 'tenuto/client';
import type { Methods } from '../../src/wire/api.ts';
import { CommandType } from '../../src/wire/enums.ts';
import type { WorkflowTask } from '../../src/wire/workflow-task.ts';

type ServedNode = Parameters<Parameters<Connection['serveNodes']>[0]>[0][number];

const IDENTITY = 'drainer';
/** Places between two looks at the clock that are kept. */
const STEP = 100;
/** A task that does not come for so long is missing. */
const MISSING_MS = 60_000;

export interface DrainerOptions {
  readonly connection: Connection;
  readonly taskQueue: string;
  /** So many that serve; they neither come nor go meanwhile. */
  readonly nodes: number;
  /** Tasks in its hands at once, all nodes together. */
  readonly credit: number;
  /** Takes so many. */
  readonly upTo: number;
  /** All that wait. */
  readonly total: number;
  /** Which of them a workflow id names: 0 to `total` - 1. */
  numberOf(workflowId: string): number;
  /** So many that are started, or given out, at once have no order among them. */
  readonly orderless: number;
  /** These are to come first. */
  isUrgent(n: number): boolean;
  /** One more is completed: how many so far. */
  completed(count: number): void;
}

export class Drainer {
  /** Usual tasks that came while urgent ones waited. */
  aheadOfUrgent = 0;
  /** Of the usual task that most others came before: how many places later they were started. */
  overtakenPlaces = 0;
  /** The longest that a usual task came after one that had been started `orderless` places or more behind it, ms. */
  lateMs = 0;
  readonly #options: DrainerOptions;
  readonly #workerId = randomUUID();
  readonly #seen: Uint8Array;
  #urgentLeft = 0;
  #usualCame = 0;
  #furthest = 0;
  /** How far it had got, and when: one for each step of `STEP` places. */
  readonly #steps: number[] = [];
  /** Credit that nodes have, and tasks that came: together never more than it is to take. */
  #granted: number;
  #completed = 0;
  #finish: () => void = () => {};
  #fail: (error: unknown) => void = () => {};

  constructor(options: DrainerOptions) {
    this.#options = options;
    this.#seen = new Uint8Array(options.total);
    for (let n = 0; n < options.total; n += 1) if (options.isUrgent(n)) this.#urgentLeft += 1;
    this.#granted = Math.min(options.credit, options.upTo);
  }

  /** Resolves when all are completed. @throws Error for a task that came twice, was refused, or does not come */
  async run(): Promise<void> {
    const { connection } = this.#options;
    const done = new Promise<void>((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    // Those known at first may be some of them: none is told of a worker before all are there.
    let toRegister = this.#options.nodes;
    const stop = connection.serveNodes((nodes) => {
      if (nodes.length !== toRegister) return;
      toRegister = 0;
      for (const [index, node] of nodes.entries()) this.#register(node, index);
    });
    let completedBefore = -1;
    const look = setInterval(() => {
      const missing = `nothing was completed for ${MISSING_MS} ms: ${this.#completed} of ${this.#options.upTo} tasks came`;
      if (this.#completed === completedBefore) this.#fail(new Error(missing));
      completedBefore = this.#completed;
    }, MISSING_MS);
    try {
      await done;
    } finally {
      clearInterval(look);
      stop();
    }
  }

  #register(node: ServedNode, index: number): void {
    const { taskQueue, nodes } = this.#options;
    const upTo = (count: number): number => Math.floor((this.#granted * count) / nodes);
    const workflowCredit = upTo(index + 1) - upTo(index);
    const registration = { workerId: this.#workerId, namespace: 'default', taskQueue, identity: IDENTITY };
    node.onPush('workflowTask', (task) => this.#take(task, (body) => node.ask('respondWorkflowTaskCompleted', body)));
    node
      .request('registerWorker', { ...registration, workflowCredit, activityCredit: 0, heldTokens: [] })
      .catch(this.#fail);
  }

  #take(
    task: WorkflowTask,
    complete: (body: Methods['respondWorkflowTaskCompleted']['request']) => Promise<unknown>,
  ): void {
    const { numberOf, isUrgent, orderless, upTo, completed } = this.#options;
    const n = numberOf(task.workflowId);
    if (this.#seen[n] !== 0 || task.attempt !== 1) {
      this.#fail(new Error(`the task of ${task.workflowId} came twice (attempt ${task.attempt})`));
      return;
    }
    this.#seen[n] = 1;
    if (isUrgent(n)) {
      this.#urgentLeft -= 1;
      this.aheadOfUrgent = this.#usualCame;
    } else {
      this.#usualCame += 1;
      this.overtakenPlaces = Math.max(this.overtakenPlaces, this.#furthest - n);
      this.#furthest = Math.max(this.#furthest, n);
      const nowMs = performance.now();
      while (this.#steps.length * STEP <= this.#furthest) this.#steps.push(nowMs);
      const passedAtMs = this.#steps[Math.ceil((n + orderless) / STEP)];
      if (passedAtMs !== undefined) this.lateMs = Math.max(this.lateMs, nowMs - passedAtMs);
    }
    const credit = this.#granted < upTo ? 1 : 0;
    this.#granted += credit;
    const commands = [{ commandType: CommandType.COMPLETE_WORKFLOW_EXECUTION, attributes: {} }];
    complete({ token: task.token, identity: IDENTITY, commands, sticky: false, credit }).then(() => {
      this.#completed += 1;
      completed(this.#completed);
      if (this.#completed === upTo) this.#finish();
    }, this.#fail);
  }
}
