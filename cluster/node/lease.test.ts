import { describe, expect, it } from 'vitest';
import { VirtualTime } from '../../src/shard/testing.ts';
import type { SessionState } from '../ownership/session.ts';
import { haveToItself, LEASE_WAIT_MS, type LeaseOptions } from './lease.ts';

const taken = (node: string, directoryId: string, renewed = 'not'): SessionState => ({
  type: 'taken',
  by: { node, directoryId, sessionId: 's' },
  renewed: renewed === 'renewed',
});

/** A start of node `a` on directory `d`. */
function start(first: SessionState, more: Partial<LeaseOptions> = {}) {
  const time = new VirtualTime();
  const session = { state: first };
  let outcome: string | undefined;
  const said = (error: unknown): void => {
    outcome = error instanceof Error ? error.message : String(error);
  };
  haveToItself({
    ...{ session, clusterId: 'orders', name: 'a', self: 'd', isOnlyGuard: false, clock: time, scheduler: time },
    isClosed: () => false,
    ...more,
  }).then(() => said('alone'), said);
  const pass = async (ms: number, state?: SessionState): Promise<string | undefined> => {
    await time.advance(ms);
    if (state !== undefined) session.state = state;
    await time.advance(100);
    return outcome;
  };
  return { pass };
}

describe('the start of a node whose name or directory has a lease', () => {
  it('goes on at once with its own from before, which other guards know', async () => {
    expect(await start(taken('a', 'd')).pass(0)).toBe('alone');
    expect(await start({ type: 'unclaimed' }).pass(0)).toBe('alone');
  });

  it.each([
    ['its own from before, where nothing else guards', taken('a', 'd'), { isOnlyGuard: true }],
    ['that of its name with the directory it had', taken('a', 'lost'), {}],
    ['that of its directory under the name it had', taken('b', 'd'), {}],
  ])('waits for the end of %s', async (_, state, more) => {
    const { pass } = start(state, more);
    expect(await pass(5_000)).toBeUndefined();
    expect(await pass(0, { type: 'held' })).toBe('alone');
  });

  it.each([
    ['its name', 'a', 'other', 'another node of cluster orders is called a, and runs'],
    ['its directory', 'b', 'd', 'the data directory of this node (id d) is in use by node b, which runs'],
  ])('is refused as soon as it is seen that another runs with %s', async (_, node, directoryId, message) => {
    const { pass } = start(taken(node, directoryId));
    expect(await pass(1_900)).toBeUndefined();
    expect(await pass(0, taken(node, directoryId, 'renewed'))).toBe(message);
  });

  it('does not wait for ever', async () => {
    expect(await start(taken('a', 'other')).pass(LEASE_WAIT_MS)).toMatch(/is called a/);
  });

  it('is given up with the node', async () => {
    expect(await start(taken('a', 'other'), { isClosed: () => true }).pass(0)).toBe('alone');
  });
});
