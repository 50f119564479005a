// Activities all at once: batches of commands, and results that come in together.

import { pathOf } from '../lib/multiples.ts';
import { workload } from './workload.ts';

export const parallel = workload({
  name: 'parallel',
  shows: 'workflows of many activities at once',
  runs: 'quick',
  parameters: {
    activities: { what: 'of each workflow', usual: 100, quick: 100 },
    concurrency: { what: 'workflows at a time', usual: 16, quick: 8 },
  },
  kinds: ['parallel'],
  cases: (p) => [
    {
      name: `${p('activities')} activities`,
      kind: 'parallel',
      count: p('activities'),
      concurrency: p('concurrency'),
      path: pathOf(1),
    },
  ],
});
