// Shapes of what is asked about Nexus endpoints: by clients, and as other nodes send it.

import type { EndpointAnswer, EndpointAsk } from '../../ports/nexus-endpoints.ts';
import type * as wire from '../../wire/nexus.ts';
import { type Check, defaulted, finite, integer, list, object, optional, string } from './check.ts';
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
