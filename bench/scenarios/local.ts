// Steps in the worker's own process: no task of their own, durable with the workflow task they ran in.

import { workload } from './workload.ts';

export const local = workload({
  name: 'local',
  shows: 'workflows of 1 and of 10 local activities (durable steps in process)',
  runs: 'quick',
  parameters: { concurrency: { what: 'at a time', usual: 256, quick: 256 } },
  kinds: ['local'],
  cases: (p) => [
    { name: '1 step', kind: 'local', count: 1, concurrency: p('concurrency'), path: { fsyncs: 2, frames: 4 } },
    { name: '10 steps', kind: 'local', count: 10, concurrency: p('concurrency'), path: { fsyncs: 2, frames: 4 } },
  ],
});
