// What is asked of a cluster while its coordinator is away, and takes a new plan, waits until it is back: whoever asks is told so. Pure.

import type { ClusterStatus } from '../../wire/cluster.ts';

/** Why no plan comes about now, as far as the asked node knows; undefined where nothing stands in the way. */
export function whyNoPlan({ coordinator, coordinatedBy, self }: ClusterStatus): string | undefined {
  if (coordinator === 'ready') return undefined;
  const what = coordinatedBy === 'listener' ? 'the process that listens for it' : 'Redis';
  return `node ${self} does not reach ${what} (${coordinator}): shards move by a new plan, which waits until that is back`;
}
