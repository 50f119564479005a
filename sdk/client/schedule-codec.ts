// Schedules to and from the wire. Values are converted here; codecs are applied to whole requests and answers by the caller.

import type { SearchAttributes as WireAttributes } from '../../src/wire/common.ts';
import type * as wire from '../../src/wire/schedule.ts';
import type { LoadedDataConverter } from '../common/data-converter.ts';
import { compileFlowControl, decodeFlowControl } from '../common/flow-control.ts';
import type { Headers } from '../common/interceptors.ts';
import { fromPayloads, mapFromPayloads, mapToPayloads, toPayloadsMessage } from '../common/payload-converter.ts';
import { compilePriority, decodePriority } from '../common/priority.ts';
import { compileRetryPolicy, decompileRetryPolicy } from '../common/retry-policy.ts';
import {
  decodeSearchAttributes,
  decodeTypedSearchAttributes,
  encodeUnifiedSearchAttributes,
} from '../common/search-attributes.ts';
import { durationOption } from '../common/time.ts';
import { userMetadataToPayload } from '../common/user-metadata.ts';
import { extractWorkflowType } from '../common/workflow-options.ts';
import { decodeSpec, encodeSpec } from './schedule-spec.ts';
import {
  type Backfill,
  type CompiledScheduleAction,
  type CompiledScheduleUpdateOptions,
  decodeScheduleOverlapPolicy,
  encodeScheduleOverlapPolicy,
  type ScheduleDescription,
  type ScheduleDescriptionAction,
  type ScheduleExecutionActionResult,
  type ScheduleExecutionResult,
  ScheduleOverlapPolicy,
  type ScheduleSummary,
  type ScheduleUpdatedAction,
} from './schedule-types.ts';

/** @throws TypeError for what is missing. */
export function compileAction(scheduleId: string, action: ScheduleUpdatedAction): CompiledScheduleAction {
  for (const name of ['taskQueue', 'workflowType'] as const)
    if (!action[name]) throw new TypeError(`Missing action.${name} of schedule '${scheduleId}'`);
  return {
    ...action,
    workflowType: extractWorkflowType(action.workflowType),
    workflowId: action.workflowId ?? `${scheduleId}-workflow`,
    args: action.args ?? [],
  };
}

type Attributed = Pick<CompiledScheduleUpdateOptions, 'searchAttributes' | 'typedSearchAttributes'>;

export const encodeAttributes = ({
  searchAttributes,
  typedSearchAttributes,
}: Attributed): WireAttributes | undefined =>
  searchAttributes === undefined && typedSearchAttributes === undefined
    ? undefined
    : { indexedFields: encodeUnifiedSearchAttributes(searchAttributes, typedSearchAttributes) };

function encodeAction(
  { payloadConverter }: LoadedDataConverter,
  action: CompiledScheduleAction,
  headers: Headers,
): wire.ScheduleAction {
  const { memo, retry, priority } = action;
  return {
    startWorkflow: {
      workflowId: action.workflowId,
      workflowType: action.workflowType,
      taskQueue: action.taskQueue,
      input: toPayloadsMessage(payloadConverter, action.args),
      header: Object.keys(headers).length === 0 ? undefined : { fields: headers },
      memo: memo === undefined ? undefined : { fields: mapToPayloads(payloadConverter, memo) },
      searchAttributes: encodeAttributes(action),
      workflowExecutionTimeout: durationOption('workflowExecutionTimeout', action.workflowExecutionTimeout),
      workflowRunTimeout: durationOption('workflowRunTimeout', action.workflowRunTimeout),
      workflowTaskTimeout: durationOption('workflowTaskTimeout', action.workflowTaskTimeout),
      retryPolicy: retry === undefined ? undefined : compileRetryPolicy(retry),
      priority: priority === undefined ? undefined : compilePriority(priority),
      flowControl: compileFlowControl(action.flowControl),
      userMetadata: userMetadataToPayload(payloadConverter, action.staticSummary, action.staticDetails),
    },
  };
}

export function encodeSchedule(
  converter: LoadedDataConverter,
  { spec, action, policies, state }: CompiledScheduleUpdateOptions,
  headers: Headers,
): wire.Schedule {
  return {
    spec: encodeSpec(spec),
    action: encodeAction(converter, action, headers),
    policies: {
      overlapPolicy: encodeScheduleOverlapPolicy(policies?.overlap),
      catchupWindow: durationOption('catchupWindow', policies?.catchupWindow),
      pauseOnFailure: policies?.pauseOnFailure,
    },
    state: {
      paused: state?.paused,
      notes: state?.note,
      limitedActions: state?.remainingActions !== undefined,
      remainingActions: state?.remainingActions,
    },
  };
}

export const encodeBackfill = ({ start, end, overlap }: Backfill): wire.BackfillRequest => ({
  startTime: start.getTime(),
  endTime: end.getTime(),
  overlapPolicy: encodeScheduleOverlapPolicy(overlap),
});

/** Triggers overlap unless told otherwise, as the official client has it. */
export const encodeTrigger = (overlap: ScheduleOverlapPolicy): wire.TriggerImmediatelyRequest => ({
  overlapPolicy: encodeScheduleOverlapPolicy(overlap ?? ScheduleOverlapPolicy.ALLOW_ALL),
});

function decodeAction(
  { payloadConverter }: LoadedDataConverter,
  { startWorkflow }: wire.ScheduleAction,
): ScheduleDescriptionAction {
  if (startWorkflow === undefined) throw new TypeError('The schedule has no action, or one this version does not know');
  const { searchAttributes, userMetadata, memo, input, retryPolicy } = startWorkflow;
  const text = (payload: Parameters<typeof payloadConverter.fromPayload>[0] | undefined): string | undefined =>
    payload === undefined ? undefined : payloadConverter.fromPayload(payload);
  return {
    type: 'startWorkflow',
    workflowId: startWorkflow.workflowId,
    workflowType: startWorkflow.workflowType,
    taskQueue: startWorkflow.taskQueue,
    args: fromPayloads(payloadConverter, input),
    memo: mapFromPayloads(payloadConverter, memo?.fields),
    retry: decompileRetryPolicy(retryPolicy),
    searchAttributes: decodeSearchAttributes(searchAttributes?.indexedFields),
    typedSearchAttributes: decodeTypedSearchAttributes(searchAttributes?.indexedFields),
    workflowExecutionTimeout: startWorkflow.workflowExecutionTimeout,
    workflowRunTimeout: startWorkflow.workflowRunTimeout,
    workflowTaskTimeout: startWorkflow.workflowTaskTimeout,
    staticSummary: text(userMetadata?.summary),
    staticDetails: text(userMetadata?.details),
    priority: decodePriority(startWorkflow.priority),
    ...(startWorkflow.flowControl && { flowControl: decodeFlowControl(startWorkflow.flowControl) }),
  };
}

const resultOf = ({ workflowId, runId }: wire.ScheduledRun): ScheduleExecutionActionResult => ({
  type: 'startWorkflow',
  workflow: { workflowId, firstExecutionRunId: runId },
});

const recent = (actions: readonly wire.ScheduleActionResult[]): ScheduleExecutionResult[] =>
  actions.map(({ scheduleTime, actualTime, startWorkflowResult }) => ({
    scheduledAt: new Date(scheduleTime),
    takenAt: new Date(actualTime),
    action: resultOf(startWorkflowResult),
  }));

const dates = (times: readonly number[]): Date[] => times.map((ms) => new Date(ms));

/** `raw`: codecs undone. */
export function decodeDescription(
  converter: LoadedDataConverter,
  scheduleId: string,
  raw: wire.DescribeScheduleResponse,
): ScheduleDescription {
  const { schedule, info, memo, searchAttributes } = raw;
  const { spec = {}, action = {}, policies, state } = schedule;
  return {
    scheduleId,
    spec: decodeSpec(spec),
    action: decodeAction(converter, action),
    memo: mapFromPayloads(converter.payloadConverter, memo?.fields),
    searchAttributes: decodeSearchAttributes(searchAttributes?.indexedFields),
    typedSearchAttributes: decodeTypedSearchAttributes(searchAttributes?.indexedFields),
    policies: {
      overlap: decodeScheduleOverlapPolicy(policies?.overlapPolicy) ?? ScheduleOverlapPolicy.SKIP,
      catchupWindow: policies?.catchupWindow ?? 0,
      pauseOnFailure: policies?.pauseOnFailure === true,
    },
    state: {
      paused: state?.paused === true,
      note: state?.notes,
      remainingActions: state?.limitedActions ? (state.remainingActions ?? 0) : undefined,
    },
    info: {
      recentActions: recent(info.recentActions),
      nextActionTimes: dates(info.futureActionTimes),
      createdAt: new Date(info.createTime),
      lastUpdatedAt: info.updateTime === undefined ? undefined : new Date(info.updateTime),
      runningActions: info.runningWorkflows.map(resultOf),
      numActionsMissedCatchupWindow: info.missedCatchupWindow,
      numActionsSkippedOverlap: info.overlapSkipped,
      numActionsTaken: info.actionCount,
    },
    raw,
  };
}

/** `raw`: codecs undone. */
export function decodeSummary(
  { payloadConverter }: LoadedDataConverter,
  { scheduleId, memo, searchAttributes, info }: wire.ScheduleListEntry,
): ScheduleSummary {
  const { workflowType } = info;
  return {
    scheduleId,
    spec: decodeSpec(info.spec),
    action: workflowType === undefined ? undefined : { type: 'startWorkflow', workflowType },
    memo: mapFromPayloads(payloadConverter, memo?.fields),
    searchAttributes: decodeSearchAttributes(searchAttributes?.indexedFields),
    typedSearchAttributes: decodeTypedSearchAttributes(searchAttributes?.indexedFields),
    state: { paused: info.paused === true, note: info.notes },
    info: { recentActions: recent(info.recentActions), nextActionTimes: dates(info.futureActionTimes) },
  };
}
