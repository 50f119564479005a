// What is under way is asked to end when its scope is cancelled.

import type { Activator } from './activator.ts';
import type { CancellationScope } from './cancellation-scope.ts';
import type { EventGroupMarker } from './event-groups.ts';

type Cancel = 'cancelActivity' | 'cancelLocalActivity' | 'cancelChild' | 'cancelNexus' | 'cancelSignalExternal';

const IS_PENDING: { readonly [K in Cancel]: (activator: Activator, seq: number) => boolean } = {
  cancelActivity: ({ activities }, seq) => activities.has(seq),
  cancelLocalActivity: ({ activities }, seq) => activities.has(seq),
  cancelChild: ({ children }, seq) => children.has(seq),
  cancelNexus: ({ nexus }, seq) => nexus.isPending(seq),
  cancelSignalExternal: ({ externalSignals }, seq) => externalSignals.has(seq),
};

/**
 * Apart from the call it belongs to: a scope keeps its handlers until it is over itself, and made there, this one would keep the call's arguments, too
 * (docs/decisions/0030).
 */
export function cancelWithScope(
  scope: CancellationScope,
  activator: Activator,
  kind: Cancel,
  seq: number,
  eventGroups?: readonly EventGroupMarker[],
): void {
  scope.cancelRequested.catch(() => {
    if (IS_PENDING[kind](activator, seq)) activator.push({ kind, seq, site: new Error() }, eventGroups);
  });
}
