// startWorkflowExecution and signalWithStartWorkflowExecution.

import { attributesTooLarge } from '../../core/workflow/attribute-sizes.ts';
import type { StartMessage } from '../../core/workflow/message.ts';
import { overridePin } from '../../core/workflow/versioning.ts';
import { WorkflowIdConflictPolicy } from '../../wire/enums.ts';
import type { SignalWithStartWorkflowExecutionRequest, StartWorkflowExecutionRequest } from '../../wire/execution.ts';
import { untimedRunId } from '../../wire/run-id.ts';
import { type Call, method, type Services } from '../door.ts';
import { checkFlow, submitStart } from '../flow-starts.ts';
import { sessionOf } from '../hosted-worker.ts';
import {
  defaulted,
  enumeration,
  type Fields,
  integer,
  invalid,
  list,
  object,
  optional,
  string,
} from '../validate/check.ts';
import * as common from '../validate/common.ts';
import { flowControl } from '../validate/flow-control.ts';
import * as rules from '../validate/rules.ts';
import { withVersionsOn } from './execution-options.ts';

export const fields: Fields<StartWorkflowExecutionRequest> = {
  namespace: defaulted(string, ''),
  workflowId: defaulted(string, ''),
  workflowType: defaulted(string, ''),
  taskQueue: defaulted(string, ''),
  input: optional(common.payloads),
  header: optional(common.header),
  memo: optional(common.memo),
  searchAttributes: optional(common.searchAttributes),
  workflowExecutionTimeout: optional(integer),
  workflowRunTimeout: optional(integer),
  workflowTaskTimeout: optional(integer),
  workflowStartDelay: optional(integer),
  retryPolicy: optional(common.retryPolicy),
  cronSchedule: optional(string),
  workflowIdReusePolicy: optional(enumeration()),
  workflowIdConflictPolicy: optional(enumeration()),
  priority: optional(common.priority),
  userMetadata: optional(common.userMetadata),
  identity: defaulted(string, ''),
  requestId: defaulted(string, ''),
  eagerWorkerId: optional(string),
  completionCallbacks: optional(list(common.callback)),
  links: optional(list(common.link)),
  onConflictOptions: optional(common.onConflictOptions),
  versioningOverride: optional(common.versioningOverride),
  flowControl: optional(flowControl),
  continuedFailure: optional(common.failure),
  lastCompletionResult: optional(common.payloads),
};

const startRequest = object<StartWorkflowExecutionRequest>(fields);

const signalWithStartRequest = object<SignalWithStartWorkflowExecutionRequest>({
  ...fields,
  signalName: defaulted(string, ''),
  signalInput: optional(common.payloads),
});

export function startMessage(
  { limits, random, callbacks }: Services,
  request: StartWorkflowExecutionRequest,
  defaultConflict: WorkflowIdConflictPolicy,
): StartMessage {
  rules.workflowId(limits, request.workflowId);
  rules.within(limits, 'RequestId', request.requestId);
  rules.within(limits, 'EagerWorkerId', request.eagerWorkerId ?? '');
  rules.present(limits, 'WorkflowType', request.workflowType);
  rules.taskQueueName(limits, request.taskQueue);
  const workflowStartDelay = rules.duration('WorkflowStartDelay', request.workflowStartDelay);
  if (request.cronSchedule && workflowStartDelay !== undefined) {
    throw invalid('CronSchedule and WorkflowStartDelay may not be used together.');
  }
  rules.retryPolicy(request.retryPolicy);
  rules.priority(request.priority);
  checkFlow(request.flowControl, 'start');
  rules.blob(limits, request.input);
  rules.blob(limits, request.memo);
  rules.blob(limits, request.header);
  rules.blob(limits, request.lastCompletionResult);
  rules.completionCallbacks(limits, callbacks, request);
  const tooLarge = attributesTooLarge(request.searchAttributes?.indexedFields ?? {}, limits);
  if (tooLarge !== undefined) throw invalid(tooLarge);
  return {
    type: 'start',
    // Flow control has its permit in the name of the run before the run begins.
    runId: request.flowControl === undefined ? untimedRunId(random.uuid()) : random.uuid(),
    requestId: request.requestId === '' ? random.uuid() : request.requestId,
    identity: request.identity,
    workflowType: request.workflowType,
    taskQueue: request.taskQueue,
    input: request.input,
    header: request.header,
    memo: request.memo,
    searchAttributes: undefined,
    workflowExecutionTimeout: rules.duration('WorkflowExecutionTimeout', request.workflowExecutionTimeout),
    workflowRunTimeout: rules.duration('WorkflowRunTimeout', request.workflowRunTimeout),
    workflowTaskTimeout: rules.duration('WorkflowTaskTimeout', request.workflowTaskTimeout),
    workflowStartDelay,
    cronSchedule: request.cronSchedule,
    retryPolicy: request.retryPolicy,
    ...rules.idPolicies(request.workflowIdReusePolicy, request.workflowIdConflictPolicy, defaultConflict),
    priority: request.priority,
    userMetadata: request.userMetadata,
    completionCallbacks: request.completionCallbacks,
    links: request.links,
    onConflict: request.onConflictOptions,
    versioningOverride: rules.versioningOverride(request.versioningOverride),
    flowControl: request.flowControl,
    continuedFailure: request.continuedFailure,
    lastCompletionResult: request.lastCompletionResult,
    eagerFor: request.eagerWorkerId ? sessionOf(request.namespace, request.eagerWorkerId) : undefined,
  };
}

function submit(services: Services, request: StartWorkflowExecutionRequest, message: StartMessage, call: Call): void {
  const { namespace, workflowId, searchAttributes } = request;
  services.attributes.stamped(namespace, searchAttributes, (failure, stamped) => {
    if (failure !== undefined) {
      call.refuse(failure);
      return;
    }
    message.searchAttributes = stamped;
    withPin(services, namespace, message, call, () =>
      submitStart(services, { namespace, workflowId }, message, (error, response) => {
        if (error !== undefined) call.refuse(error);
        else if (response !== undefined) call.reply(response);
      }),
    );
  });
}

/** As on the reference server a start is pinned to a version whose workers are there; by the native door they may come later. */
function withPin(services: Services, namespace: string, message: StartMessage, call: Call, go: () => void): void {
  const { versioningOverride: override, taskQueue } = message;
  if (services.reference === undefined || override === undefined || overridePin(override) === undefined) go();
  else withVersionsOn(services, namespace, taskQueue, [override], call, go);
}

export const startWorkflowExecution = method(startRequest, (services, caller, request, call) => {
  rules.namespaceForStarts(services, caller, request.namespace);
  submit(services, request, startMessage(services, request, WorkflowIdConflictPolicy.FAIL), call);
});

export const signalWithStartWorkflowExecution = method(signalWithStartRequest, (services, caller, request, call) => {
  rules.namespaceForStarts(services, caller, request.namespace);
  if (request.workflowIdConflictPolicy === WorkflowIdConflictPolicy.FAIL) {
    throw invalid(
      'Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported for this operation.',
    );
  }
  rules.present(services.limits, 'SignalName', request.signalName);
  rules.blob(services.limits, request.signalInput);
  if (request.flowControl?.singleton === 'useExisting') {
    throw invalid(
      "flowControl.singleton 'useExisting' may meet another workflow, which the signal is not meant for: use 'reject'.",
    );
  }
  const message = startMessage(services, request, WorkflowIdConflictPolicy.USE_EXISTING);
  message.signal = {
    signalName: request.signalName,
    input: request.signalInput,
    header: request.header,
    identity: request.identity,
    requestId: message.requestId,
  };
  submit(services, request, message, call);
});
