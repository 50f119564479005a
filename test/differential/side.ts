// One of the two servers that are compared: calls it with messages that are plain objects, and knows by which values it calls what both have (run ids, task
// tokens), so that one request serves both.

import { credentials, Client as GrpcClient, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { Method, Type } from 'protobufjs';
import { apiRoot, apiService } from '../../src/frontend/grpc/proto/descriptors.ts';

export const SERVICES = [
  'temporal.api.workflowservice.v1.WorkflowService',
  'temporal.api.operatorservice.v1.OperatorService',
] as const;

export type Plain = { [field: string]: unknown };

/** A value that each server calls otherwise: of the answer to an earlier call. */
export class Ref {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

export interface Answer {
  /** gRPC's. */
  readonly code: number;
  readonly message: string;
  /** Type names of the status' details, with their values. */
  readonly details: readonly Plain[];
  readonly body: Plain;
  /** ms it took. */
  readonly tookMs: number;
}

export interface MethodOf {
  readonly service: string;
  readonly name: string;
  readonly request: Type;
  readonly response: Type;
}

/** Both tell more to those who say who they are. */
const NAMED = new Metadata();
NAMED.set('client-name', 'side-by-side');

const asIs = (bytes: Buffer): Buffer => bytes;
const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const LATE_MS = 100;
const STATUS = 'google.rpc.Status';

export function methods(): MethodOf[] {
  return SERVICES.flatMap((service) =>
    apiService(service).methodsArray.map((method: Method) => {
      method.resolve();
      const { resolvedRequestType: request, resolvedResponseType: response, name } = method;
      if (!request || !response) throw new Error(`${name} has no types`);
      return { service, name, request, response };
    }),
  );
}

export class Side {
  readonly #client: GrpcClient;
  readonly #known = new Map<string, unknown>();

  constructor(address: string) {
    this.#client = new GrpcClient(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  keep(name: string, value: unknown): void {
    this.#known.set(name, value);
  }

  call({ service, name, request, response }: MethodOf, message: Plain, timeoutMs: number): Promise<Answer> {
    const bytes = Buffer.from(request.encode(request.create(this.#resolved(message) as Plain)).finish());
    const began = performance.now();
    return new Promise((resolve) => {
      const done = (error: ServiceError | null, answer?: Buffer): void => {
        const tookMs = performance.now() - began;
        const body = answer === undefined ? {} : plain(response, answer);
        const details = error === null ? [] : detailsOf(error);
        // A server that has seen the deadline pass may say that it was cancelled.
        const late = error?.code === CANCELLED && tookMs >= timeoutMs - LATE_MS;
        resolve({
          code: late ? DEADLINE_EXCEEDED : (error?.code ?? 0),
          message: error?.details ?? '',
          details,
          body,
          tookMs,
        });
      };
      const deadline = Date.now() + timeoutMs;
      this.#client.makeUnaryRequest(`/${service}/${name}`, asIs, asIs, bytes, NAMED, { deadline }, done);
    });
  }

  close(): void {
    this.#client.close();
  }

  #resolved(value: unknown): unknown {
    if (value instanceof Ref) return this.#known.get(value.name);
    if (Array.isArray(value)) return value.map((one) => this.#resolved(one));
    if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.#resolved(one)]));
  }
}

/** Enums by name, bytes as they are, whole numbers as numbers where they can be. Without what is not set. */
export function plain(type: Type, bytes: Uint8Array): Plain {
  return type.toObject(type.decode(bytes), { enums: String, longs: Number }) as Plain;
}

function detailsOf(error: ServiceError): Plain[] {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  if (!(bytes instanceof Buffer)) return [];
  const { details = [] } = plain(apiRoot().lookupType(STATUS), bytes) as { details?: Plain[] };
  return details.map(({ type_url: url, value }) => {
    const name = String(url).split('/').at(-1) ?? '';
    return { type: name, ...plain(apiRoot().lookupType(name), Buffer.from((value as Uint8Array | undefined) ?? [])) };
  });
}
