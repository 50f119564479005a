// gRPC by hand, for tests: whatever bytes as a request, and the status that comes back. What a well-behaved client would not send.

import {
  type ChannelCredentials,
  credentials,
  Client as GrpcClient,
  type Metadata,
  type ServiceError,
} from '@grpc/grpc-js';

const asIs = (bytes: Buffer): Buffer => bytes;
const SERVICE = '/temporal.api.workflowservice.v1.WorkflowService/';

export interface RawAnswer {
  /** gRPC's status code. */
  code: number;
  message: string;
  bytes: Buffer | undefined;
}

export class RawClient {
  readonly #client: GrpcClient;

  constructor(address: string, how: ChannelCredentials = credentials.createInsecure(), options = {}) {
    this.#client = new GrpcClient(address, how, {
      'grpc.max_send_message_length': -1,
      'grpc.max_receive_message_length': -1,
      // Clients of one process share connections otherwise.
      'grpc.use_local_subchannel_pool': 1,
      ...options,
    });
  }

  call(
    method: string,
    request: Uint8Array,
    options: { timeoutMs?: number; metadata?: Metadata } = {},
  ): Promise<RawAnswer> {
    const path = method.startsWith('/') ? method : SERVICE + method;
    return new Promise((resolve) => {
      const done = (error: ServiceError | null, bytes?: Buffer): void =>
        resolve({ code: error?.code ?? 0, message: error?.details ?? '', bytes });
      const deadline = Date.now() + (options.timeoutMs ?? 10_000);
      const body = Buffer.from(request);
      if (options.metadata === undefined) this.#client.makeUnaryRequest(path, asIs, asIs, body, { deadline }, done);
      else this.#client.makeUnaryRequest(path, asIs, asIs, body, options.metadata, { deadline }, done);
    });
  }

  /** Answers of a stream in both directions, one for each request. */
  ask(path: string, requests: readonly Uint8Array[]): Promise<Buffer[]> {
    const stream = this.#client.makeBidiStreamRequest(path, asIs, asIs);
    const answers: Buffer[] = [];
    return new Promise((resolve, reject) => {
      stream.on('data', (bytes: Buffer) => answers.push(bytes));
      stream.on('error', reject);
      stream.on('end', () => resolve(answers));
      for (const request of requests) stream.write(Buffer.from(request));
      stream.end();
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** A length-delimited field of less than 128 bytes. */
export function field(number: number, value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}
