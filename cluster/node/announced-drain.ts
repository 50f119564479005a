// What a node lets gossip know of its draining: what its operator wants of it, and that others are to lead while it cannot, or goes. Called by cluster-node.ts.

import type { Draining } from '../../src/ports/cluster.ts';

/**
 * Who drains everything says so until it is gone: told that it gives up leading alone, the others would give it back what it gave away, and wait for
 * it as for one that restarts.
 *
 * @param mayLead false: it is leaving, has no link, or another has its name
 */
export const announcedDrain = (draining: Draining, mayLead: boolean): Draining =>
  draining === 'no' && !mayLead ? 'leadership' : draining;
