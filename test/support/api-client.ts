// Temporal's API by the bytes of its own definitions, for tests: requests and answers as plain objects.

import { credentials, Client as GrpcClient } from '@grpc/grpc-js';
import { messageType } from '../../src/frontend/grpc/proto/descriptors.ts';

const API = 'temporal.api.workflowservice.v1';

export class ApiClient {
  readonly #door: GrpcClient;
  readonly #usual: object;

  /** @param usual members of every request that does not have others */
  constructor(address: string, usual: object = {}) {
    this.#door = new GrpcClient(address, credentials.createInsecure());
    this.#usual = { namespace: 'default', ...usual };
  }

  /** Rejects with grpc-js' ServiceError. */
  call(method: string, request: object): Promise<Record<string, unknown>> {
    const [asked, answered] = [messageType(`${API}.${method}Request`), messageType(`${API}.${method}Response`)];
    return new Promise((resolve, reject) => {
      this.#door.makeUnaryRequest(
        `/${API}.WorkflowService/${method}`,
        (message: object) => Buffer.from(asked.encode(message).finish()),
        (bytes) => answered.decode(bytes).toJSON() as Record<string, unknown>,
        { ...this.#usual, ...request },
        (error, answer) => (error === null ? resolve(answer ?? {}) : reject(error)),
      );
    });
  }

  close(): void {
    this.#door.close();
  }
}
