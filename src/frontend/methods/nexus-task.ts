// Answers to Nexus tasks, from the worker that was given one. The task is the calling workflow's, in whatever namespace that is; its worker answers in its
// own, which must be the one the task went to (the actor sees to that).

import type { NexusAnswer } from '../../core/workflow/message.ts';
import { decodeToken } from '../../core/workflow/token.ts';
import type { Failure } from '../../wire/failure.ts';
import type { RespondNexusTaskRequest } from '../../wire/nexus.ts';
import { method } from '../door.ts';
import { bytes, defaulted, invalid, object, optional, string } from '../validate/check.ts';
import * as common from '../validate/common.ts';
import { nexusHandlerError, nexusResponse } from '../validate/nexus.ts';
import * as rules from '../validate/rules.ts';
import { answerCredit, answersNexus } from './credit.ts';

const EMPTY = Object.freeze({});

function answerOf({ response, error, failure }: RespondNexusTaskRequest): NexusAnswer {
  if (failure !== undefined) return { type: 'failed', failure: asHandlerFailure(failure) };
  if (error !== undefined) {
    const { errorType, retryBehavior, failure: cause } = error;
    const info = { type: errorType, retryBehavior };
    return { type: 'failed', failure: { message: cause?.message ?? errorType, nexusHandlerFailureInfo: info, cause } };
  }
  if (response?.cancelOperation !== undefined) return { type: 'cancelTaken' };
  const { syncSuccess, asyncSuccess, failure: ended } = response?.startOperation ?? {};
  if (syncSuccess !== undefined) return { type: 'completed', result: syncSuccess.payload, links: syncSuccess.links };
  if (asyncSuccess !== undefined) {
    return { type: 'started', operationToken: asyncSuccess.operationToken, links: asyncSuccess.links };
  }
  if (ended !== undefined) return { type: 'ended', failure: ended };
  throw invalid('Response not set on request: a Nexus task is answered with a response, an error or a failure.');
}

/** A handler that failed with something else failed for a reason of its own. */
const asHandlerFailure = (failure: Failure): Failure =>
  failure.nexusHandlerFailureInfo !== undefined
    ? failure
    : { message: failure.message, nexusHandlerFailureInfo: { type: 'INTERNAL' }, cause: failure };

export const respondNexusTask = method(
  object<RespondNexusTaskRequest>({
    namespace: defaulted(string, ''),
    token: bytes,
    identity: defaulted(string, ''),
    response: optional(nexusResponse),
    error: optional(nexusHandlerError),
    failure: optional(common.failure),
    credit: defaulted(answerCredit, 0),
  }),
  (services, caller, request, call) => {
    const { namespace, token: given, identity } = request;
    rules.namespace(services, caller, namespace);
    rules.within(services.limits, 'Identity', identity);
    if (given.length === 0) throw invalid('Task token not set on request.');
    const token = decodeToken(given);
    if (token?.kind !== 'activity') throw invalid('Error deserializing task token.');
    const { namespace: of, workflowId, ...task } = token;
    const answer = answerOf(request);
    services.engine.submit(
      { namespace: of, workflowId },
      { type: 'answerNexusTask', task, namespace, answer },
      (error) => {
        if (error !== undefined) call.refuse(error);
        else call.reply(EMPTY);
      },
    );
  },
  { callClass: 'worker', arrived: answersNexus },
);
