// What a connection has beside its links: how calls are made within a function, with which token, and the API's services.

import type { Method, Methods } from '../../src/wire/api.ts';
import {
  type ApiSend,
  apiService,
  type HealthService,
  type OperatorService,
  type TestService,
  type WorkflowService,
} from './api-service.ts';
import {
  type CallContextStorage,
  callContextStorage,
  type Metadata,
  metadataOf,
  runWithCallContext,
} from './call-context.ts';
import type { CompiledConnectionOptions, ConnectionPlugin, PayloadLimits, RequestOptions } from './options.ts';
import type { Token } from './token.ts';

export abstract class Calls {
  abstract readonly options: CompiledConnectionOptions;
  /**
   * Temporal's workflow service in its own messages, as `@temporalio/client` has it: the server answers as through its gRPC door. No time limit of its
   * own: see `withDeadline`. A request id that is left out is made up, so that a repeat counts once.
   */
  readonly workflowService: WorkflowService;
  /** The same of the operator service: search attributes, Nexus endpoints, deletion of namespaces. */
  readonly operatorService: OperatorService;
  /** The same of the test service; a server that does not skip time answers UNIMPLEMENTED. */
  readonly testService: TestService;
  /** The same of the health service of gRPC: `check({ service })`. */
  readonly healthService: HealthService;
  /** What `withDeadline` and its like set; undefined in browsers. */
  readonly callContextStorage: CallContextStorage | undefined = callContextStorage;

  constructor() {
    const send: ApiSend = (request) => this.request('callService', request, { timeoutMs: 0 });
    this.workflowService = apiService('temporal.api.workflowservice.v1.WorkflowService', send);
    this.operatorService = apiService('temporal.api.operatorservice.v1.OperatorService', send);
    this.testService = apiService('temporal.api.testservice.v1.TestService', send);
    this.healthService = apiService('grpc.health.v1.Health', send);
  }

  abstract request<M extends Method>(
    method: M,
    body: Methods[M]['request'],
    options?: RequestOptions,
  ): Promise<Methods[M]['response']>;

  /** When workers warn of large payloads. */
  get payloadLimits(): PayloadLimits {
    return this.options.payloadLimits;
  }

  /** What changed the options this connection was made with. */
  get plugins(): readonly ConnectionPlugin[] {
    return this.options.plugins;
  }

  /** Fails requests made within `fn` with DEADLINE_EXCEEDED after `deadline` (epoch ms or Date). */
  async withDeadline<R>(deadline: number | Date, fn: () => Promise<R>): Promise<R> {
    return await runWithCallContext({ deadline }, fn);
  }

  /** Gives requests made within `fn` up with CANCELLED when `abortSignal` aborts. */
  async withAbortSignal<R>(abortSignal: AbortSignal, fn: () => Promise<R>): Promise<R> {
    return await runWithCallContext({ abortSignal }, fn);
  }

  /**
   * Sends metadata with requests made within `fn`, beside what is sent anyway. `authorization: 'Bearer …'` takes the place of the connection's token
   * for them; the methods of this protocol look at no other name, the API's services at those that Temporal's server knows.
   *
   * @throws ValueError for a value that is no header; RpcError UNIMPLEMENTED from a server that knows no metadata.
   */
  async withMetadata<R>(metadata: Metadata, fn: () => Promise<R>): Promise<R> {
    metadataOf(metadata);
    return await runWithCallContext({ metadata }, fn);
  }

  /** Requests made within `fn` have this token instead of the connection's. */
  async withApiKey<R>(apiKey: string, fn: () => Promise<R>): Promise<R> {
    return await runWithCallContext({ metadata: { authorization: `Bearer ${apiKey}` } }, fn);
  }

  /**
   * The token of all requests from now on, and of links that are made from now on; a function is asked each time. Workers that are registered stay so.
   *
   * @throws TypeError for an empty one.
   */
  setApiKey(apiKey: string | (() => string)): void {
    this.token.set(apiKey);
  }

  /** Sent with all requests from now on, instead of the metadata of before. @throws ValueError for a value that is no header. */
  setMetadata(metadata: Metadata): void {
    this.token.metadata = metadataOf(metadata);
  }

  protected get token(): Token {
    return this.options.token;
  }
}
