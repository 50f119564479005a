// The scenario that everybody quotes: workflows of one activity, many at a time.

import { pathOf } from '../lib/multiples.ts';
import { workload } from './workload.ts';

export const throughput = workload({
  name: 'throughput',
  shows: 'workflows of one activity, many at a time',
  runs: 'quick',
  parameters: { concurrency: { what: 'at a time', usual: 256, quick: 256 } },
  kinds: ['sequence'],
  cases: (p) => [{ name: '', kind: 'sequence', count: 1, concurrency: p('concurrency'), path: pathOf(1) }],
});
