// Shapes of what is asked about Nexus endpoints, and of tasks and their answers: by clients, and as other nodes send it.

import type { NexusAnswer } from '../../core/workflow/message.ts';
import type { EndpointAnswer, EndpointAsk } from '../../ports/nexus-endpoints.ts';
import type { Payload } from '../../wire/common.ts';
import type { Failure } from '../../wire/failure.ts';
import type * as wire from '../../wire/nexus.ts';
import {
  type Check,
  defaulted,
  enumeration,
  finite,
  integer,
  list,
  object,
  optional,
  record,
  string,
} from './check.ts';
import * as common from './common.ts';

const target = object<wire.NexusEndpointTarget>({
  worker: optional(
    object<NonNullable<wire.NexusEndpointTarget['worker']>>({
      namespace: defaulted(string, ''),
      taskQueue: defaulted(string, ''),
    }),
  ),
  external: optional(object<NonNullable<wire.NexusEndpointTarget['external']>>({ url: defaulted(string, '') })),
});

export const endpointSpec: Check<wire.NexusEndpointSpec> = object<wire.NexusEndpointSpec>({
  name: defaulted(string, ''),
  description: optional(common.payload),
  target: defaulted(target, {}),
});

export const endpoint: Check<wire.NexusEndpoint> = object<wire.NexusEndpoint>({
  id: string,
  version: integer,
  spec: endpointSpec,
  createdTime: finite,
  lastModifiedTime: optional(finite),
});

const kind = object<{ type: string }>({ type: string });
const listed = object<{ since?: number | undefined }>({ since: optional(integer) });
const created = object<{ id: string; spec: wire.NexusEndpointSpec }>({ id: string, spec: endpointSpec });
const named = { id: string, version: integer };
const updated = object<{ id: string; version: number; spec: wire.NexusEndpointSpec }>({ ...named, spec: endpointSpec });
const deleted = object<{ id: string; version: number }>(named);

export const endpointAsk: Check<EndpointAsk> = (value) => {
  const { type } = kind(value);
  switch (type) {
    case 'list':
      return { type, ...listed(value) };
    case 'create':
      return { type, ...created(value) };
    case 'update':
      return { type, ...updated(value) };
    case 'delete':
      return { type, ...deleted(value) };
    default:
      throw new Error(`the question about Nexus endpoints ${type.slice(0, 64)} is none of this version`);
  }
};

export const endpointAnswer: Check<EndpointAnswer> = object<EndpointAnswer>({
  revision: integer,
  endpoints: optional(list(endpoint)),
});

// ---------------------------------------------------------------- tasks

const link = object<wire.NexusLink>({ url: defaulted(string, ''), type: defaulted(string, '') });
const links = optional(list(link));

export const nexusRequest: Check<wire.NexusRequest> = object<wire.NexusRequest>({
  header: record(string),
  scheduledTime: finite,
  endpoint: string,
  startOperation: optional(
    object<wire.NexusStartOperation>({
      service: string,
      operation: string,
      requestId: string,
      callback: string,
      callbackHeader: record(string),
      payload: optional(common.payload),
      links: list(link),
    }),
  ),
  cancelOperation: optional(
    object<wire.NexusCancelOperation>({ service: string, operation: string, operationToken: string }),
  ),
});

export const nexusResponse: Check<wire.NexusResponse> = object<wire.NexusResponse>({
  startOperation: optional(
    object<wire.NexusStartResponse>({
      syncSuccess: optional(
        object<NonNullable<wire.NexusStartResponse['syncSuccess']>>({ payload: optional(common.payload), links }),
      ),
      asyncSuccess: optional(
        object<NonNullable<wire.NexusStartResponse['asyncSuccess']>>({
          operationToken: defaulted(string, ''),
          links,
        }),
      ),
      failure: optional(common.failure),
    }),
  ),
  cancelOperation: optional(object<object>({})),
});

export const nexusHandlerError: Check<wire.NexusHandlerError> = object<wire.NexusHandlerError>({
  errorType: defaulted(string, ''),
  retryBehavior: optional(enumeration()),
  failure: optional(common.failure),
});

export const nexusAnswer: Check<NexusAnswer> = (value) => {
  const { type } = kind(value);
  switch (type) {
    case 'completed':
      return { type, ...completed(value) };
    case 'started':
      return { type, ...started(value) };
    case 'ended':
    case 'failed':
      return { type, ...failed(value) };
    case 'cancelTaken':
      return { type };
    default:
      throw new Error(`the answer to a Nexus task ${type.slice(0, 64)} is none of this version`);
  }
};

const completed = object<{ result?: Payload | undefined; links?: wire.NexusLink[] | undefined }>({
  result: optional(common.payload),
  links,
});
const started = object<{ operationToken: string; links?: wire.NexusLink[] | undefined }>({
  operationToken: string,
  links,
});
const failed = object<{ failure: Failure }>({ failure: common.failure });
