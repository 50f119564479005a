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
  { path: /firstExecutionRunId$/, ours: /^absent$/ },
  { path: /^body\.(.*\.)?(link|signalLink)$/, ours: /^absent$/ },
  { path: /workflowExecutionSignaledEventAttributes\.requestId$/, ours: /^absent$/ },
  { path: /^body\.namespaceInfo\.(limits|capabilities)\./, ours: /^absent$/ },
  { path: /^body\.capabilities\.serverScaledDeployments$/ },
  { path: /\.pendingActivities\.\d+\.currentRetryInterval$/, reference: /^absent$/ },
  { method: /^CreateSchedule$/, path: /^details\.0\.(runId|startRequestId)$/, reference: /^absent$/ },
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
  { path: /workflowExecutionTerminatedEventAttributes\.identity$/, ours: /^tenuto-batch$/ },
  // It counts a batch job that is over for some time longer, until its list has seen that.
  { method: /^StartBatchOperation$/, path: /^code$/, reference: /^8 Max concurrent batch operations/ },
  // Accidents.
  { path: /^code$/, reference: /invalid transition from/ },
  { path: /^code$/, reference: /^14 / },
  { path: /^code$/, reference: /something went wrong, please retry/ },
  { path: /^message$/, reference: /something went wrong, please retry/ },
  { path: /\.TemporalPauseInfo$/, ours: /^absent$/ },
  // It waits for a worker that is to look at a workflow which had no task before it closed.
  { method: /^QueryWorkflow$/, path: /^answered$/ },
  // It forgets updates that no worker has accepted when another call fails.
  { method: /^(UpdateWorkflowExecution|ExecuteMultiOperation)$/, path: /^answered$/, reference: /^the reference$/ },
  // It forgets queries, too, when a workflow task fails.
  { method: /^PollWorkflowTaskQueue$/, path: /^body\.queries/, reference: /^absent$/ },
  // What the server itself calls the request of a child's start, and of a next run's.
  { path: /^details\.0\.startRequestId$/, ours: /^absent$/ },
  // For people: why a command was none.
  { path: /workflowTaskFailedEventAttributes\.failure\.message$/ },
  // A closed workflow has nothing that waits.
  {
    method: /^DescribeWorkflowExecution$/,
    path: /^body\.pending(Activities|WorkflowTask|Children)$/,
    ours: /^absent$/,
  },
  // What an execution is at, and how important it is, is said here also where that server forgets it.
  { method: /^StartWorkflowExecution$/, path: /^body\.status$/, reference: /RUNNING$/, ours: /PAUSED$/ },
  { method: /^List/, path: /^body\.executions\.\d+\.priority$/, reference: /^absent$/ },
];

const text = (value: unknown): string =>
  value === undefined ? 'absent' : typeof value === 'string' ? value : JSON.stringify(value);

export function accepted(of: string, { path: at, a, b }: Unlike): boolean {
  return ACCEPTED.some(
    ({ method, path, reference, ours }) =>
      (method?.test(of) ?? true) &&
      path.test(at) &&
      (reference?.test(text(a)) ?? true) &&
      (ours?.test(text(b)) ?? true),
  );
}
