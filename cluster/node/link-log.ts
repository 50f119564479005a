// What the log says of links to other nodes: what an operator would look for, and no line for what mends itself. Called by cluster-node.ts.

import type { Log } from '../../src/ports/log.ts';
import type { LinkEvent } from '../link/links.ts';

export function logLinkEvent(log: Log, event: LinkEvent): void {
  switch (event.type) {
    case 'up':
      log.info({ peer: event.peer, address: event.address, version: event.version }, 'node connected');
      return;
    case 'down':
      log.info({ peer: event.peer, address: event.address, why: event.why }, 'node disconnected');
      return;
    case 'unreachable':
      if (event.attempts === 1) log.debug({ peer: event.peer, address: event.address }, event.message);
      return;
    case 'refused': {
      const fields = { peer: event.peer, address: event.address, by: event.by };
      if (event.kind === 'duplicateLink') log.debug(fields, event.message);
      else log.warn(fields, event.message);
      return;
    }
    case 'clockSkew':
      log.warn({ peer: event.peer, skewMs: event.skewMs }, event.message);
      return;
    case 'suppressed':
      log.warn({ count: event.count }, 'so many refused links were not logged');
      return;
  }
}
