// One workflow at a time: how long a user waits when nothing else is going on, against what the disk and loopback take.

import { pathOf } from '../lib/multiples.ts';
import { workload } from './workload.ts';

export const latency = workload({
  name: 'latency',
  shows: 'workflows of one step, one at a time, as multiples of fsyncs and frames',
  runs: 'quick',
  parameters: {},
  kinds: ['sequence', 'local'],
  cases: () => [
    { name: '1 activity', kind: 'sequence', count: 1, concurrency: 1, path: pathOf(1) },
    { name: '1 local activity', kind: 'local', count: 1, concurrency: 1, path: { fsyncs: 2, frames: 4 } },
  ],
});
