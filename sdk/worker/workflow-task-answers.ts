// Answers to workflow tasks as they go to the server: the thread's request, its payloads through the codecs, and what the thread
// leaves to the main thread (identity, version). A codec that fails turns the answer into a failure of the task.

import type { Command } from '../../src/wire/command.ts';
import { CommandType, WorkflowTaskFailedCause } from '../../src/wire/enums.ts';
import type { Failure } from '../../src/wire/failure.ts';
import type {
  QueryResult,
  RespondWorkflowTaskCompletedRequest,
  RespondWorkflowTaskFailedRequest,
  WorkflowTask,
} from '../../src/wire/workflow-task.ts';
import { decodeMessage, encodeMessage } from '../common/codec.ts';
import type { LoadedDataConverter, PayloadOwner } from '../common/data-converter.ts';
import { FAILURE_SOURCE } from '../common/failure.ts';
import type { Logger } from '../common/logger.ts';
import { errorMessage } from '../common/type-helpers.ts';
import { encodeVersioningBehavior, type WorkerDeploymentOptions } from '../common/worker-deployments.ts';
import type { SubstituteAnswer } from './answers.ts';
import type { PayloadWatch } from './payload-limits.ts';
import type { Session } from './session.ts';
import { decodeBatches } from './task-history.ts';
import type { FromWorkflowThread } from './thread-protocol.ts';
import type { HeldTask } from './workflow-task.ts';

type CompletedRequest = Extract<FromWorkflowThread, { type: 'completed' }>['request'];
/** None of its members left out. */
type Every<T> = { [Name in keyof Required<T>]: T[Name] };
type FailedRequest = Extract<FromWorkflowThread, { type: 'failed' }>['request'];

/** Why the worker itself fails a task. */
export interface TaskFailure {
  message: string;
  type: string;
}

export interface TaskAnswersOptions {
  session: Pick<Session, 'answer'>;
  identity: string;
  buildId: string;
  /** Of a worker that is chosen by its version. */
  deployment?: WorkerDeploymentOptions | undefined;
  /** Of one answer's activities, so many may ask for this worker; absent: all. */
  maxEagerActivities?: number | undefined;
  converter: LoadedDataConverter;
  payloads?: PayloadWatch | undefined;
  logger: Logger;
}

/** The text begins as in Temporal's SDKs, so that what watches for it finds it. */
export function deadlockFailure(workflowId: string, limitMs: number): TaskFailure {
  return {
    message: `[TMPRL1101] Potential deadlock detected: workflow ${workflowId} has been running synchronously for over ${limitMs / 1000}s`,
    type: 'DeadlockError',
  };
}

export function overdueFailure(workflowId: string): TaskFailure {
  return {
    message: `The worker did not come to the query of workflow ${workflowId} in time: other workflows kept its thread busy`,
    type: 'WorkflowThreadError',
  };
}

export function threadFailure(error: Error): TaskFailure {
  return { message: `The workflow's thread ended: ${error.message}`, type: 'WorkflowThreadError' };
}

function unspecifiedBehavior(workflowType: string): TaskFailure {
  return {
    message: `Workflow ${workflowType} says nothing of what becomes of it when another version is current: give it a versioningBehavior with setWorkflowOptions, or the worker a defaultVersioningBehavior`,
    type: 'ValueError',
  };
}

const causeName = (cause: WorkflowTaskFailedCause): string =>
  Object.entries(WorkflowTaskFailedCause).find(([, value]) => value === cause)?.[0] ?? String(cause);

function failedRequest(token: Uint8Array, cause: WorkflowTaskFailedCause, failure: TaskFailure): FailedRequest {
  const { message, type } = failure;
  return { token, cause, failure: { message, source: FAILURE_SOURCE, applicationFailureInfo: { type } } };
}

/** These commands, of which no more ask for this worker than it wants. */
function eagerAtMost(limit: number | undefined, commands: readonly Command[]): Command[] {
  if (limit === undefined) return [...commands];
  let left = limit;
  return commands.map((command) => {
    if (command.commandType !== CommandType.SCHEDULE_ACTIVITY_TASK || !command.attributes.requestEagerExecution)
      return command;
    if (left > 0) {
      left -= 1;
      return command;
    }
    return { ...command, attributes: { ...command.attributes, requestEagerExecution: false } };
  });
}

export class TaskAnswers {
  private readonly options: TaskAnswersOptions;
  private readonly workerVersion: { buildId: string };

  constructor(options: TaskAnswersOptions) {
    this.options = options;
    this.workerVersion = { buildId: options.buildId };
  }

  /** The task with its payloads decoded; itself, at once, when there is no codec. */
  decodeTask(task: WorkflowTask): WorkflowTask | Promise<WorkflowTask> {
    const { payloadCodecs: codecs } = this.options.converter;
    return codecs.length === 0 ? task : this.decodeWithCodecs(task);
  }

  completed(held: HeldTask, request: CompletedRequest, rootWorkflowId: string | undefined): void {
    const { session, identity, deployment } = this.options;
    const { versioningBehavior = encodeVersioningBehavior(deployment?.defaultVersioningBehavior) } = request;
    if (deployment !== undefined && !versioningBehavior) {
      this.fail(held, unspecifiedBehavior(held.task.workflowType));
      return;
    }
    const { namespace, workflowId, runId, workflowType } = held.task;
    const owner =
      rootWorkflowId === undefined
        ? { namespace, workflowId, runId, workflowType }
        : { namespace, workflowId: rootWorkflowId };
    // Member by member: a copy that gets further ones costs more than all the rest here (docs/decisions/0089).
    const answer = {
      token: held.task.token,
      identity,
      workerVersion: this.workerVersion,
      commands: eagerAtMost(this.options.maxEagerActivities, request.commands),
      sticky: request.sticky,
      stickyQueue: request.stickyQueue,
      messages: request.messages,
      queryResults: request.queryResults,
      forceCreateNewWorkflowTask: request.forceCreateNewWorkflowTask,
      sdkMetadata: request.sdkMetadata,
      meteringMetadata: request.meteringMetadata,
      binaryChecksum: request.binaryChecksum,
      eagerWorkerId: request.eagerWorkerId,
      deploymentVersion: deployment && { ...deployment.version },
      versioningBehavior: deployment && versioningBehavior,
    } satisfies Every<Omit<RespondWorkflowTaskCompletedRequest, 'credit'>>;
    this.encoded(held, owner, answer, (encoded) =>
      session.answer('workflow', 'respondWorkflowTaskCompleted', encoded, held),
    );
  }

  failed(held: HeldTask, request: FailedRequest): void {
    const { workflowId, runId, workflowType, attempt } = held.task;
    this.options.logger.warn('A workflow task failed', {
      workflowId,
      runId,
      workflowType,
      attempt,
      cause: causeName(request.cause),
      failure: request.failure && this.messageOf(request.failure),
    });
    this.encoded(held, held.task, request, (encoded) => this.sendFailed(held, encoded));
  }

  /** As the workflow's code said it: what a failure converter keeps from the server may be told in the worker's own log. */
  private messageOf(failure: Failure): string | undefined {
    const { failureConverter, payloadConverter } = this.options.converter;
    try {
      return failureConverter.failureToError(failure, payloadConverter).message;
    } catch {
      return failure.message;
    }
  }

  query(held: HeldTask, result: QueryResult): void {
    this.encoded(held, held.task, result, (encoded) => {
      const body = { token: held.task.token, result: encoded };
      this.options.session.answer('workflow', 'respondQueryTaskCompleted', body, held);
    });
  }

  /** Fails a task for a reason of the worker's own. Its texts are not the user's data: no codec. */
  fail(held: HeldTask, failure: TaskFailure): void {
    const { token, query } = held.task;
    if (query !== undefined) {
      const body = { token, result: { errorMessage: failure.message } };
      this.options.session.answer('workflow', 'respondQueryTaskCompleted', body, held);
      return;
    }
    this.sendFailed(held, failedRequest(token, WorkflowTaskFailedCause.WORKFLOW_WORKER_UNHANDLED_FAILURE, failure));
  }

  /** What goes in place of an answer that is too large to send. */
  tooLarge(held: HeldTask, error: unknown): SubstituteAnswer {
    const { token, query } = held.task;
    const message = `The answer to the workflow task could not be sent: ${errorMessage(error)}`;
    if (query !== undefined)
      return { method: 'respondQueryTaskCompleted', body: { token, result: { errorMessage: message } } };
    const request = failedRequest(token, WorkflowTaskFailedCause.GRPC_MESSAGE_TOO_LARGE, {
      message,
      type: 'GrpcMessageTooLarge',
    });
    return { method: 'respondWorkflowTaskFailed', body: this.failedBody(request) };
  }

  private sendFailed(held: HeldTask, request: FailedRequest): void {
    this.options.session.answer('workflow', 'respondWorkflowTaskFailed', this.failedBody(request), held);
  }

  private failedBody(request: FailedRequest): Omit<RespondWorkflowTaskFailedRequest, 'credit'> {
    return { ...request, identity: this.options.identity, workerVersion: this.workerVersion };
  }

  private encoded<T extends object>(held: HeldTask, owner: PayloadOwner, message: T, send: (encoded: T) => void): void {
    const encoded = encodeMessage(this.options.converter.payloadCodecs, message, owner);
    const watched = (ready: T): void => {
      const { workflowId, runId, workflowType } = held.task;
      this.options.payloads?.look(ready, { workflowId, runId, workflowType });
      send(ready);
    };
    if (!(encoded instanceof Promise)) {
      watched(encoded);
      return;
    }
    encoded.then(watched, (error: unknown) =>
      this.fail(held, { message: `A payload codec failed: ${errorMessage(error)}`, type: 'PayloadCodecError' }),
    );
  }

  private async decodeWithCodecs(task: WorkflowTask): Promise<WorkflowTask> {
    const { payloadCodecs: codecs } = this.options.converter;
    const [history, queries, query, messages] = await Promise.all([
      decodeBatches(codecs, task.history),
      decodeMessage(codecs, task.queries),
      decodeMessage(codecs, task.query),
      decodeMessage(codecs, task.messages),
    ]);
    return { ...task, history, queries, query, messages };
  }
}
