// Activities without a workflow as users see them: the wire's numbers and payloads as dates, names and values.

import type * as wire from '../../src/wire/activity.ts';
import type { Payload, Payloads } from '../../src/wire/common.ts';
import type { Failure } from '../../src/wire/failure.ts';
import { decodeMessage } from '../common/codec.ts';
import type { LoadedDataConverter } from '../common/data-converter.ts';
import { fromPayloads, fromPayloadsAtIndex } from '../common/payload-converter.ts';
import { decodePriority } from '../common/priority.ts';
import { decompileRetryPolicy } from '../common/retry-policy.ts';
import { decodeTypedSearchAttributes } from '../common/search-attributes.ts';
import {
  type ActivityExecutionDescription,
  type ActivityExecutionInfo,
  decodeActivityExecutionStatus,
  decodePendingActivityState,
} from './activity-types.ts';

const date = (ms: number | undefined): Date | undefined => (ms === undefined ? undefined : new Date(ms));
const some = (ms: number | undefined): number | undefined => ms || undefined;

export function infoFromRaw(raw: wire.ActivityExecutionListInfo): ActivityExecutionInfo {
  return {
    rawListInfo: raw,
    activityId: raw.activityId,
    activityRunId: raw.runId,
    activityType: raw.activityType,
    scheduleTime: date(raw.scheduleTime),
    closeTime: date(raw.closeTime),
    // A number this SDK does not know is one of a state in which it runs: it has not closed.
    status: decodeActivityExecutionStatus(raw.status) ?? 'RUNNING',
    typedSearchAttributes: decodeTypedSearchAttributes(raw.searchAttributes?.indexedFields),
    taskQueue: raw.taskQueue,
    executionDurationMs: raw.executionDuration,
    executionTime: date(raw.executionTime),
  };
}

type Described = Extract<wire.DescribeActivityExecutionResponse, { runId: string }>;

export function descriptionFromRaw(
  { info: raw, input, outcome }: Described,
  converter: LoadedDataConverter,
): ActivityExecutionDescription {
  const { payloadConverter, payloadCodecs, failureConverter } = converter;
  const first = async <T>(payloads: Payloads | undefined): Promise<T | undefined> =>
    payloads && fromPayloadsAtIndex<T>(payloadConverter, 0, (await decodeMessage(payloadCodecs, payloads)).payloads);
  const error = async (failure: Failure | undefined): Promise<Error | undefined> =>
    failure && failureConverter.failureToError(await decodeMessage(payloadCodecs, failure), payloadConverter);
  const text = async (payload: Payload | undefined): Promise<string | undefined> => {
    const decoded = await decodeMessage(payloadCodecs, payload);
    return decoded === undefined ? undefined : payloadConverter.fromPayload<string>(decoded);
  };
  const { rawListInfo: _, ...info } = infoFromRaw(raw);
  return {
    ...info,
    rawInfo: raw,
    rawCallbacks: [],
    runState: decodePendingActivityState(raw.runState),
    scheduleToCloseTimeoutMs: some(raw.scheduleToCloseTimeout),
    scheduleToStartTimeoutMs: some(raw.scheduleToStartTimeout),
    startToCloseTimeoutMs: some(raw.startToCloseTimeout),
    heartbeatTimeoutMs: some(raw.heartbeatTimeout),
    retryPolicy: decompileRetryPolicy(raw.retryPolicy) ?? {},
    lastHeartbeatTime: date(raw.lastHeartbeatTime),
    lastStartedTime: date(raw.lastStartedTime),
    attempt: raw.attempt,
    expirationTime: date(raw.expirationTime),
    lastWorkerIdentity: raw.lastWorkerIdentity,
    currentRetryIntervalMs: raw.currentRetryInterval,
    lastAttemptCompleteTime: date(raw.lastAttemptCompleteTime),
    nextAttemptScheduleTime: date(raw.nextAttemptScheduleTime),
    priority: decodePriority(raw.priority),
    canceledReason: raw.canceledReason,
    startDelayMs: raw.startDelay,
    totalHeartbeatCount: raw.totalHeartbeatCount,
    lastDeploymentVersion: raw.lastDeploymentVersion,
    flowControl: raw.flowControl && {
      key: raw.flowControl.key,
      scope: raw.flowControl.scope ?? 'namespace',
      state: raw.flowControl.state,
    },
    hasHeartbeatDetails: raw.heartbeatDetails !== undefined,
    hasLastFailure: raw.lastFailure !== undefined,
    hasInput: input !== undefined,
    hasResult: outcome?.result !== undefined,
    hasOutcomeFailure: outcome?.failure !== undefined,
    getHeartbeatDetails: () => first(raw.heartbeatDetails),
    getLastFailure: () => error(raw.lastFailure),
    // As the caller says they are.
    getInput: async <T extends unknown[]>() =>
      input && (fromPayloads(payloadConverter, await decodeMessage(payloadCodecs, input)) as T),
    getResult: () => first(outcome?.result),
    getOutcomeFailure: () => error(outcome?.failure),
    staticSummary: () => text(raw.userMetadata?.summary),
    staticDetails: () => text(raw.userMetadata?.details),
  };
}
