// The side of workers that handle Nexus operations. Failures are the API's own where the worker knows them (the capability says that we do); of older
// workers they come as Nexus has them, and are read back.

import { nexusQueue } from '../../../core/workflow/operation-rows.ts';
import type { Delivery } from '../../../ports/matching.ts';
import type { ActivityTask } from '../../../wire/activity-task.ts';
import { taskPush } from '../../task-push.ts';
import { codecNamed } from '../proto/codec.ts';
import { messageType } from '../proto/descriptors.ts';
import { decodeMessage } from '../proto/message.ts';
import { bytes, type Message, native, part, type Rpc, text } from '../rpc.ts';
import { poll } from './poll.ts';

const CAPABILITIES = { temporalFailureResponses: true };

function nexusTaskAnswer(delivery: Delivery): object {
  // A delivery of this queue makes a Nexus task.
  const { token, nexus } = taskPush('', delivery).body as ActivityTask;
  return { taskToken: token, request: { ...nexus, capabilities: CAPABILITIES } };
}

export const PollNexusTaskQueue: Rpc = poll('activity', nexusTaskAnswer, nexusQueue);

const FAILURE = 'temporal.api.failure.v1.Failure';

/** A failure as Nexus has it: the API's own in its details, if it was one. */
function readFailure(failure: Message): Message {
  const message = text(failure, 'message');
  const stackTrace = text(failure, 'stackTrace');
  const own = { message, stackTrace };
  const details = bytes(failure, 'details');
  const cause = failure.cause === undefined ? undefined : readFailure(part(failure, 'cause'));
  if (part(failure, 'metadata').type !== FAILURE || details.length === 0) {
    return { ...own, cause, applicationFailureInfo: { type: 'NexusFailure' } };
  }
  try {
    const type = messageType(FAILURE);
    const json = withDurations(JSON.parse(new TextDecoder().decode(details)));
    const whole = decodeMessage(codecNamed(FAILURE), type.encode(type.fromObject(json as object)).finish());
    return { ...whole, ...own, ...(cause && { cause }) };
  } catch {
    // What cannot be read is told by its message.
    return { ...own, cause, applicationFailureInfo: { type: 'NexusFailure' } };
  }
}

/** JSON has `1.5s` where the message has seconds and nanoseconds. */
function withDurations(value: unknown, name = ''): unknown {
  if (name === 'nextRetryDelay' && typeof value === 'string') {
    const seconds = Number(value.replace(/s$/, ''));
    return { seconds: Math.floor(seconds), nanos: Math.round((seconds % 1) * 1e9) };
  }
  if (Array.isArray(value)) return value.map((item) => withDurations(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withDurations(inner, key)]));
}

function startResponse(response: Message): Message {
  if (response.asyncSuccess !== undefined) {
    const async = part(response, 'asyncSuccess');
    const operationToken = text(async, 'operationToken') || text(async, 'operationId');
    return { asyncSuccess: { ...async, operationToken } };
  }
  if (response.operationError === undefined) return response;
  const error = part(response, 'operationError');
  const failure = readFailure(part(error, 'failure'));
  if (text(error, 'operationState') !== 'canceled') return { failure };
  const { applicationFailureInfo: _info, ...canceled } = failure;
  return { failure: { canceledFailureInfo: {}, ...canceled } };
}

const answered = (request: Message): Message => ({
  namespace: request.namespace,
  identity: request.identity,
  token: request.taskToken,
});

export const RespondNexusTaskCompleted = native('respondNexusTask', (request) => {
  const response = part(request, 'response');
  const start = response.startOperation === undefined ? undefined : startResponse(part(response, 'startOperation'));
  return {
    ...answered(request),
    response: { startOperation: start, cancelOperation: response.cancelOperation },
  };
});

export const RespondNexusTaskFailed = native('respondNexusTask', (request) => {
  if (request.failure !== undefined) return { ...answered(request), failure: request.failure };
  const error = part(request, 'error');
  const failure = error.failure === undefined ? undefined : readFailure(part(error, 'failure'));
  return { ...answered(request), error: { ...error, failure } };
});
