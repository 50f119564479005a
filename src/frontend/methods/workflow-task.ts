// Answers to workflow tasks and direct queries, and the rest of a long history for the worker that holds the task.

import type { Command } from '../../wire/command.ts';
import type { GetWorkflowTaskHistoryRequest } from '../../wire/history.ts';
import { MessageType, type ProtocolMessage } from '../../wire/protocol-message.ts';
import type {
  RespondQueryTaskCompletedRequest,
  RespondWorkflowTaskCompletedRequest,
  RespondWorkflowTaskCompletedResponse,
  RespondWorkflowTaskFailedRequest,
  StickyChoice,
} from '../../wire/workflow-task.ts';
import { type Call, type Caller, method, type Services } from '../door.ts';
import { sessionOf } from '../hosted-worker.ts';
import {
  boolean,
  bytes,
  defaulted,
  enumeration,
  integer,
  list,
  object,
  optional,
  record,
  string,
} from '../validate/check.ts';
import { command, queryResult } from '../validate/commands.ts';
import * as common from '../validate/common.ts';
import { protocolMessages } from '../validate/messages.ts';
import * as rules from '../validate/rules.ts';
import { withStampedAttributes } from './command-attributes.ts';
import { crossing, namespaceIn } from './command-namespaces.ts';
import { answerCredit, answers, answersQuery } from './credit.ts';
import { historyBytes } from './read.ts';

const EMPTY = Object.freeze({});
const WORKER = { callClass: 'worker' } as const;
const TASK_ANSWER = { callClass: 'worker', arrived: answers('workflow') } as const;
const QUERY_ANSWER = { callClass: 'worker', arrived: answersQuery } as const;

const nothingToSay = (call: Call) => (error: Parameters<Call['refuse']>[0] | undefined) => {
  if (error !== undefined) call.refuse(error);
  else call.reply(EMPTY);
};

/**
 * Another namespace than the task's must exist, and the worker's token must open it: a workflow reaches no further than its worker. Refused
 * as on the reference server: nothing is written and the task stays started.
 */
function checkNamespace(services: Services, caller: Caller, command: Command): void {
  const namespace = namespaceIn(command);
  if (namespace) rules.namespace(services, caller, namespace);
}

/**
 * A worker's copy of a request counts where the server has lost its own with the process before it: of its callbacks, those that this server would
 * have taken from a client.
 */
function withAllowedCallbacks({ callbacks }: Services, messages: ProtocolMessage[] | undefined): typeof messages {
  return messages?.map((message) => {
    const { body } = message;
    const request = body.type === MessageType.ACCEPTANCE ? body.value.acceptedRequest : undefined;
    if (body.type !== MessageType.ACCEPTANCE || request?.completionCallbacks === undefined) return message;
    const completionCallbacks = request.completionCallbacks.filter((one) => callbacks?.problem(one) === undefined);
    const acceptedRequest = { ...request, completionCallbacks: callbacks === undefined ? [] : completionCallbacks };
    return { ...message, body: { type: body.type, value: { ...body.value, acceptedRequest } } };
  });
}

export const respondWorkflowTaskCompleted = method(
  object<RespondWorkflowTaskCompletedRequest>({
    token: bytes,
    identity: defaulted(string, ''),
    commands: defaulted(list(command), []),
    sticky: defaulted(boolean, false),
    stickyQueue: optional(
      object<StickyChoice>({
        queue: string,
        scheduleToStartTimeout: defaulted(integer, 0),
      }),
    ),
    messages: optional(protocolMessages),
    queryResults: optional(record(queryResult)),
    forceCreateNewWorkflowTask: optional(boolean),
    sdkMetadata: optional(common.sdkMetadata),
    meteringMetadata: optional(common.meteringMetadata),
    binaryChecksum: optional(string),
    workerVersion: optional(common.workerVersion),
    eagerWorkerId: optional(string),
    deploymentVersion: optional(common.deploymentVersion),
    versioningBehavior: optional(enumeration()),
    credit: defaulted(answerCredit, 0),
  }),
  (services, caller, request, call) => {
    const token = rules.taskToken(services, caller, request.token, 'workflow');
    rules.within(services.limits, 'Identity', request.identity);
    rules.within(services.limits, 'EagerWorkerId', request.eagerWorkerId ?? '');
    rules.within(services.limits, 'BinaryChecksum', request.binaryChecksum ?? '');
    rules.within(services.limits, 'WorkerTaskQueue', request.stickyQueue?.queue ?? '');
    for (const command of request.commands) checkNamespace(services, caller, command);
    const { namespace, workflowId } = token;
    const strayed = crossing(services, namespace, request.commands);
    withStampedAttributes(services, namespace, request.commands, (error, commands, unset) => {
      if (error !== undefined) {
        call.refuse(error);
        return;
      }
      services.engine.submit(
        { namespace, workflowId },
        {
          type: 'completeWorkflowTask',
          task: token,
          identity: request.identity,
          commands,
          // Workers of Temporal's say what is to go on, and the server there adds nothing.
          saysAll: services.reference === undefined ? undefined : true,
          attributeProblems: strayed === undefined ? unset : [...strayed, ...(unset ?? [])],
          sticky: request.sticky,
          stickyQueue: request.stickyQueue,
          messages: withAllowedCallbacks(services, request.messages),
          queryResults: request.queryResults,
          forceCreateNewWorkflowTask: request.forceCreateNewWorkflowTask ?? false,
          sdkMetadata: request.sdkMetadata,
          meteringMetadata: request.meteringMetadata,
          binaryChecksum: request.binaryChecksum || undefined,
          workerVersion: request.workerVersion,
          eagerFor: request.eagerWorkerId ? sessionOf(namespace, request.eagerWorkerId) : undefined,
          deploymentVersion: request.deploymentVersion,
          versioningBehavior: request.versioningBehavior,
        },
        (refusal, reply) => {
          if (refusal !== undefined) call.refuse(refusal);
          else if (reply?.type !== 'accepted' || reply.resetHistoryEventId === undefined) call.reply(EMPTY);
          else
            call.reply({
              resetHistoryEventId: reply.resetHistoryEventId,
            } satisfies RespondWorkflowTaskCompletedResponse);
        },
      );
    });
  },
  TASK_ANSWER,
);

export const respondWorkflowTaskFailed = method(
  object<RespondWorkflowTaskFailedRequest>({
    token: bytes,
    identity: defaulted(string, ''),
    cause: defaulted(enumeration(), 0),
    failure: optional(common.failure),
    workerVersion: optional(common.workerVersion),
    credit: defaulted(answerCredit, 0),
  }),
  (services, caller, request, call) => {
    const token = rules.taskToken(services, caller, request.token, 'workflow');
    rules.within(services.limits, 'Identity', request.identity);
    services.engine.submit(
      { namespace: token.namespace, workflowId: token.workflowId },
      {
        type: 'failWorkflowTask',
        task: token,
        identity: request.identity,
        cause: request.cause,
        failure: request.failure,
        workerVersion: request.workerVersion,
      },
      nothingToSay(call),
    );
  },
  TASK_ANSWER,
);

export const respondQueryTaskCompleted = method(
  object<RespondQueryTaskCompletedRequest>({
    token: bytes,
    result: queryResult,
    credit: defaulted(answerCredit, 0),
  }),
  (services, caller, request, call) => {
    const token = rules.taskToken(services, caller, request.token, 'query');
    const queryId = token.queryId ?? '';
    const to = { namespace: token.namespace, workflowId: token.workflowId };
    services.engine.answerQuery(to, queryId, request.result, nothingToSay(call));
  },
  QUERY_ANSWER,
);

export const getWorkflowTaskHistory = method(
  object<GetWorkflowTaskHistoryRequest>({
    token: bytes,
    fromEventId: defaulted(integer, 1),
    maximumBytes: optional(integer),
  }),
  (services, caller, request, call) => {
    const token = rules.heldToken(services, caller, request.token);
    const to = { namespace: token.namespace, workflowId: token.workflowId };
    const { runId, scheduledEventId } = token;
    const fromEventId = Math.max(1, request.fromEventId);
    const page = { runId, scheduledEventId, fromEventId, maximumBytes: historyBytes(request.maximumBytes) };
    services.engine.taskHistory(to, page, (error, value) => {
      if (error !== undefined) call.refuse(error);
      else if (value !== undefined) call.reply(value);
    });
  },
  WORKER,
);
