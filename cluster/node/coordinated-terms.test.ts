import { describe, expect, it } from 'vitest';
import { shardId, type Term, term } from '../../src/ports/ids.ts';
import { AT_ONCE, type Journey, MemoryCoordinator } from '../ownership/memory/client.ts';
import { MemoryCoordinatorServer } from '../ownership/memory/server.ts';
import { coordinatedTerms } from './coordinated-terms.ts';
import { TestNet } from './node.test-support.ts';

const S = shardId(1);

async function source() {
  const { time } = new TestNet();
  const server = new MemoryCoordinatorServer(time);
  const world = { way: AT_ONCE as Journey };
  const coordinator = new MemoryCoordinator({ server, clock: time, scheduler: time, journey: () => world.way });
  await coordinator.readPlan();
  return { server, world, coordinator, time, terms: coordinatedTerms(coordinator) };
}

describe('terms from a coordinator', () => {
  it.each([
    ['nothing known', 0, [], 1],
    ['the candidate is in term 4', 4, [], 5],
    ['a replica spoke of term 9', 4, [9], 10],
    ['an older one was heard later', 4, [9, 3], 10],
    ['all of them in the same term', 9, [9], 10],
  ])('are above all that is known: %s', async (_, above, heard, next) => {
    const { terms } = await source();
    for (const one of heard) terms.heard(S, term(one));
    expect(await terms.next(S, above as Term)).toBe(next);
    expect(await terms.next(S, above as Term)).toBe(next + 1);
  });

  it('are of each shard by itself', async () => {
    const { terms } = await source();
    terms.heard(S, term(50));
    expect(await terms.next(shardId(2), term(1))).toBe(2);
  });

  it('rise again after the coordinator fell back', async () => {
    const { terms, server } = await source();
    terms.heard(S, term(20));
    expect(await terms.next(S, term(3))).toBe(21);
    server.wipe();
    expect(await terms.next(S, term(3))).toBe(21);
    terms.heard(S, term(21));
    expect(await terms.next(S, term(3))).toBe(22);
  });

  it('are not waited for while it is away', async () => {
    const { terms, world, coordinator } = await source();
    world.way = { type: 'refused' };
    expect(await terms.next(S, term(1))).toBeUndefined();
    expect(coordinator.state).toBe('away');
    world.way = { type: 'request lost' };
    expect(await terms.next(S, term(1))).toBeUndefined();
  });
});
