// A client of the Temporal-compatible door: works through its workflows' steps, repeats each request under its id until it is answered, and long-polls the history for
// the result. What it has done is remembered outside, so that one that crashed goes on, repeating the step it does not know the end of.

import { bytes, type Message, number, part, text } from '../../../src/frontend/grpc/rpc.ts';
import {
  EventType,
  UpdateWorkflowExecutionLifecycleStage as Stage,
  WorkflowIdReusePolicy,
} from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import { StatusCode } from '../../../src/wire/status.ts';
import { same } from '../flush-watch.ts';
import { type Kernel, Process, Violation } from '../kernel.ts';
import { NAMESPACE, TASK_QUEUE } from '../names.ts';
import type { Network } from '../network.ts';
import { DESK_QUEUE, TASK_TIMEOUT_MS } from './desk.ts';
import { payloads, valueIn } from './payloads.ts';
import type { DoorPlan, DoorStep, DoorWorkflow } from './plan.ts';
import { runSchedule, type ScheduleJournal } from './schedules.ts';
import { Stub } from './stub.ts';

/** What clients know of one workflow; outlives them. */
export interface DoorJournal {
  readonly plan: DoorWorkflow;
  done: number;
  runId: string | undefined;
  /** Signals and updates that were acknowledged: queries asked from then on show them. */
  readonly acknowledged: Set<string>;
  closed: HistoryEvent | undefined;
}

/** All of one seed. */
export interface DoorJournals {
  readonly workflows: readonly DoorJournal[];
  readonly schedules: readonly ScheduleJournal[];
}

export const openDoorJournals = ({ workflows, schedules }: DoorPlan): DoorJournals => ({
  workflows: workflows.map((plan) => ({
    ...{ plan, done: 0, runId: undefined, acknowledged: new Set(), closed: undefined },
  })),
  schedules: schedules.map(({ id, moves }) => ({ id, moves, done: 0, chosen: new Map(), over: false })),
});

export const areAnswered = ({ workflows, schedules }: DoorJournals): boolean =>
  workflows.every(({ closed }) => closed !== undefined) && schedules.every(({ over }) => over);

/** ms a long poll waits. */
const LONG_POLL_MS = 8_000;
const CLOSE_EVENT = 2;
/** ms after which a workflow whose task failed is tried again. */
const FAILING_MS = 300;
/** Pages of a history that is read once. */
const MAX_PAGES = 60;

export function startDoorClient(
  { kernel, network }: { kernel: Kernel; network: Network },
  name: string,
  { workflows, schedules }: DoorJournals,
): Process {
  const process = new Process(kernel, name);
  kernel.at(kernel.now, process, 'starts', () => {
    const stub = new Stub(process, network);
    const failed = (error: unknown): void => {
      if (process.alive) kernel.fail(error);
    };
    for (const journal of workflows) new Script(stub, journal).run().catch(failed);
    for (const journal of schedules) runSchedule(stub, journal).catch(failed);
  });
  return process;
}

class Script {
  readonly #stub: Stub;
  readonly #journal: DoorJournal;

  constructor(stub: Stub, journal: DoorJournal) {
    this.#stub = stub;
    this.#journal = journal;
  }

  async run(): Promise<void> {
    const journal = this.#journal;
    for (;;) {
      const step = journal.plan.steps[journal.done];
      if (step === undefined) break;
      await this.#step(step);
      journal.done += 1;
    }
    journal.closed ??= await this.#result();
  }

  get #execution(): Message {
    return { workflowId: this.#journal.plan.workflowId };
  }

  async #step(step: DoorStep): Promise<void> {
    const stub = this.#stub;
    const { workflowId } = this.#journal.plan;
    const requestId = `${workflowId}/${this.#journal.done}`;
    const identity = stub.process.name;
    const target = { namespace: NAMESPACE, workflowExecution: this.#execution, identity, requestId };
    switch (step.do) {
      case 'pause':
        await stub.wait(step.ms);
        return;
      case 'start':
      case 'startAgain':
        this.#began(await stub.sure('StartWorkflowExecution', this.#start(`${workflowId}/start`)));
        return;
      case 'startOther':
        await this.#startOther(requestId);
        return;
      case 'signalWithStart': {
        const signal = { signalName: 'add', signalInput: payloads(step.id) };
        this.#began(
          await stub.sure('SignalWithStartWorkflowExecution', { ...this.#start(`${workflowId}/start`), ...signal }),
        );
        this.#journal.acknowledged.add(step.id);
        return;
      }
      case 'signal':
        await stub.sure('SignalWorkflowExecution', { ...target, signalName: 'add', input: payloads(step.id) });
        this.#journal.acknowledged.add(step.id);
        return;
      case 'update':
        await this.#update(step);
        return;
      case 'ask':
        await this.#ask(step.id);
        return;
      case 'cancel':
        await stub.sure('RequestCancelWorkflowExecution', target);
        return;
      case 'query':
        await this.#query();
        return;
      case 'describe':
        await stub.sure('DescribeWorkflowExecution', { namespace: NAMESPACE, execution: this.#execution });
        return;
      case 'history':
        await this.#history(step);
        return;
      case 'look':
        await this.#look(step.workflowId);
        return;
      case 'list':
        await stub.sure('ListWorkflowExecutions', { namespace: NAMESPACE, query: '' });
        return;
    }
  }

  #start(requestId: string): Message {
    const { workflowId, type, args } = this.#journal.plan;
    return {
      ...{ namespace: NAMESPACE, workflowId, workflowType: { name: type }, requestId },
      taskQueue: { name: type === 'desk' ? DESK_QUEUE : TASK_QUEUE },
      ...{ input: payloads(...args), identity: this.#stub.process.name },
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      workflowTaskTimeout: type === 'desk' ? TASK_TIMEOUT_MS : undefined,
    };
  }

  #began(answer: Message): void {
    const journal = this.#journal;
    const runId = text(answer, 'runId');
    if (journal.runId !== undefined && journal.runId !== runId) {
      const { workflowId } = journal.plan;
      throw new Violation('I5', `${workflowId} was started as run ${journal.runId}, a repeat says ${runId}`);
    }
    journal.runId = runId;
  }

  async #startOther(requestId: string): Promise<void> {
    const other = await this.#stub.unless(
      [StatusCode.ALREADY_EXISTS],
      'StartWorkflowExecution',
      this.#start(requestId),
    );
    if (other !== undefined) throw new Violation('I8', `${this.#journal.plan.workflowId} was started a second time`);
  }

  async #update({ id, until }: Extract<DoorStep, { do: 'update' }>): Promise<void> {
    const { workflowId } = this.#journal.plan;
    const lifecycleStage = until === 'accepted' ? Stage.ACCEPTED : Stage.COMPLETED;
    const meta = { updateId: id, identity: this.#stub.process.name };
    const asked = {
      ...{ namespace: NAMESPACE, workflowExecution: this.#execution, waitPolicy: { lifecycleStage } },
      request: { meta, input: { name: 'note', args: payloads(id) } },
    };
    let answer: Message | undefined;
    // A wait that ends early says how far it has come; and no update is taken while the workflow's task keeps failing.
    while (number(answer ?? {}, 'stage') < lifecycleStage) {
      answer = await this.#stub.unless([StatusCode.FAILED_PRECONDITION], 'UpdateWorkflowExecution', asked);
      if (answer === undefined) await this.#stub.wait(FAILING_MS);
    }
    const outcome = part(answer ?? {}, 'outcome');
    const isRight = id.startsWith('bad')
      ? part(part(outcome, 'failure'), 'applicationFailureInfo').type === 'Bad'
      : answer?.outcome === undefined
        ? until === 'accepted'
        : valueIn(outcome.success) === id;
    if (!isRight) throw new Violation('I5', `update ${id} of ${workflowId} was answered ${JSON.stringify(answer)}`);
    if (!id.startsWith('bad')) this.#journal.acknowledged.add(id);
  }

  /** It was accepted, so it comes to its end. */
  async #ask(updateId: string): Promise<void> {
    const ref = { workflowExecution: this.#execution, updateId };
    const asked = { namespace: NAMESPACE, updateRef: ref, waitPolicy: { lifecycleStage: Stage.COMPLETED } };
    let answer: Message;
    do answer = await this.#stub.sure('PollWorkflowExecutionUpdate', asked);
    while (answer.outcome === undefined);
    if (valueIn(part(answer, 'outcome').success) !== updateId)
      throw new Violation('I5', `update ${updateId} came to ${JSON.stringify(answer.outcome)}`);
  }

  /** What it shows was there; and what was acknowledged before is shown. */
  async #query(): Promise<void> {
    const { acknowledged, plan } = this.#journal;
    const before = [...acknowledged];
    const query = { queryType: 'seen' };
    const answer = await this.#stub.try('QueryWorkflow', { namespace: NAMESPACE, execution: this.#execution, query });
    const seen = valueIn(answer?.queryResult) as string[] | undefined; // as the workflows of the simulation answer
    const missing = seen && before.filter((id) => !seen.includes(id));
    // The others do not show what they are busy with.
    if (plan.type !== 'desk' || missing === undefined || missing.length === 0) return;
    throw new Violation(
      'query',
      `${plan.workflowId} answers ${JSON.stringify(seen)}, ${missing.join()} was acknowledged before it was asked`,
    );
  }

  /** Pages follow each other without a gap, to the end or as far as it is patient. */
  async #history({ wait, pageSize }: Extract<DoorStep, { do: 'history' }>): Promise<void> {
    const { runId } = this.#journal;
    const execution = { ...this.#execution, runId };
    let nextPageToken = new Uint8Array();
    let last = 0;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const asked = { namespace: NAMESPACE, execution, maximumPageSize: pageSize, nextPageToken, waitNewEvent: wait };
      const answer = await this.#stub.try('GetWorkflowExecutionHistory', asked, wait ? LONG_POLL_MS : undefined);
      if (answer === undefined) return;
      for (const { eventId } of eventsIn(answer)) {
        if (eventId !== last + 1)
          throw new Violation('door', `a page of run ${runId} goes on with event ${eventId} after event ${last}`);
        last = eventId;
      }
      nextPageToken = Uint8Array.from(bytes(answer, 'nextPageToken'));
      // It waits for a page or two, not for the workflow to end.
      if (nextPageToken.length === 0 || (wait && page > 1)) return;
    }
  }

  async #look(workflowId: string): Promise<void> {
    const one = { namespace: NAMESPACE, execution: { workflowId } };
    await this.#stub.unless([StatusCode.NOT_FOUND], 'DescribeWorkflowExecution', one);
    await this.#stub.unless([StatusCode.NOT_FOUND], 'GetWorkflowExecutionHistory', one);
  }

  /** The closing event of the last run. */
  async #result(): Promise<HistoryEvent> {
    let { runId } = this.#journal;
    let nextPageToken = new Uint8Array();
    for (;;) {
      const execution = { ...this.#execution, runId };
      const how = { waitNewEvent: true, historyEventFilterType: CLOSE_EVENT, nextPageToken };
      const answer = await this.#poll({ namespace: NAMESPACE, execution, ...how });
      nextPageToken = Uint8Array.from(bytes(answer, 'nextPageToken'));
      const [event] = eventsIn(answer);
      if (event === undefined) continue;
      if (event.eventType !== EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW) return event;
      runId = event.attributes.newExecutionRunId;
      nextPageToken = new Uint8Array();
    }
  }

  async #poll(request: Message): Promise<Message> {
    return this.#stub.sure('GetWorkflowExecutionHistory', request, LONG_POLL_MS);
  }
}

const eventsIn = (answer: Message): HistoryEvent[] => (part(answer, 'history').events ?? []) as HistoryEvent[];

/** When everything is over: each has the end that its plan says, with all that it was sent, once. */
export function checkDoorEnds({ workflows }: DoorJournals): void {
  for (const { plan, closed } of workflows) {
    const { workflowId, type, signals, updates, ends } = plan;
    const wrong = (): Violation =>
      new Violation('end', `${workflowId} ended with ${JSON.stringify(closed).slice(0, 600)}`);
    if (ends === 'canceled') {
      if (closed?.eventType !== EventType.WORKFLOW_EXECUTION_CANCELED) throw wrong();
      continue;
    }
    if (closed?.eventType !== EventType.WORKFLOW_EXECUTION_COMPLETED) throw wrong();
    const value = valueIn(closed.attributes.result);
    const came = type === 'desk' ? (value as { signals: string[]; updates: string[] }) : undefined;
    const taken = came ? [...came.signals, ...came.updates] : (value as string[]);
    if (!same([...taken].sort(), [...signals, ...updates].sort())) throw wrong();
  }
}
