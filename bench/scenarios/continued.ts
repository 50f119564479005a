// Chains of runs: closing one and starting the next in one turn.

import { workload } from './workload.ts';

export const continued = workload({
  name: 'continued',
  shows: 'workflows that continue as new again and again',
  runs: 'quick',
  parameters: {
    // A run begins a second after the one before at the soonest (limits.continueAsNewMinInterval): 20 times would be a ninth of a quick run.
    times: { what: 'each workflow continues as new', usual: 20, quick: 3 },
    concurrency: { what: 'workflows at a time', usual: 64, quick: 32 },
  },
  kinds: ['continued'],
  cases: (p) => [{ name: `${p('times')} times`, kind: 'continued', count: p('times'), concurrency: p('concurrency') }],
});
