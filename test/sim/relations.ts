// Exactly once between workflows: what the durable history of one says about another must be there, once, and asked for. Truth calls this with
// each event as it becomes durable, after the event has joined its run.

import type { Payloads, UpdateOutcome } from '../../src/wire/common.ts';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import { Violation } from './kernel.ts';
import type { TrueRun } from './truth.ts';

/** What this needs to know of everything durable. */
export interface Known {
  run(runId: string): TrueRun | undefined;
  readonly workflows: ReadonlyMap<string, readonly TrueRun[]>;
  buffered(workflowId: string, runId: string): HistoryEvent[];
}

type EventOf<T extends number> = Extract<HistoryEvent, { eventType: T }>;

const CHILD_END = {
  [EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED]: EventType.WORKFLOW_EXECUTION_COMPLETED,
  [EventType.CHILD_WORKFLOW_EXECUTION_FAILED]: EventType.WORKFLOW_EXECUTION_FAILED,
  [EventType.CHILD_WORKFLOW_EXECUTION_CANCELED]: EventType.WORKFLOW_EXECUTION_CANCELED,
  [EventType.CHILD_WORKFLOW_EXECUTION_TIMED_OUT]: EventType.WORKFLOW_EXECUTION_TIMED_OUT,
  [EventType.CHILD_WORKFLOW_EXECUTION_TERMINATED]: EventType.WORKFLOW_EXECUTION_TERMINATED,
} as const;

export const textOf = (payloads: Payloads | undefined): string =>
  Buffer.from(payloads?.payloads?.[0]?.data ?? []).toString();

export const outcomeText = (outcome: UpdateOutcome | undefined): string =>
  outcome?.failure === undefined ? textOf(outcome?.success) : `failure: ${outcome.failure.message}`;

export class Relations {
  readonly #known: Known;
  /** Children's first runs, by the request that began them. */
  readonly #children = new Map<string, TrueRun>();
  /** What came back for a request, once each. */
  readonly #answers = new Set<string>();

  constructor(known: Known) {
    this.#known = known;
  }

  /** The first run of the child an event of a parent asked for. */
  childOf(parentRunId: string, initiatedEventId: number): TrueRun | undefined {
    return this.#children.get(`${parentRunId} ${initiatedEventId}`);
  }

  /** Last run of the chain that begins with `first`. */
  lastRunOf(first: TrueRun): TrueRun {
    const runs = this.#known.workflows.get(first.workflowId) ?? [];
    return runs.findLast((run) => firstRunIdOf(run) === first.runId) ?? first;
  }

  event(run: TrueRun, event: HistoryEvent): void {
    const where = `workflow ${run.workflowId}, run ${run.runId}, event ${event.eventId}`;
    switch (event.eventType) {
      case EventType.WORKFLOW_EXECUTION_STARTED:
        this.#started(run, event, where);
        return;
      case EventType.START_CHILD_WORKFLOW_EXECUTION_FAILED:
        this.#once(run, event.attributes.initiatedEventId, 'started', where);
        if (this.childOf(run.runId, event.attributes.initiatedEventId) !== undefined) {
          throw new Violation('I5', `${where} says that no child was started, and one was`);
        }
        return;
      case EventType.CHILD_WORKFLOW_EXECUTION_STARTED: {
        const { initiatedEventId, workflowExecution } = event.attributes;
        this.#once(run, initiatedEventId, 'started', where);
        const child = this.childOf(run.runId, initiatedEventId);
        if (child === undefined || child.runId !== workflowExecution.runId) {
          throw new Violation('I1', `${where} names run ${workflowExecution.runId}; durable is ${child?.runId}`);
        }
        return;
      }
      case EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED:
      case EventType.CHILD_WORKFLOW_EXECUTION_FAILED:
      case EventType.CHILD_WORKFLOW_EXECUTION_CANCELED:
      case EventType.CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
      case EventType.CHILD_WORKFLOW_EXECUTION_TERMINATED:
        this.#childEnded(run, event, where);
        return;
      case EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
      case EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
        this.#signalled(run, event, where);
        return;
      case EventType.EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
      case EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
        this.#cancelled(run, event, where);
        return;
    }
  }

  /** What must hold once everything is over: a child its parent left has the end that the policy gives it. */
  checkEnds(): void {
    for (const [request, first] of this.#children) {
      const last = this.lastRunOf(first);
      const started = first.events[0] as EventOf<typeof EventType.WORKFLOW_EXECUTION_STARTED>;
      const type = started.attributes.workflowType.name;
      const wanted = END_OF[type];
      if (wanted === undefined || wanted.includes(last.closed?.eventType ?? 0)) continue;
      throw new Violation(
        'end',
        `${type} ${first.workflowId}, child of ${request}, ended with ${last.closed?.eventType}`,
      );
    }
  }

  #once(run: TrueRun, initiatedEventId: number, what: string, where: string): void {
    const answer = `${run.runId} ${initiatedEventId} ${what}`;
    if (this.#answers.has(answer)) {
      throw new Violation('I5', `${where} answers event ${initiatedEventId}, which has its answer (${what})`);
    }
    this.#answers.add(answer);
  }

  #started(run: TrueRun, event: EventOf<typeof EventType.WORKFLOW_EXECUTION_STARTED>, where: string): void {
    const { parentWorkflowExecution: parent, parentInitiatedEventId = 0 } = event.attributes;
    // Later runs of its chain name the parent too.
    if (parent === undefined || firstRunIdOf(run) !== run.runId) return;
    const asked = this.#known.run(parent.runId ?? '')?.events[parentInitiatedEventId - 1];
    if (
      asked?.eventType !== EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED ||
      asked.attributes.workflowId !== run.workflowId
    ) {
      throw new Violation('I1', `${where} starts a child that run ${parent.runId} has not durably asked for`);
    }
    const request = `${parent.runId} ${parentInitiatedEventId}`;
    const before = this.#children.get(request);
    if (before !== undefined) throw new Violation('I5', `${where} starts a child that run ${before.runId} is already`);
    this.#children.set(request, run);
  }

  #childEnded(run: TrueRun, event: EventOf<keyof typeof CHILD_END>, where: string): void {
    const { initiatedEventId } = event.attributes;
    this.#once(run, initiatedEventId, 'ended', where);
    const first = this.childOf(run.runId, initiatedEventId);
    const closed = first && this.lastRunOf(first).closed;
    if (closed?.eventType !== CHILD_END[event.eventType]) {
      throw new Violation('I1', `${where} tells an end of the child that is not durable: it is ${closed?.eventType}`);
    }
    if (event.eventType !== EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED) return;
    const { attributes } = closed as EventOf<typeof EventType.WORKFLOW_EXECUTION_COMPLETED>;
    if (textOf(attributes.result) !== textOf(event.attributes.result)) {
      throw new Violation('I5', `${where} tells another result than the child has`);
    }
  }

  #signalled(
    run: TrueRun,
    event: EventOf<
      typeof EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED | typeof EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED
    >,
    where: string,
  ): void {
    const { initiatedEventId } = event.attributes;
    this.#once(run, initiatedEventId, 'answered', where);
    const asked = run.events[initiatedEventId - 1];
    if (asked?.eventType !== EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED) {
      throw new Violation('I5', `${where} answers event ${initiatedEventId}, which asks for no signal`);
    }
    const { workflowExecution, signalName, input } = asked.attributes;
    const { workflowId = '' } = workflowExecution;
    // Every signal of the simulation carries a text of its own for its target.
    const there = this.#has(
      workflowId,
      (other) =>
        other.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED &&
        other.attributes.signalName === signalName &&
        textOf(other.attributes.input) === textOf(input),
    );
    const delivered = event.eventType === EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED;
    if (there === delivered) return;
    throw new Violation(
      delivered ? 'I1' : 'I5',
      `${where} says that signal ${textOf(input)} was ${delivered ? '' : 'not '}delivered to ${workflowId}; durably it was ${there ? '' : 'not'}`,
    );
  }

  #cancelled(
    run: TrueRun,
    event: EventOf<
      | typeof EventType.EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED
      | typeof EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED
    >,
    where: string,
  ): void {
    const { initiatedEventId } = event.attributes;
    this.#once(run, initiatedEventId, 'answered', where);
    const asked = run.events[initiatedEventId - 1];
    if (asked?.eventType !== EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED) {
      throw new Violation('I5', `${where} answers event ${initiatedEventId}, which asks for no cancellation`);
    }
    const { workflowId = '' } = asked.attributes.workflowExecution;
    const runs = this.#known.workflows.get(workflowId) ?? [];
    if (event.eventType === EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED) return;
    const there = this.#has(workflowId, ({ eventType }) => eventType === EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED);
    // One that has closed takes it for done.
    if (!there && !runs.some(({ closed }) => closed !== undefined)) {
      throw new Violation('I1', `${where} says that ${workflowId} was asked to cancel, which is not durable`);
    }
  }

  /** Whether any run of the workflow has such an event, numbered or waiting for its number. */
  #has(workflowId: string, is: (event: HistoryEvent) => boolean): boolean {
    const runs = this.#known.workflows.get(workflowId) ?? [];
    return runs.some((run) => run.events.some(is) || this.#known.buffered(workflowId, run.runId).some(is));
  }
}

/** How children of these types end, as far as one way is right: nobody but their parent cancels or terminates them. */
const END_OF: Record<string, readonly number[]> = {
  pipeline: [EventType.WORKFLOW_EXECUTION_COMPLETED],
  collector: [EventType.WORKFLOW_EXECUTION_COMPLETED],
  stubborn: [EventType.WORKFLOW_EXECUTION_COMPLETED],
  cancellable: [EventType.WORKFLOW_EXECUTION_CANCELED],
  // Of its own execution timeout in a family, by its parent's closing otherwise.
  patient: [EventType.WORKFLOW_EXECUTION_TERMINATED, EventType.WORKFLOW_EXECUTION_TIMED_OUT],
};

function firstRunIdOf(run: TrueRun): string {
  const [started] = run.events;
  const first =
    started?.eventType === EventType.WORKFLOW_EXECUTION_STARTED ? started.attributes.firstExecutionRunId : undefined;
  return first ?? run.runId;
}
