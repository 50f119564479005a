// What the chaos runs say of a schedule that fires each second.
import { expect, it } from 'vitest';
import { gap } from './operations.ts';

it.each([
  ['every second since its making', [11, 12, 13], 0, undefined],
  ['one is left out', [11, 13], 0, /run 1 is of second 2/],
  ['the first is left out', [12, 13], 0, /run 0 is of second 1/],
  ['one twice', [11, 11, 12], 0, /run 1 is of second 0/],
  ['some were missed', [11, 12], 2, /2 times were missed/],
  ['none', [], 0, /never fired/],
])('%s', (_, seconds, missedCatchupWindow, problem) => {
  const found = gap(seconds, { createTime: 10_500, missedCatchupWindow });
  if (problem === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(problem);
});
