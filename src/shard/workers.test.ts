// What workers of all namespaces have said has a bound, whoever registers namespaces and speaks in them.

import { expect, it } from 'vitest';
import { VirtualTime } from '../../test/support/matching-world.ts';
import type { WorkerAnswer, WorkerAsk } from '../ports/workers.ts';
import type { Actors } from './actors.ts';
import { Workers } from './workers.ts';

const LONG = 'x'.repeat(16_000);

it('forgets the namespaces heard of longest ago when workers have said too much', () => {
  const time = new VirtualTime();
  // Every namespace is led here.
  const actors = { with: (_namespace: string, _id: string, use: { run(): void }) => use.run() } as unknown as Actors;
  const workers = new Workers({ actors, clock: time, refusal: () => undefined });
  const ask = (namespace: string, asked: WorkerAsk): WorkerAnswer => {
    let told: WorkerAnswer | undefined;
    workers.ask(namespace, asked, (_error, answer) => {
      told = answer;
    });
    if (told === undefined) throw new Error('it was not answered');
    return told;
  };
  const countOf = (namespace: string): number | undefined => ask(namespace, { type: 'count', query: '' }).count;
  const speak = (namespace: string, count: number): void => {
    const heartbeats = Array.from({ length: count }, (_, n) => ({ workerInstanceKey: `w${n}`, sdkName: LONG }));
    ask(namespace, { type: 'heartbeat', heartbeats });
  };
  speak('old', 10);
  // Two thousand of them are what one namespace may have.
  for (const namespace of ['a', 'b', 'c', 'd']) speak(namespace, 2_500);
  expect(countOf('a')).toBeGreaterThan(1_900);
  expect(countOf('a')).toBeLessThan(2_200);
  expect(countOf('old')).toBe(0);
  speak('e', 2_500);
  expect(countOf('a')).toBe(0);
  expect(countOf('b')).toBeGreaterThan(1_900);
  // Those that are gone leave their room.
  time.advance(1_000_000);
  for (const namespace of ['b', 'c', 'd', 'e']) expect(countOf(namespace)).toBe(0);
  speak('f', 2_500);
  speak('g', 2_500);
  expect(countOf('f')).toBeGreaterThan(1_900);
});
