// What visibility and describe show of a run.

import type { WorkflowExecutionInfo } from '../../wire/api.ts';
import type { Payload, SearchAttributes } from '../../wire/common.ts';
import { isOpenStatus } from '../../wire/enums.ts';
import { jsonPayload } from './fields.ts';
import type { RunRow, StartRow } from './rows.ts';

const encoder = new TextEncoder();
const KEYWORD_LIST = encoder.encode('KeywordList');

const keywords = (values: readonly string[]): Payload => {
  const payload = jsonPayload(values);
  return { ...payload, metadata: { ...payload.metadata, type: KEYWORD_LIST } };
};

/** The run's own search attributes, the builds that completed its workflow tasks, and why it is paused. */
function shownAttributes(workflowId: string, { facts }: RunRow): SearchAttributes | undefined {
  const { searchAttributes, resetPoints } = facts;
  const pause = isOpenStatus(facts.status) ? facts.pause : undefined;
  if (resetPoints.length === 0 && pause === undefined) return searchAttributes;
  const indexedFields = { ...searchAttributes?.indexedFields };
  if (resetPoints.length > 0)
    indexedFields.BuildIds = keywords(['unversioned', ...resetPoints.map(({ buildId }) => `unversioned:${buildId}`)]);
  if (pause !== undefined)
    indexedFields.TemporalPauseInfo = keywords([`Workflow:${workflowId}`, `Reason:${pause.reason}`]);
  return { indexedFields };
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
  if (!isOpenStatus(facts.status) && facts.closeTime !== undefined) {
    info.closeTime = facts.closeTime;
    info.executionDuration = Math.max(0, facts.closeTime - executionTime);
  }
  return info;
}
