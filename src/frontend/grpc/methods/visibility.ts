// Lists, scans and counts, and the search attributes that their filters name.

import { typeOf } from '../../../core/visibility/index.ts';
import type { Payload } from '../../../wire/common.ts';
import { IndexedValueType, WorkflowExecutionStatus } from '../../../wire/enums.ts';
import type { WorkflowExecutionInfo } from '../../../wire/execution-info.ts';
import type { CountWorkflowExecutionsResponse, ListWorkflowExecutionsResponse } from '../../../wire/visibility.ts';
import { again } from '../../door.ts';
import { invalid } from '../../validate/check.ts';
import * as rules from '../../validate/rules.ts';
import { type Message, native, number, part, rpc, runNative, text } from '../rpc.ts';
import { executionInfo } from './executions.ts';
import { checkFilter } from './filter.ts';

const listAnswer = ({ executions, nextPageToken }: ListWorkflowExecutionsResponse): object => {
  const rows = [...executions].sort(openFirst).map((info) => asListed(executionInfo(info)));
  return { executions: rows, nextPageToken };
};

/** Which rows make a page is the engine's order, by start time; within it they come as on the reference server. */
function openFirst(a: WorkflowExecutionInfo, b: WorkflowExecutionInfo): number {
  const [closedA, closedB] = [a.closeTime ?? Number.POSITIVE_INFINITY, b.closeTime ?? Number.POSITIVE_INFINITY];
  if (closedA !== closedB) return closedA > closedB ? -1 : 1;
  return b.startTime - a.startTime;
}

/** A value set as a list of one is listed as that one, but in lists of keywords: as the reference server's store has it. */
function asListed(info: Message): Message {
  const given = part(part(info, 'searchAttributes'), 'indexedFields') as Record<string, Payload>;
  const indexedFields = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, single(value)]));
  // A list says nothing of the chain a run is of, describe does.
  const row: Message = { ...info, searchAttributes: { indexedFields }, firstRunId: undefined };
  // What an open one had when its row was written is of no use: it has grown since.
  if (info.closeTime === undefined) for (const name of GROWING) row[name] = undefined;
  return row;
}

const GROWING = ['historyLength', 'historySizeBytes', 'stateTransitionCount'];

function single(payload: Payload): Payload {
  const { metadata, data } = payload;
  if (data === undefined || data[0] !== OPEN_BRACKET || decoder.decode(metadata?.type) === 'KeywordList')
    return payload;
  try {
    const list: unknown = JSON.parse(decoder.decode(data));
    if (Array.isArray(list) && list.length === 1) return { metadata, data: Buffer.from(JSON.stringify(list[0])) };
  } catch {
    // Not JSON: as it was set.
  }
  return payload;
}

const decoder = new TextDecoder();
const OPEN_BRACKET = 0x5b;

export const page = (request: Message): Message => ({
  ...request,
  query: checkFilter(text(request, 'query')),
  // Less than nothing is nothing said.
  pageSize: Math.max(0, number(request, 'pageSize')),
  nextPageToken:
    request.nextPageToken instanceof Uint8Array && request.nextPageToken.length > 0 ? request.nextPageToken : undefined,
});

export const ListWorkflowExecutions = native('listWorkflowExecutions', page, listAnswer);
export const ScanWorkflowExecutions = native('listWorkflowExecutions', page, listAnswer);

const quoted = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** The filters of the older lists, as the filter language has them. */
function olderFilter(request: Message, base: string, timeField: string): string {
  const terms = [base];
  const { workflowId, runId } = part(request, 'executionFilter');
  if (typeof workflowId === 'string' && workflowId !== '') terms.push(`WorkflowId = ${quoted(workflowId)}`);
  if (typeof runId === 'string' && runId !== '') terms.push(`RunId = ${quoted(runId)}`);
  const type = text(part(request, 'typeFilter'), 'name');
  if (type !== '') terms.push(`WorkflowType = ${quoted(type)}`);
  const status = number(part(request, 'statusFilter'), 'status');
  if (status === WorkflowExecutionStatus.RUNNING)
    throw invalid('StatusFilter must be specified and must be not Running.');
  if (status === 0 && request.statusFilter !== undefined) throw invalid('StatusFilter must be specified.');
  if (status !== 0) terms.push(`ExecutionStatus = ${status}`);
  const { earliestTime, latestTime } = part(request, 'startTimeFilter');
  if (typeof earliestTime === 'number' && typeof latestTime === 'number' && earliestTime > latestTime) {
    throw invalid('EarliestTime in StartTimeFilter should not be larger than LatestTime.');
  }
  // In nanoseconds: there are times in the API that no text has.
  const time = (ms: number): string => `${ms}e6`;
  if (typeof earliestTime === 'number' && earliestTime > 0) terms.push(`${timeField} >= ${time(earliestTime)}`);
  if (typeof latestTime === 'number' && latestTime > 0) terms.push(`${timeField} <= ${time(latestTime)}`);
  return terms.join(' AND ');
}

const older = (base: string, timeField: string) =>
  native(
    'listWorkflowExecutions',
    (request) => ({
      ...page(request),
      pageSize: Math.max(0, number(request, 'maximumPageSize')),
      query: olderFilter(request, base, timeField),
    }),
    listAnswer,
  );

export const ListOpenWorkflowExecutions = older("ExecutionStatus IN ('Running', 'Paused')", 'StartTime');
export const ListClosedWorkflowExecutions = older(
  "ExecutionStatus != 'Running' AND ExecutionStatus != 'Paused'",
  'CloseTime',
);

/** A group's value as a payload, with its type. */
function groupValue(value: unknown): object {
  const type =
    typeof value === 'number'
      ? Number.isInteger(value)
        ? 'Int'
        : 'Double'
      : typeof value === 'boolean'
        ? 'Bool'
        : 'Keyword';
  return {
    metadata: { encoding: Buffer.from('json/plain'), type: Buffer.from(type) },
    data: Buffer.from(JSON.stringify(value ?? null)),
  };
}

export function countAnswer({ count, groups }: CountWorkflowExecutionsResponse): object {
  return {
    count,
    groups: groups?.map(({ groupValues, count: of }) => ({ groupValues: groupValues.map(groupValue), count: of })),
  };
}

export const count = (request: Message): Message => ({ ...request, query: checkFilter(text(request, 'query')) });

export const CountWorkflowExecutions = native('countWorkflowExecutions', count, countAnswer);

/** What the older call names: every attribute, whoever defined it. */
export const GetSearchAttributes = native(
  'listSearchAttributes',
  () => ({ namespace: 'default' }),
  ({ customAttributes, systemAttributes }) => ({ keys: { ...systemAttributes, ...customAttributes } }),
);

/** A name that is there already is left as it is, of whatever type it was asked for: clients of the reference server look at the types themselves. */
export const AddSearchAttributes = rpc((services, caller, request, call) => {
  const namespace = text(request, 'namespace');
  rules.namespace(services, rules.orOperator(caller), namespace);
  services.attributes.lookUp(namespace, (error, types) => {
    if (error !== undefined) {
      call.refuse(error);
      return;
    }
    const searchAttributes: Message = {};
    for (const [name, type] of Object.entries(part(request, 'searchAttributes'))) {
      const present = types.get(name);
      searchAttributes[name] = type === IndexedValueType.UNSPECIFIED || present === undefined ? type : typeOf(present);
    }
    again(() => runNative('addSearchAttributes', services, caller, { namespace, searchAttributes }, call), call);
  });
});
export const RemoveSearchAttributes = native('removeSearchAttributes');
export const ListSearchAttributes = native(
  'listSearchAttributes',
  (request) => request,
  ({ customAttributes, systemAttributes }) => {
    const storageSchema: Record<string, string> = {};
    for (const [name, type] of Object.entries(systemAttributes)) storageSchema[name] = storageType(type);
    return { customAttributes, systemAttributes, storageSchema };
  },
);

function storageType(type: IndexedValueType): string {
  const name = Object.entries(IndexedValueType).find(([, number_]) => number_ === type)?.[0] ?? 'UNSPECIFIED';
  return `INDEXED_VALUE_TYPE_${name}`;
}
