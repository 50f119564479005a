// Rules about Nexus endpoints, and their bounds. Pure; used by the doors and by src/shard/endpoints.

import type { NexusEndpoint, NexusEndpointSpec } from '../../wire/nexus.ts';

/** Endpoints of one cluster: all of them are read at once, and known to every node. */
export const MAX_ENDPOINTS = 1_000;
const MAX_NAME = 200;
const MAX_DESCRIPTION_BYTES = 20_000;
const MAX_URL = 4_096;
const NAME = /^[A-Za-z][A-Za-z0-9-]*$/;

/** What is wrong with one; undefined: nothing. */
export function specProblem({ name, description, target }: NexusEndpointSpec): string | undefined {
  if (name === '') return 'Nexus endpoint name not set.';
  if (name.length > MAX_NAME) return `Nexus endpoint name exceeds ${MAX_NAME} characters.`;
  if (!NAME.test(name) || name.endsWith('-')) {
    return `Nexus endpoint name ${JSON.stringify(name)} must be letters, digits and hyphens, beginning with a letter and not ending with a hyphen.`;
  }
  if ((description?.data?.length ?? 0) > MAX_DESCRIPTION_BYTES) {
    return `Nexus endpoint description exceeds ${MAX_DESCRIPTION_BYTES} bytes.`;
  }
  const { worker, external } = target;
  if ((worker === undefined) === (external === undefined)) return 'Nexus endpoint target must be a worker or a URL.';
  if (worker !== undefined) {
    if (worker.namespace === '') return 'Nexus endpoint target namespace not set.';
    return worker.taskQueue === '' ? 'Nexus endpoint target task queue not set.' : undefined;
  }
  const url = external?.url ?? '';
  const isHttp = URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol);
  return isHttp && url.length <= MAX_URL ? undefined : 'Nexus endpoint target URL must be http:// or https://.';
}

/** The endpoints there are, as turns and doors see them. */
export interface EndpointBook {
  byName(name: string): NexusEndpoint | undefined;
  byId(id: string): NexusEndpoint | undefined;
}

export const NO_ENDPOINTS: EndpointBook = { byName: () => undefined, byId: () => undefined };

export const bookOf = (endpoints: ReadonlyMap<string, NexusEndpoint>): EndpointBook => ({
  byName: (name) => endpoints.get(name),
  byId: (id) => [...endpoints.values()].find((endpoint) => endpoint.id === id),
});
