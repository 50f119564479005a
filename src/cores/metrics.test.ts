import { expect, it } from 'vitest';
import { mergeExpositions } from './metrics.ts';

const exposition = (value: number): string => `# HELP turns_total Turns.
# TYPE turns_total counter
turns_total ${value}

# HELP latency_seconds By method.
# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.1",method="a } b"} ${value}
latency_seconds_sum{method="a } b"} 0.5
latency_seconds_empty{} 1
`;

it('gives every series the core it is of, and keeps those of one metric together', () => {
  expect(
    mergeExpositions(
      new Map([
        [1, exposition(3)],
        [2, `${exposition(4)}# HELP only_here Of the second.\n# TYPE only_here gauge\nonly_here 1\n`],
      ]),
    ),
  ).toBe(`# HELP turns_total Turns.
# TYPE turns_total counter
turns_total{core="1"} 3
turns_total{core="2"} 4
# HELP latency_seconds By method.
# TYPE latency_seconds histogram
latency_seconds_bucket{core="1",le="0.1",method="a } b"} 3
latency_seconds_sum{core="1",method="a } b"} 0.5
latency_seconds_empty{core="1"} 1
latency_seconds_bucket{core="2",le="0.1",method="a } b"} 4
latency_seconds_sum{core="2",method="a } b"} 0.5
latency_seconds_empty{core="2"} 1
# HELP only_here Of the second.
# TYPE only_here gauge
only_here{core="2"} 1
`);
});
