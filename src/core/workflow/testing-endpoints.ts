// The Nexus endpoint that tests of workflows call.

import type { NexusEndpoint } from '../../wire/nexus.ts';

/** Its workers are in another namespace. */
export const PAYMENTS: NexusEndpoint = {
  id: 'id-of-payments',
  version: 1,
  createdTime: 0,
  spec: { name: 'payments', target: { worker: { namespace: 'billing', taskQueue: 'nexus' } } },
};
