// Whether a node serves, and whether more should be sent to it: a node that is being drained still answers who is there, so that nothing
// fails while its work moves, and tells load balancers to send nobody new.

import type { Draining } from '../../ports/cluster.ts';

export interface Standing {
  readonly phase: 'starting' | 'serving' | 'closing';
  /** Why it serves no more, for good: its store failed, or the cluster has no place for it. */
  readonly failure: string | undefined;
  readonly draining: Draining;
}

/** Why connections are refused; undefined: they are taken. */
export function notServing({ phase, failure }: Omit<Standing, 'draining'>): string | undefined {
  if (phase === 'closing') return 'the node is shutting down';
  if (failure !== undefined) return failure;
  return phase === 'starting' ? 'the node is starting' : undefined;
}

/** What `/readyz` says: why nobody new should be sent here; undefined when all is well. */
export function notReady(standing: Standing): string | undefined {
  const reason = notServing(standing);
  if (reason !== undefined) return reason;
  switch (standing.draining) {
    case 'no':
      return undefined;
    case 'leadership':
      return 'the node is being drained: it gives up leading';
    case 'everything':
      return 'the node is being drained: it gives up all it holds';
  }
}
