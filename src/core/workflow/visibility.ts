// What visibility and describe show of a run.

import type { WorkflowExecutionInfo } from '../../wire/api.ts';
import type { SearchAttributes } from '../../wire/common.ts';
import { WorkflowExecutionStatus } from '../../wire/enums.ts';
import { jsonPayload } from './fields.ts';
import type { RunRow, StartRow } from './rows.ts';

const encoder = new TextEncoder();
const KEYWORD_LIST = encoder.encode('KeywordList');

/** The run's own search attributes, and the builds that completed its workflow tasks. */
function withBuildIds(row: RunRow): SearchAttributes | undefined {
  const { searchAttributes, resetPoints } = row.facts;
  if (resetPoints.length === 0) return searchAttributes;
  const builds = ['unversioned', ...resetPoints.map(({ buildId }) => `unversioned:${buildId}`)];
  const payload = jsonPayload(builds);
  return {
    indexedFields: {
      ...searchAttributes?.indexedFields,
      BuildIds: { ...payload, metadata: { ...payload.metadata, type: KEYWORD_LIST } },
    },
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
  const executionTime = startTime + (attributes.firstWorkflowTaskBackoff ?? 0);
  const info: WorkflowExecutionInfo = {
    workflowId: where.workflowId,
    runId,
    workflowType: attributes.workflowType.name,
    taskQueue: attributes.taskQueue.name,
    status: facts.status,
    startTime,
    executionTime,
    historyLength: facts.nextEventId - 1,
    historySizeBytes: facts.historyBytes,
    memo: facts.memo,
    searchAttributes: withBuildIds(row),
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
  if (facts.status !== WorkflowExecutionStatus.RUNNING && facts.closeTime !== undefined) {
    info.closeTime = facts.closeTime;
    info.executionDuration = Math.max(0, facts.closeTime - executionTime);
  }
  return info;
}
