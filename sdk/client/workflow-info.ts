// The server's word on an execution, for users: dates, names, values.

import type { Payload } from '../../src/wire/common.ts';
import type { WorkflowExecutionStatus as WireStatus } from '../../src/wire/enums.ts';
import type {
  DescribeWorkflowExecutionResponse,
  WorkflowExecutionInfo as RawInfo,
} from '../../src/wire/execution-info.ts';
import type { CountWorkflowExecutionsResponse } from '../../src/wire/visibility.ts';
import { decodeMessage, decodePayloads } from '../common/codec.ts';
import type { LoadedDataConverter } from '../common/data-converter.ts';
import { decodeWorkflowExecutionStatus } from '../common/enums.ts';
import { flowControlFromRaw } from '../common/flow-control.ts';
import { mapFromPayloads } from '../common/payload-converter.ts';
import { decodePriority } from '../common/priority.ts';
import {
  decodeSearchAttributes,
  decodeTypedSearchAttributes,
  type SearchAttributeValue,
} from '../common/search-attributes.ts';
import type {
  CountWorkflowExecution,
  WorkflowExecutionDescription,
  WorkflowExecutionInfo,
  WorkflowExecutionStatusName,
} from './types.ts';

export function statusName(status: WireStatus): WorkflowExecutionStatusName {
  if (status === 0) return 'UNSPECIFIED';
  const name = decodeWorkflowExecutionStatus(status) ?? 'UNKNOWN';
  return name === 'CANCELED' ? 'CANCELLED' : name;
}

export async function executionInfoFromRaw(
  raw: RawInfo,
  converter: LoadedDataConverter,
): Promise<WorkflowExecutionInfo> {
  const memo = await decodeMessage(converter.payloadCodecs, raw.memo?.fields);
  const execution = (workflowId?: string, runId?: string) =>
    workflowId ? { workflowId, runId: runId ?? '' } : undefined;
  return {
    type: raw.workflowType,
    workflowId: raw.workflowId,
    runId: raw.runId,
    taskQueue: raw.taskQueue,
    status: { code: raw.status, name: statusName(raw.status) },
    historyLength: raw.historyLength,
    historySize: raw.historySizeBytes,
    startTime: new Date(raw.startTime),
    executionTime: new Date(raw.executionTime),
    closeTime: raw.closeTime === undefined ? undefined : new Date(raw.closeTime),
    memo: mapFromPayloads(converter.payloadConverter, memo),
    searchAttributes: decodeSearchAttributes(raw.searchAttributes?.indexedFields),
    typedSearchAttributes: decodeTypedSearchAttributes(raw.searchAttributes?.indexedFields),
    parentExecution: execution(raw.parentWorkflowId, raw.parentRunId),
    rootExecution: execution(raw.rootWorkflowId, raw.rootRunId),
    priority: decodePriority(raw.priority),
    raw,
  };
}

export async function descriptionFromRaw(
  raw: DescribeWorkflowExecutionResponse,
  converter: LoadedDataConverter,
): Promise<WorkflowExecutionDescription> {
  const { raw: _info, ...info } = await executionInfoFromRaw(raw.workflowExecutionInfo, converter);
  const { userMetadata } = raw.executionConfig;
  const text = async (payload: Payload | undefined): Promise<string | undefined> => {
    if (payload === undefined) return undefined;
    const [decoded = payload] = await decodePayloads(converter.payloadCodecs, [payload]);
    return converter.payloadConverter.fromPayload(decoded);
  };
  return {
    ...info,
    staticDetails: () => text(userMetadata?.details),
    staticSummary: () => text(userMetadata?.summary),
    ...(raw.flowControl && { flowControl: flowControlFromRaw(raw.flowControl) }),
    raw,
  };
}

export function countFromRaw(raw: CountWorkflowExecutionsResponse): CountWorkflowExecution {
  return {
    count: raw.count,
    groups: (raw.groups ?? []).map(({ count, groupValues }) => ({
      count,
      // The values of a search attribute, each as an array, as the official client gives them.
      groupValues: groupValues.map((value) => (Array.isArray(value) ? value : [value]) as SearchAttributeValue),
    })),
  };
}
