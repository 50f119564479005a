// Lives one of the other lives of a seed (lives.ts): each move at whatever node is up, under a request id of its own, and what each comes to held against
// the truth. What must hold on the way the watches of the truth ask.

import { jsonPayloads } from '../../../src/core/workflow/fields.ts';
import type { StartMessage } from '../../../src/core/workflow/message.ts';
import type { UpdateWithStartMessage } from '../../../src/ports/engine.ts';
import { activityAddress } from '../../../src/wire/activity-address.ts';
import { EventType, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '../../../src/wire/enums.ts';
import { untimedRunId } from '../../../src/wire/run-id.ts';
import { StatusCode } from '../../../src/wire/status.ts';
import type {
  UpdateWithStartWorkflowExecutionResponse,
  UpdateWorkflowExecutionResponse,
} from '../../../src/wire/update.ts';
import { Violation } from '../kernel.ts';
import { callbackUrl } from '../operations/callback-watch.ts';
import type { SeededRandom } from '../random.ts';
import type { TrueRun } from '../truth.ts';
import type { ClientWorld } from './client.ts';
import { UPDATE } from './ledger.ts';
import type { End, LifeMove, LifePlan } from './lives.ts';
import { NAMESPACE } from './node.ts';
import { OperatorCalls } from './operator-calls.ts';
import { jsonOf, SIGNAL, TASK_QUEUE, type WorkflowInput } from './workflows.ts';

const identity = 'life';
const { NOT_FOUND, FAILED_PRECONDITION } = StatusCode;
/** Of updates: tasks of the workflow have failed or timed out one after the other, and it takes none until one is completed. */
const TASKS_FAIL = [FAILED_PRECONDITION];
const RETRY = { initialInterval: 100, backoffCoefficient: 1.5, maximumInterval: 1_000 };
const STEP_MS = 4_000;
const CHANGED_MS = 5_000;

const CLOSED_BY: Readonly<Record<End, EventType>> = {
  completed: EventType.WORKFLOW_EXECUTION_COMPLETED,
  cancelled: EventType.WORKFLOW_EXECUTION_CANCELED,
  terminated: EventType.WORKFLOW_EXECUTION_TERMINATED,
};

export class SimLife {
  readonly plan: LifePlan;
  readonly #world: ClientWorld;
  readonly #random: SeededRandom;
  readonly #calls: OperatorCalls;
  #done = 0;
  over = false;

  constructor(world: ClientWorld, plan: LifePlan, random: SeededRandom) {
    this.plan = plan;
    this.#world = world;
    this.#random = random;
    this.#calls = new OperatorCalls(world);
  }

  get where(): string {
    return `${this.plan.id} at ${JSON.stringify(this.plan.moves[this.#done])}`;
  }

  begin(): void {
    this.#run().catch((error: unknown) => this.#world.kernel.fail(error));
  }

  async #run(): Promise<void> {
    for (const move of this.plan.moves) {
      await this.#move(move, `${this.plan.id}/${this.#done}`);
      this.#done += 1;
    }
    this.#world.reached(`lived: ${this.plan.id.replace(/^life-\d+-/, '')}`);
    this.over = true;
  }

  async #move(move: LifeMove, requestId: string): Promise<void> {
    const calls = this.#calls;
    const asked = { target: {}, identity, reason: 'life', requestId } as const;
    switch (move.do) {
      case 'wait':
        await calls.pause(move.ms);
        return;
      case 'begin':
        await this.#begin(move, requestId);
        return;
      case 'begin by updates':
        await Promise.all(move.ids.map((id) => this.#beginByUpdate(move, id)));
        return;
      case 'update':
        await this.#update(move.workflowId, move.id);
        return;
      case 'tell': {
        const tell = (text: string): Promise<unknown> => {
          const signal = { signalName: SIGNAL, input: jsonPayloads(text), identity, requestId: `${requestId}/${text}` };
          return calls.submit(move.workflowId, { type: 'signal', target: {}, ...signal });
        };
        await Promise.all(move.texts.map(tell));
        return;
      }
      case 'terminate':
        await calls.submit(move.workflowId, { type: 'terminate', target: {}, identity, requestId });
        return;
      case 'hold':
        await calls.submit(move.workflowId, { type: 'pauseWorkflow', ...asked });
        return;
      case 'let go':
        await calls.submit(move.workflowId, { type: 'unpauseWorkflow', ...asked });
        return;
      case 'hold activities':
      case 'release activities':
      case 'change activities':
        await this.#activities(move, requestId);
        return;
      case 'begin activity':
        await this.#beginActivity(move.activityId, requestId);
        return;
      case 'activity ends':
        await this.#activityEnds(move.activityId);
        return;
      case 'ends':
        await this.#ends(move);
        return;
    }
  }

  // ---------------------------------------------------------------- begins

  #startOf(workflowType: string, input: WorkflowInput, requestId: string): StartMessage {
    return {
      ...{
        type: 'start',
        runId: untimedRunId(this.#random.uuid()),
        requestId,
        identity,
        workflowType,
        taskQueue: TASK_QUEUE,
      },
      input: jsonPayloads(input),
      reusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      conflictPolicy: WorkflowIdConflictPolicy.FAIL,
    };
  }

  async #begin(move: Extract<LifeMove, { do: 'begin' }>, requestId: string): Promise<void> {
    const { workflowId, type, input, cron, callback } = move;
    if (callback !== undefined) this.#world.callbacks.expect(workflowId);
    await this.#calls.submit(workflowId, {
      ...this.#startOf(type, input, requestId),
      ...(cron === undefined ? {} : { cronSchedule: cron }),
      ...(callback === undefined ? {} : { completionCallbacks: [{ nexus: { url: callbackUrl(workflowId) } }] }),
    });
  }

  /** Whoever is first begins it; the others meet it. */
  async #beginByUpdate(move: Extract<LifeMove, { do: 'begin by updates' }>, updateId: string): Promise<void> {
    const { workflowId, total } = move;
    const answer = await this.#calls.until<UpdateWithStartWorkflowExecutionResponse>(
      `start of ${workflowId} with update ${updateId}`,
      [],
      (engine, done) => {
        const message: UpdateWithStartMessage = {
          ...this.#startOf('ledger', { count: total }, `${workflowId}/${updateId}`),
          conflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
          update: { ...this.#askFor(updateId), until: 'completed' },
        };
        engine.updateWithStart({ namespace: NAMESPACE, workflowId }, message, done);
      },
      TASKS_FAIL,
    );
    if (answer !== undefined) this.#answered(workflowId, updateId, answer.update);
  }

  async #update(workflowId: string, updateId: string): Promise<void> {
    const answer = await this.#calls.until<UpdateWorkflowExecutionResponse>(
      `update ${updateId} of ${workflowId}`,
      [],
      (engine, done) => {
        const ask = { ...this.#askFor(updateId), until: 'completed' } as const;
        engine.update({ namespace: NAMESPACE, workflowId }, { type: 'update', target: {}, ...ask }, done);
      },
      TASKS_FAIL,
    );
    if (answer !== undefined) this.#answered(workflowId, updateId, answer);
  }

  #askFor(updateId: string) {
    return { callId: this.#random.uuid(), updateId, updateName: UPDATE, args: jsonPayloads(updateId), identity };
  }

  #answered(workflowId: string, updateId: string, answer: UpdateWorkflowExecutionResponse): void {
    const told = jsonOf(answer.outcome?.success);
    if (told !== updateId)
      throw new Violation('I5', `update ${updateId} of ${workflowId} was answered ${JSON.stringify(answer)}`);
    this.#world.updates.answered({ workflowId, updateId }, answer);
  }

  // ---------------------------------------------------------------- activities

  async #activities(
    move: Extract<LifeMove, { do: 'hold activities' | 'release activities' | 'change activities' }>,
    requestId: string,
  ): Promise<void> {
    const { workflowId } = move;
    const { watches } = this.#world.truth;
    const all = { target: {}, activities: { all: true } } as const;
    const begins = { jitter: 0, jitterSeed: 0, resetHeartbeats: false };
    switch (move.do) {
      case 'hold activities': {
        const activities = move.by === 'all' ? all.activities : { type: 'call' };
        const message = { type: 'pauseActivity', target: {}, activities, identity, reason: 'life', requestId } as const;
        await this.#calls.submit(workflowId, message, [NOT_FOUND, FAILED_PRECONDITION], () =>
          watches.asked('pauseActivity', { workflowId }),
        );
        return;
      }
      case 'release activities': {
        const message =
          move.how === 'unpause'
            ? ({ type: 'unpauseActivity', ...all, ...begins, resetAttempts: false } as const)
            : ({ type: 'resetActivity', ...all, ...begins, keepPaused: false, restoreOriginalOptions: false } as const);
        await this.#calls.submit(workflowId, message, [NOT_FOUND], () => watches.asked(message.type, { workflowId }));
        return;
      }
      case 'change activities': {
        const change = { startToCloseTimeout: CHANGED_MS };
        await this.#calls.submit(workflowId, { type: 'updateActivityOptions', ...all, change }, [NOT_FOUND]);
      }
    }
  }

  async #beginActivity(activityId: string, requestId: string): Promise<void> {
    await this.#calls.submit(activityAddress(activityId), {
      ...this.#startOf('call', { count: 0 }, requestId),
      ...{ retryPolicy: RETRY, activity: { activityId, startToCloseTimeout: STEP_MS } },
    });
  }

  /** Once, with what its worker said. */
  async #activityEnds(activityId: string): Promise<void> {
    const address = activityAddress(activityId);
    const { events } = await this.#closed(address);
    const results = events.flatMap((event) =>
      event.eventType === EventType.ACTIVITY_TASK_COMPLETED ? [jsonOf(event.attributes.result)] : [],
    );
    const wanted = `${address} ${activityId}`;
    if (results.length !== 1 || results[0] !== wanted)
      throw new Violation('I6', `activity ${activityId} has the results ${JSON.stringify(results)}, not ${wanted}`);
  }

  // ---------------------------------------------------------------- ends

  async #ends({ workflowId, as, result, order }: Extract<LifeMove, { do: 'ends' }>): Promise<void> {
    const { closed } = await this.#closed(workflowId);
    const is =
      closed?.eventType === EventType.WORKFLOW_EXECUTION_COMPLETED ? jsonOf(closed.attributes.result) : undefined;
    const isRight = result === undefined || textOf(is, order) === textOf(result, order);
    if (closed?.eventType !== CLOSED_BY[as] || !isRight)
      throw new Violation(
        'end',
        `${workflowId} ended by ${closed?.eventType} with ${JSON.stringify(is)}, not ${as} with ${JSON.stringify(result)}`,
      );
  }

  async #closed(workflowId: string): Promise<TrueRun> {
    const { truth } = this.#world;
    for (;;) {
      const run = truth.workflows.get(workflowId)?.at(-1);
      if (run?.closed !== undefined) return run;
      await this.#calls.pause();
    }
  }
}

const textOf = (result: unknown, order: 'any' | undefined): string =>
  JSON.stringify(order === 'any' && Array.isArray(result) ? result.toSorted() : result) ?? '';
