// Chains of runs: closing one and starting the next in one turn.

import { workload } from './workload.ts';

export const continued = workload({
  name: 'continued',
  shows: 'workflows that continue as new again and again',
  runs: 'quick',
  parameters: {
    times: { what: 'each workflow continues as new', usual: 20, quick: 20 },
    concurrency: { what: 'workflows at a time', usual: 64, quick: 32 },
  },
  kinds: ['continued'],
  cases: (p) => [{ name: `${p('times')} times`, kind: 'continued', count: p('times'), concurrency: p('concurrency') }],
});
