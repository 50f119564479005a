// Interceptors' inputs as requests of the wire: conversion of values, then codecs. Without codecs all of it is synchronous.

import type { Header } from '../../src/wire/common.ts';
import type {
  QueryWorkflowRequest,
  SignalWithStartWorkflowExecutionRequest,
  SignalWorkflowExecutionRequest,
  StartWorkflowExecutionRequest,
  TerminateWorkflowExecutionRequest,
} from '../../src/wire/execution.ts';
import type { UpdateWithStartWorkflowExecutionRequest, UpdateWorkflowExecutionRequest } from '../../src/wire/update.ts';
import { encodeMessage } from '../common/codec.ts';
import {
  encodeQueryRejectCondition,
  encodeWorkflowIdConflictPolicy,
  encodeWorkflowIdReusePolicy,
} from '../common/enums.ts';
import { compileFlowControl } from '../common/flow-control.ts';
import type { Headers } from '../common/interceptors.ts';
import { mapToPayloads, toPayloadsMessage } from '../common/payload-converter.ts';
import { compilePriority } from '../common/priority.ts';
import { compileRetryPolicy } from '../common/retry-policy.ts';
import { encodeUnifiedSearchAttributes } from '../common/search-attributes.ts';
import { userMetadataToPayload } from '../common/user-metadata.ts';
import { encodeVersioningOverride } from '../common/worker-deployments.ts';
import type { LoadedBaseClientOptions } from './base-client.ts';
import type {
  WorkflowQueryInput,
  WorkflowSignalInput,
  WorkflowSignalWithStartInput,
  WorkflowStartInput,
  WorkflowStartUpdateInput,
  WorkflowStartUpdateWithStartInput,
  WorkflowTerminateInput,
} from './interceptors.ts';
import { encodeWorkflowUpdateStage } from './update-stage.ts';

/** One per logical call: repeats over the connection carry the same. */
export function newRequestId(): string {
  return globalThis.crypto.randomUUID();
}

function toHeader(headers: Headers): Header | undefined {
  for (const _name in headers) return { fields: headers };
  return undefined;
}

function plainStartRequest(
  { namespace, identity, loadedDataConverter }: LoadedBaseClientOptions,
  { workflowType, headers, options }: WorkflowStartInput,
): StartWorkflowExecutionRequest {
  const { payloadConverter } = loadedDataConverter;
  const { memo, searchAttributes, typedSearchAttributes, retry, priority, staticSummary, staticDetails } = options;
  return {
    namespace,
    workflowId: options.workflowId,
    workflowType,
    taskQueue: options.taskQueue,
    input: toPayloadsMessage(payloadConverter, options.args),
    header: toHeader(headers),
    memo: memo === undefined ? undefined : { fields: mapToPayloads(payloadConverter, memo) },
    searchAttributes:
      searchAttributes === undefined && typedSearchAttributes === undefined
        ? undefined
        : { indexedFields: encodeUnifiedSearchAttributes(searchAttributes, typedSearchAttributes) },
    workflowExecutionTimeout: options.workflowExecutionTimeout,
    workflowRunTimeout: options.workflowRunTimeout,
    workflowTaskTimeout: options.workflowTaskTimeout,
    workflowStartDelay: options.startDelay,
    retryPolicy: retry === undefined ? undefined : compileRetryPolicy(retry),
    cronSchedule: options.cronSchedule,
    workflowIdReusePolicy: encodeWorkflowIdReusePolicy(options.workflowIdReusePolicy),
    workflowIdConflictPolicy: encodeWorkflowIdConflictPolicy(options.workflowIdConflictPolicy),
    priority: priority === undefined ? undefined : compilePriority(priority),
    versioningOverride: encodeVersioningOverride(options.versioningOverride),
    flowControl: compileFlowControl(options.flowControl),
    userMetadata: userMetadataToPayload(payloadConverter, staticSummary, staticDetails),
    identity,
    requestId: options.requestId ?? newRequestId(),
    completionCallbacks: options.completionCallbacks?.map(({ url, headers }) => ({
      nexus: { url, header: headers && { ...headers } },
    })),
    links: options.links,
    onConflictOptions: options.onConflictOptions,
  };
}

type MaybePromise<T> = T | Promise<T>;

export function startRequest(
  base: LoadedBaseClientOptions,
  input: WorkflowStartInput,
): MaybePromise<StartWorkflowExecutionRequest> {
  return encodeMessage(base.loadedDataConverter.payloadCodecs, plainStartRequest(base, input));
}

export function signalWithStartRequest(
  base: LoadedBaseClientOptions,
  input: WorkflowSignalWithStartInput,
): MaybePromise<SignalWithStartWorkflowExecutionRequest> {
  return encodeMessage(base.loadedDataConverter.payloadCodecs, {
    ...plainStartRequest(base, input),
    signalName: input.signalName,
    signalInput: toPayloadsMessage(base.loadedDataConverter.payloadConverter, input.signalArgs),
  });
}

export function signalRequest(
  { namespace, identity, loadedDataConverter }: LoadedBaseClientOptions,
  { workflowExecution, signalName, args, headers }: WorkflowSignalInput,
): MaybePromise<SignalWorkflowExecutionRequest> {
  return encodeMessage(loadedDataConverter.payloadCodecs, {
    namespace,
    workflowId: workflowExecution.workflowId,
    runId: workflowExecution.runId,
    signalName,
    input: toPayloadsMessage(loadedDataConverter.payloadConverter, args),
    header: toHeader(headers),
    identity,
    requestId: newRequestId(),
  });
}

export function updateRequest(
  { namespace, identity, loadedDataConverter }: LoadedBaseClientOptions,
  { workflowExecution, firstExecutionRunId, updateName, args, headers, options }: WorkflowStartUpdateInput,
): MaybePromise<UpdateWorkflowExecutionRequest> {
  return encodeMessage(loadedDataConverter.payloadCodecs, {
    namespace,
    workflowId: workflowExecution.workflowId,
    runId: workflowExecution.runId,
    firstExecutionRunId,
    updateId: options.updateId,
    updateName,
    args: toPayloadsMessage(loadedDataConverter.payloadConverter, args),
    header: toHeader(headers),
    waitStage: encodeWorkflowUpdateStage(options.waitForStage),
    identity,
  });
}

export function updateWithStartRequest(
  base: LoadedBaseClientOptions,
  input: WorkflowStartUpdateWithStartInput,
): MaybePromise<UpdateWithStartWorkflowExecutionRequest> {
  const { payloadConverter, payloadCodecs } = base.loadedDataConverter;
  const { workflowType, workflowStartHeaders: headers, workflowStartOptions: options } = input;
  return encodeMessage(payloadCodecs, {
    ...plainStartRequest(base, { workflowType, headers, options }),
    update: {
      updateId: input.updateOptions.updateId,
      updateName: input.updateName,
      args: toPayloadsMessage(payloadConverter, input.updateArgs),
      header: toHeader(input.updateHeaders),
      waitStage: encodeWorkflowUpdateStage(input.updateOptions.waitForStage),
    },
  });
}

export function queryRequest(
  { namespace, loadedDataConverter }: LoadedBaseClientOptions,
  { workflowExecution, queryType, args, headers, queryRejectCondition }: WorkflowQueryInput,
): MaybePromise<QueryWorkflowRequest> {
  return encodeMessage(loadedDataConverter.payloadCodecs, {
    namespace,
    workflowId: workflowExecution.workflowId,
    runId: workflowExecution.runId,
    queryType,
    queryArgs: toPayloadsMessage(loadedDataConverter.payloadConverter, args),
    header: toHeader(headers),
    queryRejectCondition: encodeQueryRejectCondition(queryRejectCondition),
  });
}

export function terminateRequest(
  { namespace, identity, loadedDataConverter }: LoadedBaseClientOptions,
  { workflowExecution, firstExecutionRunId, reason, details }: WorkflowTerminateInput,
): MaybePromise<TerminateWorkflowExecutionRequest> {
  return encodeMessage(loadedDataConverter.payloadCodecs, {
    namespace,
    workflowId: workflowExecution.workflowId,
    runId: workflowExecution.runId,
    firstExecutionRunId,
    reason,
    details: toPayloadsMessage(loadedDataConverter.payloadConverter, details ?? []),
    identity,
    requestId: newRequestId(),
  });
}
