// Calls of the workflow service that no client class wraps, as `client.workflowService` of `@temporalio/client` has them.

import type { Methods } from '../../src/wire/api.ts';
import type {
  BatchOperationInfo,
  ListBatchOperationsRequest,
  ListBatchOperationsResponse,
  StartBatchOperationRequest,
  StopBatchOperationRequest,
} from '../../src/wire/batch.ts';

/** ms; each is answered at once. */
const TIMEOUT_MS = 10_000;

type Request = <M extends keyof Methods>(
  method: M,
  body: Methods[M]['request'],
  options: { timeoutMs: number },
) => Promise<Methods[M]['response']>;

export class WorkflowService {
  readonly #request: Request;

  constructor(request: Request) {
    this.#request = request;
  }

  /**
   * Starts a batch job: one operation on every execution that the filter finds, or on those named. It goes on by itself, through crashes of the
   * server, at `maxOperationsPerSecond` (default 50, at most 5,000). Executions that start after it are left alone.
   *
   * @throws RpcError INVALID_ARGUMENT for a filter that cannot be understood, or with ORDER BY; ALREADY_EXISTS while a job of that id is kept;
   * RESOURCE_EXHAUSTED while ten of the namespace are running.
   */
  async startBatchOperation(request: StartBatchOperationRequest): Promise<void> {
    // One for all attempts: the job starts once.
    await this.#request(
      'startBatchOperation',
      { ...request, requestId: globalThis.crypto.randomUUID() },
      { timeoutMs: TIMEOUT_MS },
    );
  }

  /**
   * How far a job has come. It is kept as long as closed executions of its namespace are.
   *
   * @throws RpcError NOT_FOUND
   */
  async describeBatchOperation(request: { namespace: string; jobId: string }): Promise<BatchOperationInfo> {
    return await this.#request('describeBatchOperation', request, { timeoutMs: TIMEOUT_MS });
  }

  /** Jobs of a namespace, newest first, page by page. */
  async listBatchOperations(request: ListBatchOperationsRequest): Promise<ListBatchOperationsResponse> {
    return await this.#request('listBatchOperations', request, { timeoutMs: TIMEOUT_MS });
  }

  /**
   * Ends a job before it is through: nothing more is begun, what was is counted.
   *
   * @throws RpcError NOT_FOUND for a job that is over, or not there.
   */
  async stopBatchOperation(request: StopBatchOperationRequest): Promise<void> {
    await this.#request('stopBatchOperation', request, { timeoutMs: TIMEOUT_MS });
  }
}
