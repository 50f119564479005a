// What a client does from above to workflows, move by move; each move is repeated with the same request id until it is answered. What is decided on the
// way (an end in time, the point of a reset) is kept with the journal, which outlives the client.

import { defaultPayloadConverter, toPayloads } from '../../../sdk/common/payload-converter.ts';
import type { Methods } from '../../../src/wire/api.ts';
import { decode } from '../../../src/wire/codec.ts';
import type { Payloads } from '../../../src/wire/common.ts';
import {
  BatchOperationState,
  EventType,
  ResetReapplyExcludeType,
  WorkflowIdReusePolicy,
} from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { Schedule } from '../../../src/wire/schedule.ts';
import { StatusCode } from '../../../src/wire/status.ts';
import type { Caller } from '../caller.ts';
import { type Process, Violation } from '../kernel.ts';
import { NAMESPACE, TASK_QUEUE } from '../names.ts';
import type { Truth } from '../truth.ts';
import type { BatchVerb, Move, OperationPlan, PlannedSchedule } from './plan.ts';
import { AND_SIGNALS, WITHOUT_SIGNALS } from './reset-watch.ts';

/** What clients know of one plan; outlives them. */
export interface OperationJournal {
  readonly plan: OperationPlan;
  done: number;
  /** By move: what was chosen for it. */
  readonly chosen: Map<number, number>;
  /** By workflow id. */
  readonly firstRuns: Map<string, string>;
  over: boolean;
}

export const openJournal = (plan: OperationPlan): OperationJournal => {
  return { plan, done: 0, chosen: new Map(), firstRuns: new Map(), over: false };
};

export interface ScriptWorld {
  process: Process;
  caller: Caller;
  truth: Truth;
}

const { NOT_FOUND, FAILED_PRECONDITION, ALREADY_EXISTS } = StatusCode;
/** ms between two looks at a batch job. */
const LOOK_MS = 300;
const namespace = NAMESPACE;

const payloads = (...args: unknown[]): Payloads => ({ payloads: toPayloads(defaultPayloadConverter, ...args) ?? [] });

export class OperationScript {
  readonly #world: ScriptWorld;
  readonly #journal: OperationJournal;

  constructor(world: ScriptWorld, journal: OperationJournal) {
    this.#world = world;
    this.#journal = journal;
  }

  async run(): Promise<void> {
    const journal = this.#journal;
    for (;;) {
      const move = journal.plan.moves[journal.done];
      if (move === undefined) break;
      await this.#move(move);
      journal.done += 1;
    }
    journal.over = true;
  }

  get #requestId(): string {
    return `${this.#journal.plan.id}/${this.#journal.done}`;
  }

  /** Chosen once for this move, whoever makes it. */
  #choose(choice: () => number): number {
    const { chosen, done } = this.#journal;
    const before = chosen.get(done);
    if (before !== undefined) return before;
    const value = choice();
    chosen.set(done, value);
    return value;
  }

  async #move(move: Move): Promise<void> {
    const { caller, process } = this.#world;
    const requestId = this.#requestId;
    const identity = process.name;
    const schedule = { namespace, scheduleId: this.#journal.plan.id };
    const by = { ...schedule, identity, requestId };
    switch (move.do) {
      case 'wait':
        await caller.wait(move.ms);
        return;
      case 'create schedule': {
        const made = this.#schedule(move.schedule, move.paused);
        const initialPatch = move.trigger ? { triggerImmediately: {} } : undefined;
        await caller.sure('createSchedule', { ...by, schedule: made, initialPatch });
        // One that begins paused would never come to its end.
        if (move.paused)
          await caller.sure('patchSchedule', { ...by, requestId: `${requestId}/on`, patch: { unpause: 'go' } });
        return;
      }
      case 'update schedule':
        await caller.unless([NOT_FOUND], 'updateSchedule', { ...by, schedule: this.#schedule(move.schedule, false) });
        return;
      case 'pause schedule':
        await caller.unless([NOT_FOUND], 'patchSchedule', { ...by, patch: { pause: 'a while' } });
        return;
      case 'unpause schedule':
        await caller.unless([NOT_FOUND], 'patchSchedule', { ...by, patch: { unpause: 'on' } });
        return;
      case 'trigger schedule': {
        const { overlapPolicy } = move;
        await caller.unless([NOT_FOUND], 'patchSchedule', { ...by, patch: { triggerImmediately: { overlapPolicy } } });
        return;
      }
      case 'backfill schedule': {
        const endTime = this.#choose(() => Math.ceil(process.now()));
        const backfillRequest = [
          { startTime: endTime - Math.ceil(move.backMs), endTime, overlapPolicy: move.overlapPolicy },
        ];
        await caller.unless([NOT_FOUND], 'patchSchedule', { ...by, patch: { backfillRequest } });
        return;
      }
      case 'describe schedule':
        await caller.unless([NOT_FOUND], 'describeSchedule', schedule);
        return;
      case 'delete schedule':
        await caller.unless([NOT_FOUND], 'deleteSchedule', { ...schedule, identity });
        return;
      case 'start':
        await this.#start(move);
        return;
      case 'signal': {
        const { workflowId, text } = move;
        const signal = { namespace, workflowId, signalName: 'add', input: payloads(text), identity, requestId };
        await caller.unless([NOT_FOUND], 'signalWorkflowExecution', signal);
        return;
      }
      case 'reset':
        await this.#reset(move);
        return;
      case 'terminate': {
        const { workflowId } = move;
        await caller.unless([NOT_FOUND], 'terminateWorkflowExecution', { namespace, workflowId, identity, requestId });
        return;
      }
      case 'start anew':
        await this.#start(move, [ALREADY_EXISTS]);
        return;
      case 'delete': {
        const runId = this.#journal.firstRuns.get(move.workflowId);
        const gone = { namespace, workflowId: move.workflowId, runId, identity };
        if (runId !== undefined) await caller.unless([NOT_FOUND], 'deleteWorkflowExecution', gone);
        return;
      }
      case 'look': {
        const { workflowId } = move;
        const runId = this.#journal.firstRuns.get(workflowId);
        const one = { namespace, workflowId, runId };
        await caller.unless([NOT_FOUND], 'describeWorkflowExecution', one);
        await caller.unless([NOT_FOUND], 'getWorkflowExecutionHistory', one);
        await caller.sure('listWorkflowExecutions', { namespace, query: '' });
        return;
      }
      case 'result':
        await this.#result(move.workflowId);
        return;
      case 'batch': {
        const { jobId, verb, prefix, perSecond } = move;
        const query = { visibilityQuery: `WorkflowId STARTS_WITH '${prefix}'`, maxOperationsPerSecond: perSecond };
        const job = { namespace, jobId, reason: 'of the simulation', requestId, ...query };
        await caller.sure('startBatchOperation', { ...job, ...batchOf(verb, jobId) });
        return;
      }
      case 'stop batch':
        await caller.unless([NOT_FOUND], 'stopBatchOperation', { namespace, jobId: move.jobId, reason: 'enough' });
        return;
      case 'batch result':
        while (
          (await caller.sure('describeBatchOperation', { namespace, jobId: move.jobId })).state ===
          BatchOperationState.RUNNING
        )
          await caller.wait(LOOK_MS);
        return;
      case 'hold activities': {
        const { workflowId } = move;
        const which = { id: { activityId: '2' }, type: { activityType: 'call' }, all: { matchAll: true } }[move.by];
        const refusals = [NOT_FOUND, FAILED_PRECONDITION];
        await caller.unless(refusals, 'pauseActivity', { namespace, workflowId, identity, requestId, ...which });
        return;
      }
      case 'release activities': {
        const { workflowId } = move;
        const all = { namespace, workflowId, identity, matchAll: true };
        await caller.unless([NOT_FOUND], move.how === 'unpause' ? 'unpauseActivity' : 'resetActivity', all);
        return;
      }
      case 'change activities': {
        const { workflowId } = move;
        const activityOptions = { startToCloseTimeout: 4_000 };
        const changed = {
          namespace,
          workflowId,
          identity,
          matchAll: true,
          activityOptions,
          updateMask: ['startToCloseTimeout'],
        };
        await caller.unless([NOT_FOUND], 'updateActivityOptions', changed);
        return;
      }
    }
  }

  #schedule(planned: PlannedSchedule, paused: boolean): Schedule {
    const { everyMs, phaseMs, jitterMs, overlapPolicy, catchupWindow, pauseOnFailure, lastsMs, limit } = planned;
    const endTime = this.#choose(() => Math.ceil(this.#world.process.now() + lastsMs));
    const input = payloads(planned.runMs, planned.runEnds);
    const workflowId = `${this.#journal.plan.id}-errand`;
    return {
      spec: { interval: [{ interval: everyMs, phase: phaseMs }], jitter: jitterMs, endTime },
      action: { startWorkflow: { workflowId, workflowType: 'errand', taskQueue: TASK_QUEUE, input } },
      policies: { overlapPolicy, catchupWindow: catchupWindow || undefined, pauseOnFailure },
      state: { paused, ...(limit !== undefined && { limitedActions: true, remainingActions: limit }) },
    };
  }

  async #start(
    { workflowId, type, args, cron }: Omit<Extract<Move, { do: 'start' }>, 'do'>,
    refusals: readonly number[] = [],
  ): Promise<void> {
    const { caller, process } = this.#world;
    const answer = await caller.unless(refusals, 'startWorkflowExecution', {
      ...{ namespace, workflowId, workflowType: type, taskQueue: TASK_QUEUE, input: payloads(...args) },
      ...{ cronSchedule: cron, workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE },
      ...{ identity: process.name, requestId: this.#requestId },
    });
    if (answer !== undefined) this.#journal.firstRuns.set(workflowId, answer.runId);
  }

  async #reset({ workflowId, of, at, keepSignals }: Extract<Move, { do: 'reset' }>): Promise<void> {
    const { caller, process } = this.#world;
    const runId = of === 'first run' ? this.#journal.firstRuns.get(workflowId) : undefined;
    const points = await this.#finishedTasks(workflowId, runId);
    // Nothing is done yet that could be done again.
    if (points.events.length === 0) return;
    const chosen = this.#choose(() => points.events[Math.floor(at * points.events.length)] ?? 0);
    const left = keepSignals ? [] : [ResetReapplyExcludeType.SIGNAL];
    // Of no handler: what a diary comes to stays the same.
    const signals = Math.floor(at * 1_000) % 3 === 0;
    const after = { signalWorkflow: { signalName: 'after', input: payloads(this.#requestId) } };
    const reason = `reset ${keepSignals ? 'with all' : WITHOUT_SIGNALS}${signals ? AND_SIGNALS : ''}`;
    const request: Methods['resetWorkflowExecution']['request'] = {
      ...{ namespace, workflowId, workflowTaskFinishEventId: chosen, resetReapplyExcludeTypes: left },
      ...{ reason, identity: process.name, requestId: this.#requestId, runId },
      ...(signals && { postResetOperations: [after] }),
    };
    // Another run may be the current one by now, where that event ends no task.
    await caller.unless([StatusCode.INVALID_ARGUMENT], 'resetWorkflowExecution', request);
  }

  async #finishedTasks(workflowId: string, runId: string | undefined): Promise<{ events: number[] }> {
    const { caller } = this.#world;
    const { events } = await caller.sure('getWorkflowExecutionHistory', { namespace, workflowId, runId });
    const all = events.flatMap((bytes) => decode(bytes) as HistoryEvent[]); // the server's own
    return { events: all.flatMap((e) => (e.eventType === EventType.WORKFLOW_TASK_COMPLETED ? [e.eventId] : [])) };
  }

  async #result(workflowId: string): Promise<void> {
    const { caller } = this.#world;
    let answer: Methods['awaitWorkflowResult']['response'] | undefined;
    // A wait may end empty-handed at its deadline: it is asked again.
    while (answer === undefined)
      answer = await caller.sure('awaitWorkflowResult', { namespace, workflowId, runId: undefined, followRuns: true });
    const [event] = decode(answer.closeEvent) as HistoryEvent[]; // the server's own
    if (event?.eventType !== EventType.WORKFLOW_EXECUTION_COMPLETED || !workflowId.includes('diary')) return;
    const notes = JSON.parse(Buffer.from(event.attributes.result?.payloads?.[0]?.data ?? []).toString()) as string[];
    this.#checkNotes(workflowId, notes);
  }

  /** Each note once, in order; all of them where no reset left any behind. */
  #checkNotes(workflowId: string, notes: readonly string[]): void {
    const moves = this.#journal.plan.moves.slice(0, this.#journal.done);
    const sent = moves.flatMap((move) =>
      move.do === 'signal' && move.workflowId === workflowId && !move.text.startsWith('close') ? [move.text] : [],
    );
    const lost = moves.some((move) => move.do === 'reset' && (!move.keepSignals || move.of === 'first run'));
    const kept = lost ? sent.filter((note) => notes.includes(note)) : sent;
    if (kept.join() !== notes.join())
      throw new Violation('I5', `${workflowId} was sent ${sent.join()} and came to ${notes.join()}`);
  }
}

function batchOf(verb: BatchVerb, jobId: string): Partial<Methods['startBatchOperation']['request']> {
  switch (verb) {
    case 'signal':
      return { signalOperation: { signal: 'batched', input: payloads(jobId) } };
    case 'cancel':
      return { cancellationOperation: {} };
    case 'terminate':
      return { terminationOperation: {} };
    case 'delete':
      return { deletionOperation: {} };
  }
}
