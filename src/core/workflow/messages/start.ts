// Start and signal-with-start: id reuse and conflict policies, repeated request ids, and the first run of a chain (I8). A parent's start of
// a child (start-child.ts) shares the policies.

import {
  ContinueAsNewInitiator,
  EventType,
  TaskQueueKind,
  WorkflowExecutionStatus,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '../../../wire/enums.ts';
import type { WorkflowExecutionStartedEventAttributes } from '../../../wire/event-attributes.ts';
import type { OnConflictOptions, StartWorkflowExecutionResponse } from '../../../wire/execution.ts';
import type { GrantedFlowControl } from '../../../wire/flow-control.ts';
import type { ScheduledBy } from '../../schedule/message.ts';
import { callbacksOf } from '../callbacks.ts';
import { SERVER_IDENTITY, terminateRun } from '../closing.ts';
import { cronBackoff, cronProblem } from '../cron.ts';
import { keepStart } from '../earlier-start.ts';
import { jsonPayloads } from '../fields.ts';
import type { StartMessage } from '../message.ts';
import { beginRun, clampTimeouts } from '../new-run.ts';
import type { Decision, Rejection, TurnContext } from '../outcome.ts';
import { cutStartDelay } from '../permits.ts';
import { alreadyCompleted, alreadyStarted, failedPrecondition, invalidArgument } from '../rejections.ts';
import { runOfRepeatedStart } from '../repeated-updates.ts';
import { completePolicy, policyProblem } from '../retry.ts';
import type { RunDraft } from '../run-draft.ts';
import { refusedSignal, signalAttributes } from '../signals.ts';
import { sizeOf } from '../size.ts';
import { timeoutsOf } from '../standalone-start.ts';
import { startRequest } from '../start-request.ts';
import { type ActorState, findRun, firstOf, isOpen, type RunState, updateById } from '../state.ts';
import { refusedForRequestIds, startSeenBefore } from '../target.ts';
import { Turn } from '../turn.ts';
import { admitUpdate } from '../updates.ts';
import { wakeWorkflow } from '../workflow-task.ts';

export function start(state: ActorState, message: StartMessage, context: TurnContext): Decision {
  const repeated = repeatedStart(state, message);
  const turn = new Turn(state, context);
  if (repeated !== undefined) {
    const updated = runOfRepeatedStart(state, message);
    return withUpdate(turn, updated && turn.open(updated), message, repeated);
  }
  const problem = badStart(message, context) ?? refusedForRequestIds(turn, message.requestId, 'message');
  if (problem !== undefined) return problem;
  const known = knownUpdate(turn, message);
  if (known !== undefined) return known;
  const met = makeRoom(turn, message);
  if (met !== undefined) return met;
  const run = beginChain(turn, message);
  const response: StartWorkflowExecutionResponse = {
    runId: message.runId,
    started: true,
    status: WorkflowExecutionStatus.RUNNING,
  };
  if (run.eagerFor !== undefined) response.eagerlyStarted = true;
  return withUpdate(turn, run, message, response);
}

/** The start's answer, once its update has been taken too; or the update's refusal, and neither happens. `run`: its draft, if there is one. */
function withUpdate(
  turn: Turn,
  run: RunDraft | undefined,
  message: StartMessage,
  response: StartWorkflowExecutionResponse,
): Decision {
  if (message.update !== undefined) {
    const found = run ?? draftOf(turn, response.runId);
    const refusal = found === undefined ? alreadyCompleted() : admitUpdate(found, message.update);
    if (refusal !== undefined) return refusal;
  }
  return turn.outcome({ type: 'started', response });
}

/** Of a run that a start has met, for those who ask for its chain. */
function chainOf(run: RunState): { firstExecutionRunId?: string } {
  const firstExecutionRunId = firstOf(run);
  return firstExecutionRunId === run.runId ? {} : { firstExecutionRunId };
}

const metRun = (run: RunState): StartWorkflowExecutionResponse => ({
  ...{ runId: run.runId, started: false, status: run.row.facts.status },
  ...chainOf(run),
});

/**
 * The present run has the update that the start came with: whoever sends it again need not have known how the first try ended. So no policy ends that run, and of one that is over
 * the update's outcome is told, rather than the same done again.
 */
function knownUpdate(turn: Turn, message: StartMessage): Decision | undefined {
  const { run, updates } = turn.state;
  const { update, requestId } = message;
  if (update === undefined || run === undefined) return undefined;
  const row = updateById(run, update.updateId);
  const isUnderWay = isOpen(run) && (row !== undefined || updates.has(update.updateId));
  if (!isUnderWay && row?.completedEventId === undefined) return undefined;
  if (isUnderWay) turn.remember(requestId, run.runId);
  return withUpdate(turn, undefined, message, metRun(run));
}

function draftOf(turn: Turn, runId: string): RunDraft | undefined {
  const run = findRun(turn.state, runId);
  return run === undefined ? undefined : turn.open(run);
}

/** Undefined: the id is free, or has been made so. Else what becomes of the start instead; the turn is then its, or worthless. */
export function makeRoom(turn: Turn, message: StartMessage): Decision | undefined {
  const { run } = turn.state;
  if (run === undefined) return undefined;
  const met = isOpen(run) ? meetRunning(turn, run, message) : refusedReuse(turn.state, run, message);
  if (met === undefined) keepStart(turn, run);
  return met;
}

/** `family`: attributes that the Started event of a child has besides. */
export function beginChain(
  turn: Turn,
  message: StartMessage,
  family?: Partial<WorkflowExecutionStartedEventAttributes>,
  scheduledBy?: ScheduledBy,
): RunDraft {
  const { runId, requestId } = message;
  turn.setChain({
    currentRunId: runId,
    start: { type: 'start', requestId, runId, at: turn.now, started: true },
  });
  const attributes = startedAttributes(turn.state.workflowId, message, turn.context);
  // The activity's own events have these; and no run follows one that failed.
  const others =
    message.activity === undefined ? family : { input: undefined, header: undefined, retryPolicy: undefined };
  const eagerFor = attributes.eagerExecutionAccepted === true ? message.eagerFor : undefined;
  return beginRun(turn, {
    runId,
    eagerFor,
    attributes: others === undefined ? attributes : { ...attributes, ...others },
    userMetadata: message.userMetadata,
    signal: message.signal,
    scheduledBy,
    links: message.links,
    activity: message.activity && { ...message, activity: message.activity },
  });
}

/** The first answer again, with the run's status as it is now. */
function repeatedStart(state: ActorState, { requestId }: StartMessage): StartWorkflowExecutionResponse | undefined {
  const first = startSeenBefore(state, requestId);
  if (first === undefined) return undefined;
  const { run } = state;
  const status = first.status ?? WorkflowExecutionStatus.UNSPECIFIED;
  const { runId, started = false } = first;
  if (run?.runId !== runId) return { runId, started, status };
  const attachedRequestId = run.row.facts.attached?.find((one) => one.requestId === requestId)?.requestId;
  return { ...metRun(run), started, ...(attachedRequestId === undefined ? {} : { attachedRequestId }) };
}

export function badStart(message: StartMessage, { limits, now }: TurnContext): Rejection | undefined {
  if (message.activity !== undefined && timeoutsOf(message.activity) === undefined) {
    return invalidArgument('at least one of ScheduleToCloseTimeout or StartToCloseTimeout must be set');
  }
  const cron = cronProblem(message.cronSchedule, now);
  if (cron !== undefined) return invalidArgument(cron);
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
  const uses = message.signal !== undefined || message.conflictPolicy === WorkflowIdConflictPolicy.USE_EXISTING;
  if (!uses) {
    return alreadyStarted(
      runId,
      chain === undefined ? '' : startRequest(chain, run),
      `Workflow execution is already running. WorkflowId: ${workflowId}, RunId: ${runId}.`,
      chainOf(run),
    );
  }
  turn.remember(message.requestId, runId);
  if (message.update !== undefined) {
    return withUpdate(turn, undefined, message, metRun(run));
  }
  if (message.signal !== undefined) {
    const refused = refusedSignal(turn, run);
    if (refused !== undefined) return refused;
    const draft = turn.open(run);
    draft.record(EventType.WORKFLOW_EXECUTION_SIGNALED, signalAttributes(message.signal));
    cutStartDelay(draft);
    wakeWorkflow(draft);
  }
  const response = metRun(run);
  if (message.signal === undefined && message.onConflict !== undefined) {
    const refused = attach(turn.open(run), message, message.onConflict);
    if (refused !== undefined) return refused;
    if (message.onConflict.attachRequestId) response.attachedRequestId = message.requestId;
  }
  return turn.outcome({ type: 'started', response });
}

/** The running workflow takes over what the start would have begun it with. */
function attach(run: RunDraft, message: StartMessage, options: OnConflictOptions): Rejection | undefined {
  const callbacks = options.attachCompletionCallbacks ? (message.completionCallbacks ?? []) : [];
  const limit = run.turn.limits.callbacksPerRun;
  const attached = callbacksOf(run.turn, run.runId).length;
  if (attached + callbacks.length > limit) {
    return failedPrecondition(
      `cannot attach more than ${limit} callbacks to a workflow (${attached} callbacks already attached to workflow ${run.turn.state.workflowId})`,
    );
  }
  if (!options.attachRequestId && callbacks.length === 0 && !options.attachLinks) return undefined;
  run.record(
    EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    {
      attachedRequestId: options.attachRequestId ? message.requestId : undefined,
      attachedCompletionCallbacks: callbacks.length > 0 ? [...callbacks] : undefined,
      identity: message.identity || undefined,
    },
    run.now,
    options.attachLinks ? message.links : undefined,
  );
  return undefined;
}

function refusedReuse({ chain }: ActorState, run: RunState, { reusePolicy }: StartMessage): Rejection | undefined {
  const { status } = run.row.facts;
  const { runId } = run;
  // By which a client knows whether its own start is what it met.
  const requestId = chain === undefined ? '' : startRequest(chain, run);
  switch (reusePolicy) {
    case WorkflowIdReusePolicy.REJECT_DUPLICATE:
      return alreadyStarted(
        runId,
        requestId,
        `Workflow execution already finished. WorkflowId: ${run.start.attributes.workflowId}, RunId: ${runId}. Workflow Id reuse policy: RejectDuplicate.`,
        chainOf(run),
      );
    case WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY:
      if (status !== WorkflowExecutionStatus.COMPLETED) return undefined;
      return alreadyStarted(
        runId,
        requestId,
        `Workflow execution already finished successfully. WorkflowId: ${run.start.attributes.workflowId}, RunId: ${runId}. Workflow Id reuse policy: AllowDuplicateFailedOnly.`,
        chainOf(run),
      );
    default:
      return undefined;
  }
}

/** A permit that no door has reserved is named by its run. */
function permitOf({ flowControl, permit, accepted, runId }: StartMessage): GrantedFlowControl | undefined {
  if (flowControl === undefined) return undefined;
  const granted: GrantedFlowControl = { ...flowControl, permit: permit ?? runId };
  if (accepted !== undefined) granted.accepted = accepted;
  return granted;
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
  const { cronSchedule } = message;
  const delay = cronSchedule
    ? (cronBackoff(cronSchedule, context.now, context.now) ?? 0)
    : message.workflowStartDelay || 0;
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
    cronSchedule: cronSchedule || undefined,
    initiator: cronSchedule ? ContinueAsNewInitiator.CRON_SCHEDULE : undefined,
    firstWorkflowTaskBackoff: delay || undefined,
    memo: message.memo,
    searchAttributes: message.searchAttributes,
    header: message.header,
    workflowId,
    priority: message.priority,
    completionCallbacks: message.completionCallbacks?.length ? [...message.completionCallbacks] : undefined,
    versioningOverride: message.versioningOverride,
    lastCompletionResult: message.lastCompletionResult,
    continuedFailure: message.continuedFailure,
    flowControl: permitOf(message),
    eagerExecutionAccepted:
      message.eagerFor !== undefined && delay === 0 && message.flowControl === undefined ? true : undefined,
  };
}
