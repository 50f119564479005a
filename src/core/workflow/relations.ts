// What workflows have to do with each other: who is whose child, and the messages that leave when a run answers another or closes. All go
// through the outbox (DESIGN §5), so each is applied once, and none needs the other side to be there.

import { EventType, ParentClosePolicy } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import type { ChildClosure, Origin, OriginRef } from './message.ts';
import type { ChildRow, ParentLink, StartRow } from './rows.ts';
import type { RunDraft } from './run-draft.ts';
import type { SentMessage } from './sent-message.ts';
import { type ActorState, isOpen, type RunState } from './state.ts';
import type { Turn } from './turn.ts';

interface Address {
  namespace: string;
  workflowId: string;
}

export function send(turn: Turn, { namespace, workflowId }: Address, message: SentMessage): void {
  turn.effects.push({ type: 'send', namespace, workflowId, message });
}

export const originRef = ({ runId, initiatedEventId }: Origin): OriginRef => ({ runId, initiatedEventId });

/** The run that asked, if it is still there to hear the answer. */
export function askingRun({ run }: ActorState, origin: OriginRef): RunState | undefined {
  if (run === undefined || !isOpen(run)) return undefined;
  return run.runId === origin.runId || hasAsked(run, origin) ? run : undefined;
}

/** A run that this one was reset from has asked, before the point: the question is this one's, too. */
const hasAsked = ({ start }: RunState, { runId, initiatedEventId }: OriginRef): boolean =>
  start.former?.some((run) => run.runId === runId && initiatedEventId <= run.lastEventId) === true;

/** Who asks something of another workflow. */
export function originOf({ turn, runId, start }: RunDraft, initiatedEventId: number): Origin {
  const { namespace, workflowId } = turn.state;
  const origin: Origin = { namespace, workflowId, runId, initiatedEventId };
  if (start.former !== undefined) origin.former = start.former;
  return origin;
}

/** The run that asked is gone by a reset: its children stay. */
export const wasReset = ({ run }: ActorState, { runId }: OriginRef): boolean =>
  run?.start.former?.some((former) => former.runId === runId) === true;

export function isChildOf(run: RunState, origin: Origin): boolean {
  const { parentWorkflowNamespace, parentWorkflowExecution } = run.start.attributes;
  return (
    parentWorkflowNamespace === origin.namespace &&
    parentWorkflowExecution?.workflowId === origin.workflowId &&
    (parentWorkflowExecution.runId === origin.runId ||
      origin.former?.some((former) => former.runId === parentWorkflowExecution.runId) === true)
  );
}

/** Begun by its parent, but after the point to which that was reset: nothing knows of it any more. */
export function isLeftBehind(run: RunState, origin: Origin): boolean {
  const { parentWorkflowExecution, parentInitiatedEventId = 0 } = run.start.attributes;
  const former = origin.former?.find(({ runId }) => runId === parentWorkflowExecution?.runId);
  return former !== undefined && isChildOf(run, origin) && parentInitiatedEventId > former.lastEventId;
}

export const isSelf = (state: Address, origin: Address): boolean =>
  state.namespace === origin.namespace && state.workflowId === origin.workflowId;

/** What its parent's closing means for a child that has started. */
export function applyClosePolicy(
  turn: Turn,
  parentRunId: string,
  child: Pick<ChildRow, 'namespace' | 'workflowId' | 'parentClosePolicy'> & { runId: string },
): void {
  const { parentClosePolicy: policy } = child;
  if (policy !== ParentClosePolicy.TERMINATE && policy !== ParentClosePolicy.REQUEST_CANCEL) return;
  const parent = { workflowId: turn.state.workflowId, runId: parentRunId };
  send(turn, child, { type: 'parentClosed', policy, parent, firstRunId: child.runId });
}

/**
 * Before a closing run's rows go. A child that is not known to have started gets its policy when the answer to its start comes
 * (messages/child-started.ts).
 */
export function releaseChildren(run: RunDraft): void {
  for (const child of run.children.values()) {
    if (child.runId !== undefined) applyClosePolicy(run.turn, run.runId, { ...child, runId: child.runId });
  }
}

/** Who is to hear how the run's chain ends; none, or one. */
export function audienceOf({ attributes, reportsTo }: StartRow, runId: string): readonly ParentLink[] {
  if (reportsTo !== undefined) return reportsTo;
  const { parentWorkflowNamespace: namespace, parentWorkflowExecution: parent } = attributes;
  if (namespace === undefined || parent?.workflowId === undefined || parent.runId === undefined) return [];
  const { parentInitiatedEventId: initiatedEventId = 0, firstExecutionRunId: firstRunId = runId } = attributes;
  return [{ namespace, workflowId: parent.workflowId, runId: parent.runId, initiatedEventId, firstRunId }];
}

/** The closing event is written: a parent hears of the last run of the chain. */
export function reportToParent(run: RunDraft): void {
  if (run.orphaned || run.facts.nextRunId !== undefined) return;
  const closing = run.events[run.events.length - 1];
  const closure = closing === undefined ? undefined : closureOf(closing);
  if (closure === undefined) return;
  const child = { workflowId: run.turn.state.workflowId, runId: run.runId };
  for (const { namespace, workflowId, runId, initiatedEventId, firstRunId } of audienceOf(run.start, run.runId)) {
    const origin = { runId, initiatedEventId };
    send(run.turn, { namespace, workflowId }, { type: 'childClosed', origin, child, firstRunId, closure });
  }
}

function closureOf(event: HistoryEvent): ChildClosure | undefined {
  switch (event.eventType) {
    case EventType.WORKFLOW_EXECUTION_COMPLETED:
      return { how: 'completed', result: event.attributes.result };
    case EventType.WORKFLOW_EXECUTION_FAILED:
      return { how: 'failed', failure: event.attributes.failure, retryState: event.attributes.retryState };
    case EventType.WORKFLOW_EXECUTION_CANCELED:
      return { how: 'canceled', details: event.attributes.details };
    case EventType.WORKFLOW_EXECUTION_TIMED_OUT:
      return { how: 'timedOut', retryState: event.attributes.retryState };
    case EventType.WORKFLOW_EXECUTION_TERMINATED:
      return { how: 'terminated' };
    default:
      return undefined;
  }
}
