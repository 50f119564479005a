// What visibility and describe show of a run.

import { isActivityAddress } from '../../wire/activity-address.ts';
import type { SearchAttributes } from '../../wire/common.ts';
import { isOpenStatus, WorkflowExecutionStatus, WorkflowTaskFailedCause } from '../../wire/enums.ts';
import type { WorkflowExecutionInfo } from '../../wire/execution-info.ts';
import { typedJsonPayload } from './fields.ts';
import { runPriority } from './offers.ts';
import type { VisibilityChange } from './outcome.ts';
import type { RunRow, StartRow } from './rows.ts';
import { versioningAttributes } from './versioning-info.ts';

const encoder = new TextEncoder();
const KEYWORD_LIST = encoder.encode('KeywordList');
const KEYWORD = encoder.encode('Keyword');

/** What is wrong with an open run's workflow tasks, once they have failed often enough in a row. */
function problemsOf({ facts, taskFailure }: RunRow): Readonly<Record<string, string[]>> | undefined {
  if (taskFailure?.reported !== true || !isOpenStatus(facts.status)) return undefined;
  const { cause } = taskFailure;
  const problems =
    cause === undefined
      ? ['category=WorkflowTaskTimedOut', 'cause=WorkflowTaskTimedOutCauseStartToClose']
      : ['category=WorkflowTaskFailed', `cause=WorkflowTaskFailedCause${nameOf(cause)}`];
  return { TemporalReportedProblems: problems };
}

/** As other languages write it: NonDeterministicError. */
function nameOf(cause: WorkflowTaskFailedCause): string {
  const [name = ''] = Object.entries(WorkflowTaskFailedCause).find(([, value]) => value === cause) ?? [];
  return name.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The run's own search attributes, and what its workers' builds, versions and failures add. */
function withBuildIds(row: RunRow): SearchAttributes | undefined {
  const { searchAttributes, resetPoints, builds: worked = resetPoints } = row.facts;
  const versioned = versioningAttributes(row.facts);
  const problems = problemsOf(row);
  if (worked.length === 0 && versioned === undefined && problems === undefined) return searchAttributes;
  const builds = worked.flatMap(({ buildId = '' }) => (buildId === '' ? [] : `unversioned:${buildId}`));
  // What version it is of is told by other attributes, and by this one where it is pinned.
  const isVersioned = versioned?.TemporalWorkerDeployment !== undefined;
  const unversioned = worked.length > 0 && !isVersioned && { BuildIds: ['unversioned', ...new Set(builds)] };
  const checksums = worked.flatMap(({ binaryChecksum = '' }) => (binaryChecksum === '' ? [] : binaryChecksum));
  const binaries = checksums.length > 0 && { BinaryChecksums: [...new Set(checksums)] };
  const indexedFields = { ...searchAttributes?.indexedFields };
  for (const [name, value] of Object.entries({ ...problems, ...binaries, ...unversioned, ...versioned })) {
    indexedFields[name] = typedJsonPayload(value, typeof value === 'string' ? KEYWORD : KEYWORD_LIST);
  }
  return { indexedFields };
}

/** An activity without a workflow is paused as its run's only one. */
function statusOf(workflowId: string, { facts: { status }, pausedTypes }: RunRow): WorkflowExecutionStatus {
  const paused = pausedTypes !== undefined && isActivityAddress(workflowId) && isOpenStatus(status);
  return paused ? WorkflowExecutionStatus.PAUSED : status;
}

/** With why it is paused, and which of its activities are. */
function shownAttributes(workflowId: string, row: RunRow): SearchAttributes | undefined {
  const attributes = withBuildIds(row);
  const pauses = pausesOf(workflowId, row);
  if (pauses.length === 0) return attributes;
  const TemporalPauseInfo = typedJsonPayload(pauses, KEYWORD_LIST);
  return { indexedFields: { ...attributes?.indexedFields, TemporalPauseInfo } };
}

function pausesOf(workflowId: string, { facts: { status, pause }, pausedTypes = [] }: RunRow): string[] {
  if (!isOpenStatus(status)) return [];
  const ofWorkflow = pause === undefined ? [] : [`Workflow:${workflowId}`, `Reason:${pause.reason}`];
  // An activity without a workflow says so by its status (statusOf).
  if (isActivityAddress(workflowId)) return ofWorkflow;
  return [...pausedTypes.map((type) => `property:activityType=${type}`), ...ofWorkflow];
}

/** Its attributes are made of the same: what they are made of is replaced, never written to. */
function showsSame(row: RunRow, before: RunRow): boolean {
  const { facts, pausedTypes, taskFailure } = row;
  const same =
    facts.searchAttributes === before.facts.searchAttributes &&
    facts.resetPoints === before.facts.resetPoints &&
    facts.builds === before.facts.builds &&
    facts.versioning === before.facts.versioning &&
    facts.pause === before.facts.pause &&
    pausedTypes === before.pausedTypes &&
    taskFailure === before.taskFailure;
  if (!same || isOpenStatus(facts.status) === isOpenStatus(before.facts.status)) return same;
  // Closed, it shows no problems and no pauses any more.
  return facts.pause === undefined && pausedTypes === undefined && taskFailure === undefined;
}

/** Of a run as it was before a turn: what its rows in the indexes were made from. `info`: what is shown of `row`, after it. */
export function shownBefore(
  { workflowId, searchAttributes }: WorkflowExecutionInfo,
  row: RunRow,
  before: RunRow | undefined,
): VisibilityChange['before'] {
  if (before === undefined) return undefined;
  return {
    status: statusOf(workflowId, before),
    searchAttributes: showsSame(row, before) ? searchAttributes : shownAttributes(workflowId, before),
  };
}

export function executionInfo(
  where: { workflowId: string },
  runId: string,
  start: StartRow,
  row: RunRow,
): WorkflowExecutionInfo {
  const { attributes, startTime } = start;
  const { facts } = row;
  const executionTime = startTime + (row.standalone?.startDelay ?? attributes.firstWorkflowTaskBackoff ?? 0);
  const info: WorkflowExecutionInfo = {
    workflowId: where.workflowId,
    runId,
    workflowType: attributes.workflowType.name,
    taskQueue: attributes.taskQueue.name,
    status: statusOf(where.workflowId, row),
    startTime,
    executionTime,
    historyLength: facts.nextEventId - 1,
    historySizeBytes: facts.historyBytes,
    memo: facts.memo,
    searchAttributes: shownAttributes(where.workflowId, row),
    firstRunId: attributes.firstExecutionRunId ?? runId,
    rootWorkflowId: attributes.rootWorkflowExecution?.workflowId ?? where.workflowId,
    rootRunId: attributes.rootWorkflowExecution?.runId ?? runId,
    stateTransitionCount: row.transitions,
  };
  if (attributes.parentWorkflowExecution !== undefined) {
    info.parentNamespace = attributes.parentWorkflowNamespace;
    info.parentWorkflowId = attributes.parentWorkflowExecution.workflowId;
    info.parentRunId = attributes.parentWorkflowExecution.runId;
  }
  const priority = runPriority({ facts, start });
  if (priority !== undefined) info.priority = priority;
  if (!isOpenStatus(facts.status) && facts.closeTime !== undefined) {
    info.closeTime = facts.closeTime;
    info.executionDuration = Math.max(0, facts.closeTime - executionTime);
  }
  return info;
}
