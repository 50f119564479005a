// Child workflows: messages between actors of different shards, exactly once.

import { workload } from './workload.ts';

export const children = workload({
  name: 'children',
  shows: 'workflows that start many children at once and wait for all',
  runs: 'quick',
  parameters: {
    children: { what: 'of each workflow', usual: 20, quick: 20 },
    concurrency: { what: 'workflows at a time', usual: 32, quick: 16 },
  },
  kinds: ['children'],
  cases: (p) => [
    // The parent's start, its task, the child's, its second task, the result; durable: that the child begins, that it ended, that the parent did.
    {
      name: `${p('children')} children`,
      kind: 'children',
      count: p('children'),
      concurrency: p('concurrency'),
      path: { fsyncs: 3, frames: 8 },
    },
  ],
});
