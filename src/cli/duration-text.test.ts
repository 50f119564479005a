import { expect, it } from 'vitest';
import { durationText } from './duration-text.ts';

it.each([
  [0, '0ms'],
  [250.4, '250ms'],
  [1_000, '1s'],
  [1_500, '1.5s'],
  [60_000, '1m'],
  [5_430_000, '1h30m30s'],
  [259_200_000, '3d'],
  [31_536_000_000, '365d'],
])('%d ms are %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});
