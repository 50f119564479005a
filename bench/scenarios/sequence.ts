// Activities one after the other: what each one more costs.

import { pathOf } from '../lib/multiples.ts';
import { workload } from './workload.ts';

export const sequence = workload({
  name: 'sequence',
  shows: 'workflows of 10 and of 100 activities, one after the other',
  runs: 'quick',
  parameters: {
    concurrency: { what: 'workflows of 10 at a time', usual: 256, quick: 256 },
    concurrency100: { what: 'workflows of 100 at a time', usual: 32, quick: 16 },
  },
  kinds: ['sequence'],
  cases: (p) => [
    { name: '10 activities', kind: 'sequence', count: 10, concurrency: p('concurrency'), path: pathOf(10) },
    { name: '100 activities', kind: 'sequence', count: 100, concurrency: p('concurrency100'), path: pathOf(100) },
  ],
});
