// Nexus endpoints as clients of this door know them.

import type { NexusEndpoint } from '../../../wire/nexus.ts';
import { type Message, native } from '../rpc.ts';

/** The reference server says when an endpoint was made until it is changed, and when it was changed from then on. */
function shown({ createdTime, lastModifiedTime, ...endpoint }: NexusEndpoint): Message {
  return {
    ...endpoint,
    ...(lastModifiedTime === undefined ? { createdTime } : { lastModifiedTime }),
    urlPrefix: `/nexus/endpoints/${endpoint.id}/services`,
  };
}

const one = ({ endpoint }: { endpoint: NexusEndpoint }): Message => ({ endpoint: shown(endpoint) });

export const CreateNexusEndpoint = native('createNexusEndpoint', undefined, one);
export const GetNexusEndpoint = native('getNexusEndpoint', undefined, one);
export const UpdateNexusEndpoint = native('updateNexusEndpoint', undefined, one);
export const DeleteNexusEndpoint = native('deleteNexusEndpoint');
export const ListNexusEndpoints = native(
  'listNexusEndpoints',
  (request) => ({ ...request, nextPageToken: tokenOf(request) }),
  ({ endpoints, nextPageToken }) => ({ endpoints: endpoints.map(shown), nextPageToken }),
);

/** Empty bytes are no token. */
function tokenOf({ nextPageToken }: Message): unknown {
  return nextPageToken instanceof Uint8Array && nextPageToken.length === 0 ? undefined : nextPageToken;
}
