import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { makeProgress } from './progress.ts';

function seen(isTTY: boolean, columns = 24): string[] {
  const written: string[] = [];
  const progress = makeProgress({ isTTY, columns, write: (text) => written.push(text) });
  progress.say('throughput: 256 at a time');
  progress.tick('1 s: 4,000/s');
  progress.say('latency');
  progress.tick('warming up');
  progress.clear();
  return written.map((text) => stripVTControlCharacters(text));
}

it('writes one line over and over on a terminal, never longer than it', () => {
  expect(seen(true)).toEqual([
    '\rthroughput: 256 at a ti',
    '\rthroughput: 256 at a ti',
    '\rlatency',
    '\rlatency · warming up',
    '\r',
  ]);
});

it('writes all of it on a terminal that does not know its size', () => {
  expect(seen(true, 0)[0]).toBe('\rthroughput: 256 at a time');
});

it('writes a line for each stage elsewhere', () => {
  expect(seen(false)).toEqual(['throughput: 256 at a time\n', 'latency\n']);
});
