// Who works on workflows from above in the cluster: makes and changes schedules, sends runs back, starts batch jobs, at whatever node is up, each move
// repeated under its request id until it is answered. What must hold is asked by the watches of the truth (../operations), over fail-overs and moves.

import type { JobOrder } from '../../../src/core/batch/job.ts';
import { scheduleAddress } from '../../../src/core/schedule/address.ts';
import type { ScheduleDefinition } from '../../../src/core/schedule/message.ts';
import { jsonPayloads } from '../../../src/core/workflow/fields.ts';
import type { Message } from '../../../src/core/workflow/message.ts';
import type { Done, Engine } from '../../../src/ports/engine.ts';
import type { BatchOperationInfo } from '../../../src/wire/batch.ts';
import {
  BatchOperationState,
  EventType,
  ResetReapplyExcludeType,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '../../../src/wire/enums.ts';
import { untimedRunId } from '../../../src/wire/run-id.ts';
import type { SchedulePatch } from '../../../src/wire/schedule.ts';
import { StatusCode } from '../../../src/wire/status.ts';
import type { ListWorkflowExecutionsResponse } from '../../../src/wire/visibility.ts';
import { EPOCH, Violation } from '../kernel.ts';
import type { Move, OperationPlan, PlannedSchedule } from '../operations/plan.ts';
import { WITHOUT_SIGNALS } from '../operations/reset-watch.ts';
import type { SeededRandom } from '../random.ts';
import type { ClientWorld } from './client.ts';
import { NAMESPACE } from './node.ts';
import { OperatorCalls } from './operator-calls.ts';
import { SIGNAL, TASK_QUEUE, type WorkflowInput } from './workflows.ts';

const namespace = NAMESPACE;
const identity = 'operator';

const { NOT_FOUND, INVALID_ARGUMENT, ALREADY_EXISTS } = StatusCode;

export class SimOperator {
  readonly plan: OperationPlan;
  readonly #world: ClientWorld;
  readonly #random: SeededRandom;
  readonly #calls: OperatorCalls;
  readonly #firstRuns = new Map<string, string>();
  /** Batch jobs, by id. */
  readonly #orders = new Map<string, JobOrder>();
  #done = 0;
  over = false;

  constructor(world: ClientWorld, plan: OperationPlan, random: SeededRandom) {
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
      await this.#move(move);
      this.#done += 1;
    }
    this.over = true;
  }

  async #move(move: Move): Promise<void> {
    const requestId = `${this.plan.id}/${this.#done}`;
    const schedule = scheduleAddress(this.plan.id);
    const patch = (patched: SchedulePatch): Promise<unknown> => {
      this.#world.truth.watches.asked('patchSchedule', { scheduleId: this.plan.id, patch: patched });
      return this.#calls.submit(schedule, { type: 'patchSchedule', requestId, patch: patched }, [NOT_FOUND]);
    };
    switch (move.do) {
      case 'wait':
        await this.#calls.pause(move.ms);
        return;
      case 'create schedule': {
        const made = this.#schedule(move.schedule);
        const patched = move.trigger ? { triggerImmediately: {} } : undefined;
        const incarnation = this.#random.uuid();
        await this.#calls.submit(schedule, {
          type: 'createSchedule',
          requestId,
          incarnation,
          schedule: made,
          patch: patched,
        });
        return;
      }
      case 'update schedule': {
        const made = this.#schedule(move.schedule);
        await this.#calls.submit(schedule, { type: 'updateSchedule', requestId, schedule: made }, [NOT_FOUND]);
        return;
      }
      case 'pause schedule':
        await patch({ pause: 'a while' });
        return;
      case 'unpause schedule':
        await patch({ unpause: 'on' });
        return;
      case 'trigger schedule':
        await patch({ triggerImmediately: { overlapPolicy: move.overlapPolicy } });
        return;
      case 'backfill schedule': {
        const endTime = this.#now;
        const { backMs, overlapPolicy } = move;
        await patch({ backfillRequest: [{ startTime: endTime - Math.ceil(backMs), endTime, overlapPolicy }] });
        return;
      }
      case 'describe schedule': {
        const told = await this.#calls.submit(schedule, { type: 'describeSchedule' }, [NOT_FOUND]);
        if (told?.type === 'scheduleDescribed') this.#answered('describeSchedule', told.response);
        return;
      }
      case 'delete schedule':
        await this.#calls.submit(schedule, { type: 'deleteSchedule', requestId }, [NOT_FOUND]);
        return;
      case 'start':
        await this.#start(move.workflowId, move.type, requestId);
        return;
      case 'signal': {
        const { workflowId, text } = move;
        const signal = { signalName: SIGNAL, input: jsonPayloads(text), identity, requestId };
        await this.#calls.submit(workflowId, { type: 'signal', target: {}, ...signal }, [NOT_FOUND]);
        return;
      }
      case 'start anew':
        await this.#start(move.workflowId, move.type, requestId, [ALREADY_EXISTS]);
        return;
      case 'terminate':
        await this.#calls.submit(move.workflowId, { type: 'terminate', target: {}, identity, requestId }, [NOT_FOUND]);
        return;
      case 'delete':
        await this.#delete(move.workflowId);
        return;
      case 'look':
        await this.#look(move.workflowId);
        return;
      case 'reset':
        await this.#reset(move, requestId);
        return;
      case 'result':
        while (this.#world.truth.workflows.get(move.workflowId)?.at(-1)?.closed === undefined)
          await this.#calls.pause();
        return;
      case 'batch':
      case 'stop batch':
      case 'batch result':
        await this.#batch(move, requestId);
        return;
      default:
        throw new Error(`the cluster's simulation has no move ${move.do}`);
    }
  }

  get #now(): number {
    return Math.ceil(EPOCH + this.#world.kernel.now);
  }

  #answered(method: string, answer: object): void {
    this.#world.truth.watches.answered(method, { scheduleId: this.plan.id }, answer);
  }

  #schedule(planned: PlannedSchedule): ScheduleDefinition {
    const { everyMs, phaseMs, jitterMs, overlapPolicy, catchupWindow, pauseOnFailure, lastsMs, limit } = planned;
    const workflow = { workflowId: `${this.plan.id}-errand`, workflowType: 'errand', taskQueue: TASK_QUEUE };
    const input = jsonPayloads({
      count: 0,
      ms: Math.ceil(planned.runMs),
      ends: planned.runEnds,
    } satisfies WorkflowInput);
    return {
      spec: {
        interval: [{ interval: everyMs, phase: phaseMs }],
        jitter: jitterMs,
        endTime: this.#now + Math.ceil(lastsMs),
      },
      action: { startWorkflow: { ...workflow, input } },
      policies: { overlapPolicy, catchupWindow: catchupWindow || undefined, pauseOnFailure },
      state: limit === undefined ? {} : { limitedActions: true, remainingActions: limit },
    };
  }

  async #delete(workflowId: string): Promise<void> {
    const runId = this.#firstRuns.get(workflowId);
    if (runId === undefined) return;
    const { watches } = this.#world.truth;
    watches.asked('deleteWorkflowExecution', { workflowId, runId });
    const reply = await this.#calls.submit(workflowId, { type: 'deleteExecution', target: { runId }, identity }, [
      NOT_FOUND,
    ]);
    if (reply !== undefined) watches.answered('deleteWorkflowExecution', { workflowId, runId }, reply);
  }

  /** Described, read and listed: there as long as nobody deleted it, and not any more. */
  async #look(workflowId: string): Promise<void> {
    const runId = this.#firstRuns.get(workflowId);
    if (runId === undefined) return;
    const { truth } = this.#world;
    const { deletions } = truth.watches;
    const to = { namespace, workflowId };
    const page = { runId, fromEventId: 1, maximumBytes: 10_000_000, waitNewEvent: false, closeEventOnly: false };
    const query = `WorkflowId = '${workflowId}'`;
    let entries = 0;
    const asked = async <T>(what: string, go: (engine: Engine, done: Done<T>) => void): Promise<T | undefined> => {
      const found = await this.#calls.until<T>(`${what} of ${workflowId}`, [NOT_FOUND], (engine, done) => {
        const then = truth.entries;
        go(engine, (error, value) => {
          entries = then;
          done(error, value);
        });
      });
      if (found === undefined) deletions.notFound(runId, what);
      return found;
    };
    const described = await asked<object>('describe', (engine, done) => engine.describe(to, runId, done));
    if (described !== undefined) deletions.shown(runId, entries, 'a description');
    const history = await asked<object>('history', (engine, done) => void engine.history(to, page, done));
    if (history !== undefined) deletions.shown(runId, entries, 'a history');
    const list = await asked<ListWorkflowExecutionsResponse>('list', (engine, done) =>
      engine.list({ namespace, query, pageSize: 100, nextPageToken: undefined }, done),
    );
    const listed = (list?.executions ?? []).map((info) => info.runId);
    for (const one of listed) deletions.shown(one, entries, 'a list');
    if (!listed.includes(runId)) deletions.notFound(runId, 'a list');
  }

  async #start(
    workflowId: string,
    workflowType: string,
    requestId: string,
    refusals: readonly number[] = [],
  ): Promise<void> {
    const message: Message = {
      ...{
        type: 'start',
        runId: untimedRunId(this.#random.uuid()),
        requestId,
        identity,
        workflowType,
        taskQueue: TASK_QUEUE,
      },
      input: jsonPayloads({ count: 0 } satisfies WorkflowInput),
      reusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      conflictPolicy: WorkflowIdConflictPolicy.FAIL,
    };
    const reply = await this.#calls.submit(workflowId, message, refusals);
    if (reply?.type === 'started') this.#firstRuns.set(workflowId, reply.response.runId);
  }

  async #reset({ workflowId, of, at, keepSignals }: Extract<Move, { do: 'reset' }>, requestId: string): Promise<void> {
    const { truth } = this.#world;
    const runId = of === 'first run' ? this.#firstRuns.get(workflowId) : truth.workflows.get(workflowId)?.at(-1)?.runId;
    const points = (truth.run(runId ?? '')?.events ?? []).filter(
      ({ eventType }) => eventType === EventType.WORKFLOW_TASK_COMPLETED,
    );
    const point = points[Math.floor(at * points.length)];
    // Nothing is done yet that could be done again.
    if (point === undefined) return;
    const message: Message = {
      ...{ type: 'reset', target: { runId }, runId: untimedRunId(this.#random.uuid()), requestId, identity },
      ...{ workflowTaskFinishEventId: point.eventId, reason: `reset ${keepSignals ? 'with all' : WITHOUT_SIGNALS}` },
      exclude: keepSignals ? [] : [ResetReapplyExcludeType.SIGNAL],
    };
    const reply = await this.#calls.submit(workflowId, message, [INVALID_ARGUMENT]);
    if (reply?.type === 'reset') this.#answered('resetWorkflowExecution', { runId: reply.runId });
  }

  async #batch(move: Extract<Move, { do: 'batch' | 'stop batch' | 'batch result' }>, requestId: string): Promise<void> {
    const { jobId } = move;
    switch (move.do) {
      case 'batch': {
        const signal = { type: 'signal', signalName: 'batched', input: jsonPayloads(jobId) } as const;
        const order: JobOrder = {
          ...{ jobId, requestId, identity, reason: 'of the simulation', perSecond: move.perSecond },
          operation: move.verb === 'signal' ? signal : { type: move.verb },
          target: { query: `WorkflowId STARTS_WITH '${move.prefix}'` },
        };
        this.#orders.set(jobId, order);
        await this.#calls.job({ type: 'start', order });
        return;
      }
      case 'stop batch':
        await this.#calls.job({ type: 'stop', jobId, reason: 'enough', identity });
        return;
      case 'batch result':
        await this.#batchResult(jobId);
    }
  }

  /** Until one has ended that had no failure: on rows that were damaged it has, until their directory was replaced. */
  async #batchResult(jobId: string): Promise<void> {
    let job: BatchOperationInfo | undefined;
    for (;;) {
      job = (await this.#calls.job({ type: 'describe', jobId }))?.jobs?.[0];
      if (job !== undefined) this.#answered('describeBatchOperation', job);
      if (job?.state !== BatchOperationState.RUNNING) break;
      await this.#calls.pause();
    }
    const order = this.#orders.get(jobId);
    // Nobody waits for what a signal does.
    if (!job?.failureOperationCount || order === undefined || order.operation.type === 'signal') return;
    const { kernel, mayFailToRead } = this.#world;
    if (!mayFailToRead)
      kernel.fail(new Violation('batch', `${jobId} failed at ${job.failureOperationCount}, and no row was damaged`));
    const again = { ...order, jobId: `${jobId}-again`, requestId: `${order.requestId} again` };
    this.#orders.set(again.jobId, again);
    await this.#calls.job({ type: 'start', order: again });
    await this.#batchResult(again.jobId);
  }
}
