// The calls of a workflow client, each with its interceptors around it. Without interceptors a call goes straight to the connection.

import { UpdateWorkflowExecutionLifecycleStage as Stage } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import type { DescribeWorkflowExecutionResponse } from '../../src/wire/execution-info.ts';
import { decodeMessage } from '../common/codec.ts';
import { WorkflowExecutionAlreadyStartedError } from '../common/failure.ts';
import { composeInterceptors } from '../common/interceptors.ts';
import { fromPayloadsAtIndex } from '../common/payload-converter.ts';
import type { Connection } from '../connection/connection.ts';
import { RpcError, StatusCode } from '../connection/rpc-error.ts';
import type { LoadedBaseClientOptions } from './base-client.ts';
import { QueryNotRegisteredError, QueryRejectedError, rethrowWorkflowError } from './errors.ts';
import { fetchEvents } from './history.ts';
import {
  adaptStart,
  type WorkflowCancelInput,
  type WorkflowClientInterceptor,
  type WorkflowDescribeInput,
  type WorkflowQueryInput,
  type WorkflowSignalInput,
  type WorkflowSignalWithStartInput,
  type WorkflowStartInput,
  type WorkflowStartOutput,
  type WorkflowStartUpdateInput,
  type WorkflowStartUpdateOutput,
  type WorkflowStartUpdateWithStartInput,
  type WorkflowStartUpdateWithStartOutput,
  type WorkflowTerminateInput,
  type WorkflowUpdateOptionsInput,
} from './interceptors.ts';
import type { WorkflowExecution } from './types.ts';
import {
  executionOptionsFromRaw,
  executionOptionsToRaw,
  type WorkflowOptionsUpdateResult,
} from './workflow-execution-options.ts';
import {
  newRequestId,
  queryRequest,
  signalRequest,
  signalWithStartRequest,
  startRequest,
  terminateRequest,
  updateRequest,
  updateWithStartRequest,
} from './workflow-requests.ts';
import { rethrowUpdateError, type UpdateAnswer, updateAnswer } from './workflow-update.ts';

/** An update takes as long as it takes: its caller's deadline is the only one. */
const NO_LIMIT = { timeoutMs: 0 } as const;

export class WorkflowCalls {
  readonly start: (input: WorkflowStartInput) => Promise<WorkflowStartOutput>;
  readonly signal: (input: WorkflowSignalInput) => Promise<void>;
  readonly signalWithStart: (input: WorkflowSignalWithStartInput) => Promise<string>;
  readonly startUpdate: (input: WorkflowStartUpdateInput) => Promise<WorkflowStartUpdateOutput>;
  readonly startUpdateWithStart: (
    input: WorkflowStartUpdateWithStartInput,
  ) => Promise<WorkflowStartUpdateWithStartOutput>;
  readonly query: (input: WorkflowQueryInput) => Promise<unknown>;
  readonly terminate: (input: WorkflowTerminateInput) => Promise<object>;
  readonly cancel: (input: WorkflowCancelInput) => Promise<object>;
  readonly updateOptions: (input: WorkflowUpdateOptionsInput) => Promise<WorkflowOptionsUpdateResult>;
  readonly describe: (input: WorkflowDescribeInput) => Promise<DescribeWorkflowExecutionResponse>;
  readonly #connection: Connection;
  readonly #base: LoadedBaseClientOptions;

  constructor(
    connection: Connection,
    base: LoadedBaseClientOptions,
    interceptors: readonly WorkflowClientInterceptor[],
  ) {
    this.#connection = connection;
    this.#base = base;
    const chain = interceptors.map(adaptStart);
    this.start = composeInterceptors(chain, 'startWithDetails', (input) => this.#start(input));
    this.signal = composeInterceptors(chain, 'signal', (input) => this.#signal(input));
    this.signalWithStart = composeInterceptors(chain, 'signalWithStart', (input) => this.#signalWithStart(input));
    this.startUpdate = composeInterceptors(chain, 'startUpdate', (input) => this.#startUpdate(input));
    this.startUpdateWithStart = composeInterceptors(chain, 'startUpdateWithStart', (input) =>
      this.#startUpdateWithStart(input),
    );
    this.query = composeInterceptors(chain, 'query', (input) => this.#query(input));
    this.terminate = composeInterceptors(chain, 'terminate', (input) => this.#terminate(input));
    this.cancel = composeInterceptors(chain, 'cancel', (input) => this.#cancel(input));
    this.updateOptions = composeInterceptors(chain, 'updateOptions', (input) => this.#updateOptions(input));
    this.describe = composeInterceptors(chain, 'describe', (input) => this.#describe(input));
  }

  async fetchEvents({ workflowId, runId }: WorkflowExecution): Promise<HistoryEvent[]> {
    const { namespace } = this.#base;
    try {
      return await fetchEvents(this.#connection, { namespace, workflowId, runId });
    } catch (err) {
      rethrowWorkflowError(err, `Failed to fetch the history of workflow '${workflowId}'`, { workflowId, runId });
    }
  }

  async #start(input: WorkflowStartInput): Promise<WorkflowStartOutput> {
    const encoded = startRequest(this.#base, input);
    // Without codecs there is nothing to await, and a start is the hottest call of all.
    const request = encoded instanceof Promise ? await encoded : encoded;
    try {
      if (input.options.requestEagerStart === true) request.eagerWorkerId = this.#ownWorker(request);
      const answer = await this.#connection.request('startWorkflowExecution', request);
      const { runId, eagerlyStarted = false, workflowId } = answer;
      return workflowId === undefined ? { runId, eagerlyStarted } : { runId, eagerlyStarted, workflowId };
    } catch (err) {
      rethrowStartError(err, 'start', input);
    }
  }

  /** A worker of this process that could begin it. */
  #ownWorker({ namespace, taskQueue }: { namespace: string; taskQueue: string }): string | undefined {
    for (const [workerId, own] of this.#connection.ownWorkers) {
      if (own.namespace === namespace && own.taskQueue === taskQueue) return workerId;
    }
    return undefined;
  }

  async #signalWithStart(input: WorkflowSignalWithStartInput): Promise<string> {
    const request = await signalWithStartRequest(this.#base, input);
    try {
      const { runId } = await this.#connection.request('signalWithStartWorkflowExecution', request);
      return runId;
    } catch (err) {
      rethrowStartError(err, 'signal or start', input);
    }
  }

  async #signal(input: WorkflowSignalInput): Promise<void> {
    const request = await signalRequest(this.#base, input);
    try {
      await this.#connection.request('signalWorkflowExecution', request);
    } catch (err) {
      rethrowWorkflowError(err, `Failed to signal workflow '${request.workflowId}'`, input.workflowExecution);
    }
  }

  /** How far an update has come once it is completed. */
  async pollUpdate({ workflowId, runId }: WorkflowExecution, updateId: string): Promise<UpdateAnswer> {
    const { namespace } = this.#base;
    const request = { namespace, workflowId, runId, updateId, waitStage: Stage.COMPLETED };
    try {
      return updateAnswer(await this.#connection.request('pollWorkflowExecutionUpdate', request, NO_LIMIT));
    } catch (err) {
      rethrowUpdateError(err, `Failed to get the result of update '${updateId}'`, { workflowId, runId });
    }
  }

  async #startUpdate(input: WorkflowStartUpdateInput): Promise<WorkflowStartUpdateOutput> {
    const request = await updateRequest(this.#base, input);
    try {
      return updateAnswer(await this.#connection.request('updateWorkflowExecution', request, NO_LIMIT));
    } catch (err) {
      rethrowUpdateError(err, `Failed to update workflow '${request.workflowId}'`, input.workflowExecution);
    }
  }

  async #startUpdateWithStart(input: WorkflowStartUpdateWithStartInput): Promise<WorkflowStartUpdateWithStartOutput> {
    const request = await updateWithStartRequest(this.#base, input);
    const { workflowId } = request;
    try {
      const answer = await this.#connection.request('updateWithStartWorkflowExecution', request, NO_LIMIT);
      const { runId } = answer.start;
      const { updateId, outcome } = updateAnswer(answer.update);
      return { workflowExecution: { workflowId, runId }, updateId, updateOutcome: outcome };
    } catch (err) {
      const { workflowType, workflowStartOptions: options } = input;
      if (isAlreadyStarted(err)) rethrowStartError(err, 'update or start', { workflowType, headers: {}, options });
      rethrowUpdateError(err, `Failed to update or start workflow '${workflowId}'`, { workflowId });
    }
  }

  async #query(input: WorkflowQueryInput): Promise<unknown> {
    const request = await queryRequest(this.#base, input);
    const { payloadConverter, failureConverter, payloadCodecs } = this.#base.loadedDataConverter;
    try {
      const response = await this.#connection.request('queryWorkflow', request);
      if (response.queryRejected) throw new QueryRejectedError(response.queryRejected.status, input.workflowExecution);
      const decoded = await decodeMessage(payloadCodecs, response);
      return fromPayloadsAtIndex(payloadConverter, 0, decoded.queryResult?.payloads);
    } catch (err) {
      if (err instanceof RpcError && err.code === StatusCode.INVALID_ARGUMENT) {
        const failure = err.detail?.kind === 'QueryFailed' ? err.detail.failure : undefined;
        const decoded = failure && (await decodeMessage(payloadCodecs, failure));
        const cause = decoded === undefined ? err : failureConverter.failureToError(decoded, payloadConverter);
        throw new QueryNotRegisteredError(err.details, err.code, cause, input.workflowExecution);
      }
      rethrowWorkflowError(err, `Failed to query workflow '${request.workflowId}'`, input.workflowExecution);
    }
  }

  async #terminate(input: WorkflowTerminateInput): Promise<object> {
    const request = await terminateRequest(this.#base, input);
    try {
      return await this.#connection.request('terminateWorkflowExecution', request);
    } catch (err) {
      rethrowWorkflowError(err, `Failed to terminate workflow '${request.workflowId}'`, input.workflowExecution);
    }
  }

  async #cancel({ workflowExecution, firstExecutionRunId, reason }: WorkflowCancelInput): Promise<object> {
    const { namespace, identity } = this.#base;
    const { workflowId, runId } = workflowExecution;
    try {
      return await this.#connection.request('requestCancelWorkflowExecution', {
        namespace,
        workflowId,
        runId,
        firstExecutionRunId,
        reason,
        identity,
        requestId: newRequestId(),
      });
    } catch (err) {
      rethrowWorkflowError(err, `Failed to cancel workflow '${workflowId}'`, workflowExecution);
    }
  }

  async #updateOptions({
    workflowExecution,
    options,
  }: WorkflowUpdateOptionsInput): Promise<WorkflowOptionsUpdateResult> {
    const { namespace, identity } = this.#base;
    const { workflowId, runId } = workflowExecution;
    const request = { namespace, workflowId, runId, identity, ...executionOptionsToRaw(options) };
    try {
      const { workflowExecutionOptions } = await this.#connection.request('updateWorkflowExecutionOptions', request);
      return executionOptionsFromRaw(workflowExecutionOptions);
    } catch (err) {
      rethrowWorkflowError(err, `Failed to update the options of workflow '${workflowId}'`, workflowExecution);
    }
  }

  async #describe({ workflowExecution }: WorkflowDescribeInput): Promise<DescribeWorkflowExecutionResponse> {
    const { workflowId, runId } = workflowExecution;
    const { namespace } = this.#base;
    try {
      return await this.#connection.request('describeWorkflowExecution', { namespace, workflowId, runId });
    } catch (err) {
      rethrowWorkflowError(err, `Failed to describe workflow '${workflowId}'`, workflowExecution);
    }
  }
}

const isAlreadyStarted = (err: unknown): boolean => err instanceof RpcError && err.code === StatusCode.ALREADY_EXISTS;

function rethrowStartError(
  err: unknown,
  verb: string,
  { workflowType, options: { workflowId, flowControl } }: WorkflowStartInput | WorkflowSignalWithStartInput,
): never {
  if (err instanceof RpcError && err.code === StatusCode.ALREADY_EXISTS) {
    const runId = err.detail?.kind === 'WorkflowExecutionAlreadyStarted' ? err.detail.runId : undefined;
    // Of a singleton it is another workflow that has started: the server says which.
    const message = flowControl === undefined ? 'Workflow execution already started' : err.details;
    throw new WorkflowExecutionAlreadyStartedError(message, workflowId, workflowType, runId);
  }
  rethrowWorkflowError(err, `Failed to ${verb} workflow '${workflowId}'`, { workflowId });
}
