// Answers to workflow tasks and direct queries, and the rest of a long history for the worker that holds the task.

import type {
  GetWorkflowTaskHistoryRequest,
  RespondQueryTaskCompletedRequest,
  RespondWorkflowTaskCompletedRequest,
  RespondWorkflowTaskFailedRequest,
} from '../../wire/api.ts';
import { type Call, method } from '../door.ts';
import {
  boolean,
  bytes,
  type Check,
  defaulted,
  enumeration,
  integer,
  invalid,
  list,
  object,
  optional,
  record,
  string,
} from '../validate/check.ts';
import { command, queryResult } from '../validate/commands.ts';
import * as common from '../validate/common.ts';
import * as rules from '../validate/rules.ts';
import { historyBytes } from './read.ts';

const EMPTY = Object.freeze({});
const WORKER = { callClass: 'worker' } as const;

/** What an answer gives back: the credit of the one task it ends, or nothing. */
export const answerCredit: Check<number> = (value) => {
  const n = integer(value);
  if (n !== 0 && n !== 1) throw invalid(`An answer gives back 0 or 1 credit, not ${n}.`);
  return n;
};

const nothingToSay = (call: Call) => (error: Parameters<Call['refuse']>[0] | undefined) => {
  if (error !== undefined) call.refuse(error);
  else call.reply(EMPTY);
};

export const respondWorkflowTaskCompleted = method(
  object<RespondWorkflowTaskCompletedRequest>({
    token: bytes,
    identity: defaulted(string, ''),
    commands: defaulted(list(command), []),
    sticky: defaulted(boolean, false),
    queryResults: optional(record(queryResult)),
    forceCreateNewWorkflowTask: optional(boolean),
    sdkMetadata: optional(common.sdkMetadata),
    meteringMetadata: optional(common.meteringMetadata),
    workerVersion: optional(common.workerVersion),
    credit: defaulted(answerCredit, 0),
  }),
  (services, caller, request, call) => {
    const token = rules.taskToken(services, caller, request.token, 'workflow');
    rules.within(services.limits, 'Identity', request.identity);
    // Before the turn: the next task of this execution may take the credit in the very same commit.
    caller.taskAnswered(request.token, 'workflow', undefined, request.credit);
    services.engine.submit(
      { namespace: token.namespace, workflowId: token.workflowId },
      {
        type: 'completeWorkflowTask',
        task: token,
        identity: request.identity,
        commands: request.commands,
        sticky: request.sticky,
        queryResults: request.queryResults,
        forceCreateNewWorkflowTask: request.forceCreateNewWorkflowTask ?? false,
        sdkMetadata: request.sdkMetadata,
        meteringMetadata: request.meteringMetadata,
        workerVersion: request.workerVersion,
      },
      nothingToSay(call),
    );
  },
  WORKER,
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
    caller.taskAnswered(request.token, 'workflow', undefined, request.credit);
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
  WORKER,
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
    caller.taskAnswered(request.token, 'workflow', queryId, request.credit);
    const to = { namespace: token.namespace, workflowId: token.workflowId };
    services.engine.answerQuery(to, queryId, request.result, nothingToSay(call));
  },
  WORKER,
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
