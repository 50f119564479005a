// What doors ask about the Nexus endpoints of a node or cluster. They are registered in one place; every node keeps what it last heard.

import type { NexusEndpoint, NexusEndpointSpec } from '../wire/nexus.ts';

export type EndpointAsk =
  /** All there are, unless nothing has changed since this revision. */
  | { type: 'list'; since?: number | undefined }
  /** The same id again is the same request. */
  | { type: 'create'; id: string; spec: NexusEndpointSpec }
  | { type: 'update'; id: string; version: number; spec: NexusEndpointSpec }
  | { type: 'delete'; id: string; version: number };

export interface EndpointAnswer {
  /** Grows with every change. */
  revision: number;
  /** All, or the one that was changed; absent: nothing has changed, or it is gone. */
  endpoints?: NexusEndpoint[] | undefined;
}
