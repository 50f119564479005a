// Payloads through a workflow of one activity: in with the start, to the activity, back, out with the result. Random text, so that nothing shrinks it.

import { pathOf } from '../lib/multiples.ts';
import { workload } from './workload.ts';

const KIB = 1_024;

export const payloads = workload({
  name: 'payloads',
  shows: 'workflows of one activity that pass on 1 KiB, 64 KiB and 1 MiB',
  runs: 'quick',
  parameters: {
    concurrency1: { what: 'of 1 KiB at a time', usual: 128, quick: 128 },
    concurrency64: { what: 'of 64 KiB at a time', usual: 32, quick: 16 },
    concurrency1024: { what: 'of 1 MiB at a time', usual: 4, quick: 2 },
  },
  kinds: ['sequence'],
  cases: (p) => [
    { name: '1 KiB', kind: 'sequence', count: 1, payloadBytes: KIB, concurrency: p('concurrency1'), path: pathOf(1) },
    {
      name: '64 KiB',
      kind: 'sequence',
      count: 1,
      payloadBytes: 64 * KIB,
      concurrency: p('concurrency64'),
      path: pathOf(1),
    },
    {
      name: '1 MiB',
      kind: 'sequence',
      count: 1,
      payloadBytes: KIB * KIB,
      concurrency: p('concurrency1024'),
      path: pathOf(1),
    },
  ],
});
