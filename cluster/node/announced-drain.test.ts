import { expect, it } from 'vitest';
import { announcedDrain } from './announced-drain.ts';

it.each([
  ['no', true, 'no'],
  ['no', false, 'leadership'],
  ['leadership', true, 'leadership'],
  ['leadership', false, 'leadership'],
  ['everything', true, 'everything'],
  // It stops for good: the others do not wait for it as for one that restarts.
  ['everything', false, 'everything'],
] as const)('a node that drains %s and may lead (%s) announces %s', (draining, mayLead, announced) => {
  expect(announcedDrain(draining, mayLead)).toBe(announced);
});
