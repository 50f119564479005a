// Refusals as values, in Temporal's words: the status a caller gets and nothing else happens.

import type { Failure } from '../../wire/failure.ts';
import { type Status, StatusCode, type StatusDetail } from '../../wire/status.ts';
import type { Rejection } from './outcome.ts';

export const status = (code: StatusCode, message: string, detail?: StatusDetail): Status =>
  detail === undefined ? { code, message } : { code, message, detail };

const reject = (code: StatusCode, message: string, detail?: StatusDetail): Rejection => ({
  ok: false,
  status: status(code, message, detail),
});

export const invalidArgument = (message: string): Rejection => reject(StatusCode.INVALID_ARGUMENT, message);

export const notFound = (message: string): Rejection => reject(StatusCode.NOT_FOUND, message, { kind: 'NotFound' });

export const workflowNotFound = (workflowId: string): Rejection => notFound(`workflow not found for ID: ${workflowId}`);

export const runNotFound = (workflowId: string, runId: string): Rejection =>
  notFound(`workflow execution not found for workflow ID "${workflowId}" and run ID "${runId}"`);

export const alreadyCompleted = (): Rejection => notFound('workflow execution already completed');

/** What those hear whose update the worker had not accepted when the workflow closed. */
export const UPDATE_CUT_OFF = 'workflow update was aborted by closing workflow';

export const updateCutOff = (): Rejection => notFound(UPDATE_CUT_OFF);

export const workflowTaskNotFound = (): Rejection => notFound('Workflow task not found.');

export const activityTaskNotFound = (): Rejection =>
  notFound('invalid activityID or activity already timed out or invoking workflow is completed');

export const noPendingActivity = (activityId: string): Rejection =>
  notFound(
    `cannot find pending activity with ActivityID ${activityId}, check workflow execution history for more details`,
  );

export const nexusTaskNotFound = (): Rejection =>
  notFound('Nexus task not found, timed out or answered already, or its workflow is completed');

/** @param chain what is said of the run's chain where others of it came before */
export const alreadyStarted = (
  runId: string,
  startRequestId: string,
  message: string,
  chain: { firstExecutionRunId?: string } = {},
): Rejection =>
  reject(StatusCode.ALREADY_EXISTS, message, {
    ...{ kind: 'WorkflowExecutionAlreadyStarted', runId, startRequestId },
    ...chain,
  });

export const exhausted = (cause: string, message: string): Rejection =>
  reject(StatusCode.RESOURCE_EXHAUSTED, message, { kind: 'ResourceExhausted', cause });

/** Passes as soon as its worker has answered. */
export const busyClosing = (): Rejection =>
  exhausted('BUSY_WORKFLOW', 'workflow operation can not be applied because workflow is closing');

/** An activity without a workflow is over: unlike a closed workflow it is there, so a client is not told that it is not. */
export const standaloneCompleted = (): Rejection => failedPrecondition('activity execution already completed');

export const notReady = (message: string): Rejection =>
  reject(StatusCode.FAILED_PRECONDITION, message, { kind: 'WorkflowNotReady' });

export const failedPrecondition = (message: string): Rejection => reject(StatusCode.FAILED_PRECONDITION, message);

export const unimplemented = (message: string): Rejection => reject(StatusCode.UNIMPLEMENTED, message);

/** Worth trying again. */
export const unavailable = (message: string, applied: 'no' | 'maybe' = 'no'): Status =>
  status(StatusCode.UNAVAILABLE, message, { kind: 'Unavailable', applied });

export const queryFailed = (message: string, failure: Failure | undefined): Status =>
  status(StatusCode.INVALID_ARGUMENT, message, { kind: 'QueryFailed', failure });
