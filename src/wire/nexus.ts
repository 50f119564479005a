// Nexus on the wire: endpoints as operators register them, and tasks as workers get and answer them. Named as in the Temporal API's nexus.v1.

import type { Empty, Payload } from './common.ts';
import type { NexusHandlerErrorRetryBehavior } from './enums.ts';
import type { Failure } from './failure.ts';

/** Where operations of an endpoint go: one of the two. */
export interface NexusEndpointTarget {
  worker?: { namespace: string; taskQueue: string } | undefined;
  /** Of another system. */
  external?: { url: string } | undefined;
}

export interface NexusEndpointSpec {
  /** Letters, digits and hyphens, beginning with a letter; at most 200. */
  name: string;
  description?: Payload | undefined;
  target: NexusEndpointTarget;
}

export interface NexusEndpoint {
  id: string;
  /** Grows by one with each change: an update or deletion names the one it was made for. */
  version: number;
  spec: NexusEndpointSpec;
  /** Epoch ms. */
  createdTime: number;
  lastModifiedTime?: number | undefined;
}

export interface CreateNexusEndpointRequest {
  spec?: NexusEndpointSpec | undefined;
}

export interface UpdateNexusEndpointRequest {
  id: string;
  version: number;
  spec?: NexusEndpointSpec | undefined;
}

export interface DeleteNexusEndpointRequest {
  id: string;
  version: number;
}

export interface ListNexusEndpointsRequest {
  /** Default 100, at most 1,000. */
  pageSize?: number | undefined;
  nextPageToken?: Uint8Array | undefined;
  /** Only the one of this name. */
  name?: string | undefined;
}

export interface ListNexusEndpointsResponse {
  /** By name. */
  endpoints: NexusEndpoint[];
  nextPageToken?: Uint8Array | undefined;
}

/** What a handler is asked to do. */
export interface NexusStartOperation {
  service: string;
  operation: string;
  /** The same for every attempt. */
  requestId: string;
  /** Who is to be called when an operation that goes on has ended. */
  callback: string;
  callbackHeader: Record<string, string>;
  payload?: Payload | undefined;
  links: NexusLink[];
}

export interface NexusCancelOperation {
  service: string;
  operation: string;
  operationToken: string;
}

export interface NexusRequest {
  header: Record<string, string>;
  /** Epoch ms. */
  scheduledTime: number;
  endpoint: string;
  startOperation?: NexusStartOperation | undefined;
  cancelOperation?: NexusCancelOperation | undefined;
}

/** A link as Nexus has them; `type` is the full name of a message of the API. */
export interface NexusLink {
  url: string;
  type: string;
}

/** What a handler says to a start: one of the four. `failure`: the operation itself ended so. */
export interface NexusStartResponse {
  syncSuccess?: { payload?: Payload | undefined; links?: NexusLink[] | undefined } | undefined;
  asyncSuccess?: { operationToken: string; links?: NexusLink[] | undefined } | undefined;
  failure?: Failure | undefined;
}

export interface NexusResponse {
  startOperation?: NexusStartResponse | undefined;
  cancelOperation?: object | undefined;
}

/** The handler could not say what becomes of the operation. */
export interface NexusHandlerError {
  /** As the Nexus specification has them: BAD_REQUEST, INTERNAL, … */
  errorType: string;
  retryBehavior?: NexusHandlerErrorRetryBehavior | undefined;
  failure?: Failure | undefined;
}

/** One of `response`, `error` and `failure`; `failure` is one with `nexusHandlerFailureInfo`, or why the handler failed. */
export interface RespondNexusTaskRequest {
  /** Of the worker, not of the workflow that calls. */
  namespace: string;
  token: Uint8Array;
  identity: string;
  response?: NexusResponse | undefined;
  error?: NexusHandlerError | undefined;
  failure?: Failure | undefined;
  /** 1: the worker takes another task instead. */
  credit: number;
}

export interface NexusMethods {
  /** Answers an `activityTask` that has `nexus`. */
  respondNexusTask: { request: RespondNexusTaskRequest; response: Empty };
  /** For operators, like all of endpoints. */
  createNexusEndpoint: { request: CreateNexusEndpointRequest; response: { endpoint: NexusEndpoint } };
  getNexusEndpoint: { request: { id: string }; response: { endpoint: NexusEndpoint } };
  /** FAILED_PRECONDITION for another version than it has. */
  updateNexusEndpoint: { request: UpdateNexusEndpointRequest; response: { endpoint: NexusEndpoint } };
  deleteNexusEndpoint: { request: DeleteNexusEndpointRequest; response: Empty };
  listNexusEndpoints: { request: ListNexusEndpointsRequest; response: ListNexusEndpointsResponse };
}
