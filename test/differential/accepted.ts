// What is the other server's alone, and what is answered otherwise here on purpose: docs/decisions/0053-second-door-differs.md and 0080-answers-side-by-side.md
// say why. A sequence would tell of it each time, and single requests of every method.

import type { Unlike } from './normal.ts';

interface Accepted {
  /** All, when absent. */
  readonly method?: RegExp;
  readonly path: RegExp;
  /** What the reference has said, as text; anything, when absent. */
  readonly reference?: RegExp;
  readonly ours?: RegExp;
}

const ACCEPTED: readonly Accepted[] = [
  // Newer than the recordings that bind.
  // Said of a run that goes on with a chain: of its first it is that run's own id.
  { path: /^details\.0\.(statuses\.0\.details\.0\.)?firstExecutionRunId$/, ours: /^absent$/ },
  { method: /^ExecuteMultiOperation$/, path: /\.startWorkflow\.firstExecutionRunId$/, reference: /^absent$/ },
  { path: /workflowExecutionSignaledEventAttributes\.requestId$/, ours: /^absent$/ },
  { path: /^body\.namespaceInfo\.(limits|capabilities)\./, ours: /^absent$/ },
  { path: /^body\.capabilities\.serverScaledDeployments$/ },
  { path: /\.pendingActivities\.\d+\.currentRetryInterval$/, reference: /^absent$/ },
  { path: /^body\.(info|executions\.\d+)\.executionTime$/, ours: /^absent$/ },
  { method: /^CreateSchedule$/, path: /^details\.0\.(runId|startRequestId)$/, reference: /^absent$/ },
  // An eager activity is started by the answer that asked for it.
  { path: /activityTaskStartedEventAttributes\.requestId$/, ours: /^request-from-/ },
  { path: /^body\.info\.sdk(Name|Version)$/, ours: /^absent$/ },
  { path: /requestIdInfos\..*\.eventId$/, reference: /^2$/, ours: /^1$/ },
  { path: /^body\.outcome\.retryState$/, ours: /^absent$/ },
  { method: /^DescribeBatchOperation$/, path: /^body\.(executions|operationType)$/ },
  // Of an override: the field that is deprecated, and builds, which it takes away.
  { path: /\.versioningOverride\.(behavior|pinnedVersion)$/, ours: /^absent$/ },
  { path: /\.indexedFields\.BuildIds$/, reference: /^absent$/ },
  // The API's, which that server does not do: a signal after a reset, and what a batch job's terminations say.
  { method: /^ResetWorkflowExecution$/, path: /^code$/, reference: /^3 unsupported post reset operation/ },
  { path: /workflowExecutionTerminatedEventAttributes\.details$/, reference: /^absent$/ },
  // A batch job's name there: of the process that runs it.
  { path: /workflowExecution(Terminated|CancelRequested)EventAttributes\.identity$/, reference: /^\d+@/ },
  // An eager task says here what it would say to a poll.
  { method: /^RespondWorkflowTaskCompleted$/, path: /^body\.activityTasks\.\d+\.priority$/, reference: /^absent$/ },
  // It counts a batch job that is over for some time longer, until its list has seen that.
  { method: /^StartBatchOperation$/, path: /^code$/, reference: /^8 Max concurrent batch operations/ },
  // It tries again what fails of a batch job, for longer than is waited for.
  { method: /^DescribeBatchOperation$/, path: /^body\.state$/, reference: /_RUNNING$/ },
  {
    method: /^DescribeBatchOperation$/,
    path: /^body\.(closeTime|completeOperationCount|failureOperationCount)$/,
    reference: /^absent$/,
  },
  // Of a task that failed before and is in no history yet.
  { path: /workflowTaskStartedEventAttributes\.identity$/, reference: /^absent$/ },
  // Of a task for updates that was in no history when it was taken, it has forgotten by whom.
  { path: /workflowTaskStartedEventAttributes\.identity$/, reference: /^history-service$/, ours: /^worker$/ },
  // The request ids are numbered with it.
  { path: /^body\.link\.workflowEvent\.runId$/ },
  // No id longer than this finds anything: said at once, as in the recordings, also where version 1.32.0 looks for it first or not at all.
  { path: /^code$/, ours: /^3 \w+ length exceeds limit\.$/ },
  // It takes schedules without an id, and finds them again.
  { path: /^code$/, reference: /^3 Can't load workflow execution\. {2}WorkflowId not set\./ },
  // The recordings' link to a workflow that was there.
  { path: /^body\.responses\.0\.startWorkflow\.link\.workflowEvent\.namespace$/, ours: /^absent$/ },
  // Once more it would begin a workflow, for an update that the end of another one has cut off: here that is for its client to say.
  { method: /^ExecuteMultiOperation$/, path: /^answered$/, reference: /^ours$/ },
  // Of a workflow that has the update that a start came with already: its link is told, too.
  { method: /^ExecuteMultiOperation$/, path: /^body\.responses\.0\.startWorkflow\.link$/, reference: /^absent$/ },
  // A start by the request id of a run before the present one is that start.
  { method: /^ExecuteMultiOperation$/, path: /^code$/, reference: /^6 /, ours: /^5 / },
  // What a workflow is about is said of its retries, too, and who has changed the options of one that was reset.
  { path: /userMetadata$/, reference: /^absent$/ },
  { path: /workflowExecutionOptionsUpdatedEventAttributes\.identity$/, reference: /^absent$/ },
  // An open workflow of no version gets into the index of builds with the next change that lists show: not by a write of its own.
  {
    method: /^(List|DescribeWorkflowExecution)/,
    path: /\.searchAttributes(\.indexedFields\.BuildIds)?$/,
    reference: /unversioned/,
    ours: /^absent$/,
  },
  // An activity does not jump its queue (0035): it is eager where nothing waits.
  { method: /^RespondWorkflowTaskCompleted$/, path: /^body\.activityTasks$/, ours: /^absent$/ },
  // An update that has come is looked at before its workflow closes: there the workflow closes, and the update is aborted.
  { method: /^RespondWorkflowTaskCompleted$/, path: /^code$/, reference: /^0 /, ours: /^3 UnhandledCommand$/ },
  // What a schedule began and ended again is told there when its next action comes.
  {
    method: /^(Describe|List)Schedules?$/,
    path: /\.info\.recentActions\.\d+\.startWorkflowStatus$/,
    reference: /_RUNNING$/,
    ours: /_TERMINATED$/,
  },
  // Accidents.
  { method: /^RespondWorkflowTaskCompleted$/, path: /^code$/, reference: /wasn't found on the server/ },
  { path: /^code$/, reference: /invalid transition from/ },
  { path: /^code$/, reference: /^14 / },
  { path: /^code$/, reference: /something went wrong, please retry/ },
  { path: /^message$/, reference: /something went wrong, please retry/ },
  { path: /\.TemporalPauseInfo$/, ours: /^absent$/ },
  // It waits for a worker that is to look at a workflow which had no task before it closed.
  { method: /^QueryWorkflow$/, path: /^answered$/ },
  // It forgets updates that no worker has accepted when another call fails.
  { method: /^(UpdateWorkflowExecution|ExecuteMultiOperation)$/, path: /^answered$/, reference: /^the reference$/ },
  // When a workflow task fails, it forgets updates and queries that rode on it: their callers ask again.
  { method: /^PollWorkflowTaskQueue$/, path: /^body\.messages/, reference: /^absent$/ },
  { method: /^PollWorkflowTaskQueue$/, path: /^body\.queries/, reference: /^absent$/ },
  // What the server itself calls the request of a child's start, and of a next run's.
  { path: /^details\.0\.startRequestId$/, ours: /^absent$/ },
  // For people: why a command was none.
  { path: /workflowTaskFailedEventAttributes\.failure\.message$/ },
  // Of a pause without a request: the id it got here.
  { path: /workflowExecution(Un)?pausedEventAttributes\.requestId$/i, reference: /^absent$/ },
  // A closed workflow has nothing that waits, nor is it paused.
  { method: /^DescribeWorkflowExecution$/, path: /^body\.workflowExtendedInfo\.pauseInfo$/, ours: /^absent$/ },
  {
    method: /^DescribeWorkflowExecution$/,
    path: /^body\.pending(Activities|WorkflowTask|Children)$/,
    ours: /^absent$/,
  },
  // When an attempt ended that was told to: there only of one that ended by itself.
  {
    method: /^DescribeActivityExecution$/,
    path: /^body\.info\.lastAttemptCompleteTime$/,
    reference: /^absent$/,
  },
  // What an execution is at, and how important it is, is said here also where that server forgets it.
  { method: /^StartWorkflowExecution$/, path: /^body\.status$/, reference: /RUNNING$/, ours: /PAUSED$/ },
  { method: /^List/, path: /^body\.executions\.\d+\.priority$/, reference: /^absent$/ },
];

/** Refusals in other words, which are for people: what the reference says, and what is said here of the same. */
const ALIKE: readonly (readonly [RegExp, RegExp])[] = [
  [/not set|missing|is required|is empty|empty \w+$/i, /(is not set on request|is empty)\.$/],
  [/exceeds|too long/, /length exceeds limit\.$/],
  [/valid UUID/, /^Invalid RunId\.$/],
  [
    /(negative duration|different signs)$/,
    /^(An invalid \w+ is set on request|\w+ cannot be negative on retry policy|duration has .* different signs)\.$/,
  ],
  [/not found|cannot find/i, /not found|no pending activity|is not known/],
];

/** But for case and the full stop; or ours goes on where the other one ends. */
const plainly = (message: string): string => message.toLowerCase().replace(/\.$/, '');

function alike(reference: unknown, ours: unknown): boolean {
  if (typeof reference !== 'string' || typeof ours !== 'string' || reference === '') return false;
  return (
    plainly(ours).startsWith(plainly(reference)) ||
    ALIKE.some(([theirs, own]) => theirs.test(reference) && own.test(ours))
  );
}

const text = (value: unknown): string =>
  value === undefined ? 'absent' : typeof value === 'string' ? value : JSON.stringify(value);

export function accepted(of: string, { path: at, a, b }: Unlike): boolean {
  if (/(^|\.)message$/.test(at) && alike(a, b)) return true;
  return ACCEPTED.some(
    ({ method, path, reference, ours }) =>
      (method?.test(of) ?? true) &&
      path.test(at) &&
      (reference?.test(text(a)) ?? true) &&
      (ours?.test(text(b)) ?? true),
  );
}
