// Workflows that do nothing: what a start and a result cost.

import { workload } from './workload.ts';

export const none = workload({
  name: 'none',
  shows: 'workflows without activities, many at a time: what a start and a result cost',
  runs: 'quick',
  parameters: { concurrency: { what: 'at a time', usual: 256, quick: 256 } },
  kinds: ['none'],
  cases: (p) => [{ name: '', kind: 'none', count: 0, concurrency: p('concurrency'), path: { fsyncs: 1, frames: 4 } }],
});
