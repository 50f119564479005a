// Start and signal-with-start: id reuse and conflict policies, repeated request ids, and the first run of a chain (I8). A parent's start of
// a child (start-child.ts) shares the policies.

import {
  EventType,
  TaskQueueKind,
  WorkflowExecutionStatus,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '../../../wire/enums.ts';
import type { WorkflowExecutionStartedEventAttributes } from '../../../wire/event-attributes.ts';
import { SERVER_IDENTITY, terminateRun } from '../closing.ts';
import { jsonPayloads } from '../fields.ts';
import type { StartMessage } from '../message.ts';
import { beginRun, clampTimeouts } from '../new-run.ts';
import type { Decision, Rejection, TurnContext } from '../outcome.ts';
import { alreadyStarted, exhausted, invalidArgument, unimplemented } from '../rejections.ts';
import { completePolicy, policyProblem } from '../retry.ts';
import type { RequestRow } from '../rows.ts';
import { signalAttributes } from '../signals.ts';
import { sizeOf } from '../size.ts';
import { type ActorState, isOpen, type RunState } from '../state.ts';
import { refusedForRequestIds, seenBefore } from '../target.ts';
import { nothing, Turn } from '../turn.ts';
import { wakeWorkflow } from '../workflow-task.ts';

export function start(state: ActorState, message: StartMessage, context: TurnContext): Decision {
  const repeated = repeatedStart(state, message);
  if (repeated !== undefined) return repeated;
  const turn = new Turn(state, context);
  const problem = badStart(message, context) ?? refusedForRequestIds(turn, message.requestId);
  if (problem !== undefined) return problem;
  const met = makeRoom(turn, message);
  if (met !== undefined) return met;
  beginChain(turn, message);
  return turn.outcome({
    type: 'started',
    response: { runId: message.runId, started: true, status: WorkflowExecutionStatus.RUNNING },
  });
}

/** Undefined: the id is free, or has been made so. Else what becomes of the start instead; the turn is then its, or worthless. */
export function makeRoom(turn: Turn, message: StartMessage): Decision | undefined {
  const { run } = turn.state;
  if (run === undefined) return undefined;
  const met = isOpen(run) ? meetRunning(turn, run, message) : refusedReuse(run, message);
  if (met === undefined) keepEarlierStart(turn, run);
  return met;
}

/** `family`: attributes that a child's Started event has besides. */
export function beginChain(
  turn: Turn,
  message: StartMessage,
  family?: Partial<WorkflowExecutionStartedEventAttributes>,
): void {
  const { runId, requestId } = message;
  turn.setChain({
    currentRunId: runId,
    start: { type: 'start', requestId, runId, at: turn.now, started: true },
  });
  const attributes = startedAttributes(turn.state.workflowId, message, turn.context);
  beginRun(turn, {
    runId,
    attributes: family === undefined ? attributes : { ...attributes, ...family },
    userMetadata: message.userMetadata,
    signal: message.signal,
  });
}

/** The first answer again, with the run's status as it is now. */
function repeatedStart(state: ActorState, { requestId }: StartMessage): Decision | undefined {
  const begun = requestId !== '' && state.chain?.start.requestId === requestId ? state.chain.start : undefined;
  const first: RequestRow | undefined = begun ?? seenBefore(state, requestId);
  if (first === undefined) return undefined;
  const { run } = state;
  const status =
    run?.runId === first.runId ? run.row.facts.status : (first.status ?? WorkflowExecutionStatus.UNSPECIFIED);
  return nothing({
    type: 'started',
    response: { runId: first.runId, started: first.started ?? false, status },
  });
}

/** The chain's row is about to name another start: the present one moves to a row of its own. */
function keepEarlierStart(turn: Turn, run: RunState): void {
  const { chain } = turn.state;
  if (chain === undefined) return;
  const { requestId, ...row } = chain.start;
  if (row.at + turn.limits.requestIdTtl <= turn.now) return;
  const status = row.runId === run.runId && !isOpen(run) ? run.row.facts.status : row.status;
  // From now on, so that the rows stay in the order of their time.
  turn.remember(requestId, { ...row, at: turn.now, status: status ?? WorkflowExecutionStatus.TERMINATED });
}

function badStart(message: StartMessage, { limits }: TurnContext): Rejection | undefined {
  if (message.cronSchedule) {
    return unimplemented(
      `cronSchedule is not supported by this version (workflow type ${message.workflowType}): start the workflow from a scheduler of yours, or continue as new after a timer`,
    );
  }
  const timeouts = {
    WorkflowExecutionTimeout: message.workflowExecutionTimeout,
    WorkflowRunTimeout: message.workflowRunTimeout,
    WorkflowTaskTimeout: message.workflowTaskTimeout,
    WorkflowStartDelay: message.workflowStartDelay,
  };
  for (const [name, value] of Object.entries(timeouts)) {
    if (value !== undefined && !(value >= 0)) return invalidArgument(`Invalid ${name}: ${value} ms is negative.`);
  }
  const problem = policyProblem(message.retryPolicy);
  if (problem !== undefined) return invalidArgument(problem);
  const blobs = [message.input, message.memo, message.header, message.userMetadata, message.signal?.input];
  if (blobs.some((blob) => blob !== undefined && sizeOf(blob) > limits.blobBytes)) {
    return invalidArgument('Blob data size exceeds limit.');
  }
  return undefined;
}

/** An open run has this id. Undefined: it was terminated to make room. */
function meetRunning(turn: Turn, run: RunState, message: StartMessage): Decision | undefined {
  const { runId } = run;
  const { workflowId, chain } = turn.state;
  const terminate =
    message.conflictPolicy === WorkflowIdConflictPolicy.TERMINATE_EXISTING ||
    message.reusePolicy === WorkflowIdReusePolicy.TERMINATE_IF_RUNNING;
  if (terminate) {
    const details = jsonPayloads(`terminated by new runID: ${message.runId}`);
    terminateRun(turn.open(run), 'TerminateIfRunning WorkflowIdReusePolicy', details, SERVER_IDENTITY);
    return undefined;
  }
  if (message.signal === undefined && message.conflictPolicy !== WorkflowIdConflictPolicy.USE_EXISTING) {
    return alreadyStarted(
      runId,
      chain?.start.requestId ?? '',
      `Workflow execution is already running. WorkflowId: ${workflowId}, RunId: ${runId}.`,
    );
  }
  turn.remember(message.requestId, { type: 'start', runId, at: turn.now, started: false });
  if (message.signal !== undefined) {
    if (run.row.facts.signalCount >= turn.limits.signalsPerRun) return tooManySignals(turn, runId);
    const draft = turn.open(run);
    draft.record(EventType.WORKFLOW_EXECUTION_SIGNALED, signalAttributes(message.signal));
    wakeWorkflow(draft);
  }
  return turn.outcome({
    type: 'started',
    response: { runId, started: false, status: WorkflowExecutionStatus.RUNNING },
  });
}

export const tooManySignals = (turn: Turn, runId: string): Rejection =>
  exhausted(
    'SignalsPerRun',
    `exceeded workflow execution limit for signal events: run ${runId} of workflow ${turn.state.workflowId} has received ${turn.limits.signalsPerRun} signals; continue as new`,
  );

function refusedReuse(run: RunState, message: StartMessage): Rejection | undefined {
  const { status } = run.row.facts;
  const { runId } = run;
  const requestId = message.requestId;
  switch (message.reusePolicy) {
    case WorkflowIdReusePolicy.REJECT_DUPLICATE:
      return alreadyStarted(
        runId,
        requestId,
        `Workflow execution already finished. WorkflowId: ${run.start.attributes.workflowId}, RunId: ${runId}. Workflow Id reuse policy: RejectDuplicate.`,
      );
    case WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY:
      if (status !== WorkflowExecutionStatus.COMPLETED) return undefined;
      return alreadyStarted(
        runId,
        requestId,
        `Workflow execution already finished successfully. WorkflowId: ${run.start.attributes.workflowId}, RunId: ${runId}. Workflow Id reuse policy: AllowDuplicateFailedOnly.`,
      );
    default:
      return undefined;
  }
}

function startedAttributes(
  workflowId: string,
  message: StartMessage,
  context: TurnContext,
): WorkflowExecutionStartedEventAttributes {
  const { runId } = message;
  const timeouts = clampTimeouts(
    {
      execution: message.workflowExecutionTimeout,
      run: message.workflowRunTimeout,
      task: message.workflowTaskTimeout,
    },
    context.limits,
  );
  const delay = message.workflowStartDelay || 0;
  return {
    workflowType: { name: message.workflowType },
    taskQueue: { name: message.taskQueue, kind: TaskQueueKind.NORMAL },
    input: message.input,
    workflowExecutionTimeout: timeouts.execution || undefined,
    workflowRunTimeout: timeouts.run || undefined,
    workflowTaskTimeout: timeouts.task,
    originalExecutionRunId: runId,
    identity: message.identity,
    firstExecutionRunId: runId,
    retryPolicy: message.retryPolicy === undefined ? undefined : completePolicy(message.retryPolicy),
    attempt: 1,
    workflowExecutionExpirationTime: timeouts.execution > 0 ? context.now + delay + timeouts.execution : undefined,
    firstWorkflowTaskBackoff: delay || undefined,
    memo: message.memo,
    searchAttributes: message.searchAttributes,
    header: message.header,
    workflowId,
    priority: message.priority,
  };
}
