// The shards of a backup are one cut, whatever messages were on their way between them and whoever led them when.
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { ClusterBackupReport } from '../../../src/ports/cluster-backup.ts';
import { SHARDS } from '../../routing/routing.test-support.ts';
import { CheckingTarget, CutWorld, NAMES } from './cut.test-support.ts';
import { DeliveryPause, MAX_PAUSE_MS } from './delivery-pause.ts';

const worlds: CutWorld[] = [];
afterEach(() => {
  for (const world of worlds.splice(0)) world.end();
});

function world(...args: ConstructorParameters<typeof CutWorld>): CutWorld {
  const made = new CutWorld(...args);
  worlds.push(made);
  return made;
}

/** Messages all the time; a shard moves now and then. */
async function traffic(w: CutWorld, ms: number, moves: 'moves' | 'stays'): Promise<void> {
  for (let i = 0; i < ms; i += 1) {
    w.send(w.random.int(SHARDS), w.random.int(SHARDS));
    w.pump();
    if (moves === 'moves' && w.random.int(60) === 0) w.move(w.random.int(SHARDS));
    await w.advance(1);
  }
}

interface Run {
  readonly target: CheckingTarget;
  readonly ended: Promise<ClusterBackupReport | Error>;
}

function begin(w: CutWorld, node = 'a'): Run {
  const target = new CheckingTarget();
  const { backup } = w.nodes.get(node) ?? {};
  if (backup === undefined) throw new Error(`no node ${node}`);
  return { target, ended: backup.run(target).catch((error: Error) => error) };
}

/** Under load throughout, until the backup has ended. */
async function backedUp(w: CutWorld, moves: 'moves' | 'stays'): Promise<Run> {
  await traffic(w, 30, moves);
  const run = begin(w);
  let isOver = false;
  void run.ended.then(() => {
    isOver = true;
  });
  for (let i = 0; !isOver && i < 400; i += 1) {
    await traffic(w, 20, moves);
    // Attempts are a second apart.
    if (i % 10 === 9) await w.advance(500);
  }
  return run;
}

describe('a backup of a cluster', () => {
  it('is one cut, and messages go on after it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.constantFrom('moves' as const, 'stays' as const), async (seed, moves) => {
        const w = world(seed);
        const { target, ended } = await backedUp(w, moves);
        const report = await ended;
        if (report instanceof Error) {
          expect(moves).toBe('moves');
          expect(target.state).toBe('abandoned');
        } else {
          expect(target.cut.problem()).toBeUndefined();
          expect(target.shards.map(({ shard }) => shard).sort()).toEqual(Array.from({ length: SHARDS }, (_, i) => i));
          expect(target.state).toBe('finished');
        }
        for (let i = 0; i < 40 && w.waiting > 0; i += 1) {
          w.pump();
          await w.advance(50);
        }
        expect(w.waiting).toBe(0);
        w.end();
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  it('would be none if messages did not stand still', async () => {
    class NoPause extends DeliveryPause {
      override get isPaused(): boolean {
        return false;
      }
    }
    const problems = new Set<string | undefined>();
    for (let seed = 0; seed < 6; seed += 1) {
      const { target } = await backedUp(
        world(seed, (clock) => new NoPause(clock)),
        'stays',
      );
      problems.add(target.cut.problem()?.replaceAll(/\d+/g, 'n'));
    }
    expect([...problems].some((problem) => problem !== undefined)).toBe(true);
  });

  it('is not taken of a shard that another node led meanwhile, also where it has come back', async () => {
    const w = world(4);
    const { target, ended } = begin(w);
    await w.advance(2);
    const shard = w.shards[1];
    // Whoever led it in between stood not still, for all that is known.
    if (shard !== undefined) shard.term += 2;
    await w.advance(5_000);
    expect(await ended).toMatchObject({ nodes: 3 });
    expect(target.shards.find((cut) => cut.shard === 1)?.term).toBe(3);
  });

  it('waits for a shard to have a leader, and says which has none', async () => {
    const w = world(1);
    const shard = w.shards[3];
    if (shard !== undefined) shard.leader = 'nobody';
    const { target, ended } = begin(w);
    await w.advance(12_000);
    expect(await ended).toMatchObject({
      kind: 'failed',
      message: 'the cluster cannot be backed up: shard 3 has no leader among the nodes that are connected',
    });
    expect(target.state).toBe('abandoned');
    for (const name of NAMES) expect(w.nodes.get(name)?.pause.isPaused).toBe(false);
  });

  it('is one at a time', async () => {
    const w = world(2);
    const first = begin(w, 'a');
    const same = begin(w, 'a');
    const other = begin(w, 'b');
    await w.advance(10_000);
    expect(await first.ended).toMatchObject({ nodes: 3, shards: SHARDS });
    expect(await same.ended).toMatchObject({ message: expect.stringMatching(/another backup is under way/) });
    // It waits for its turn.
    expect(await other.ended).toMatchObject({ nodes: 3, shards: SHARDS });
  });

  it('lets nothing be received meanwhile, whoever brings it', async () => {
    const w = world(5);
    const b = w.nodes.get('b')?.pause;
    expect(b?.begin('some backup')).toBe(true);
    expect(b?.begin('another')).toBe(false);
    w.send(0, 1);
    w.send(1, 0);
    await w.advance(100);
    for (let i = 0; i < 5; i += 1) {
      w.pump();
      await w.advance(100);
    }
    // Shard 0 is led at a, which does not stand still, and shard 1 at b.
    expect(w.waiting).toBe(2);
    b?.end('some backup');
    w.pump();
    await w.advance(200);
    expect(w.waiting).toBe(0);
  });

  it('holds messages up no longer than its bound when the node that asked is gone', async () => {
    const w = world(3);
    begin(w, 'a');
    await w.advance(8);
    w.nodes.get('a')?.node.links.kill();
    expect(NAMES.some((name) => w.nodes.get(name)?.pause.isPaused)).toBe(true);
    await w.advance(MAX_PAUSE_MS);
    expect(['b', 'c'].some((name) => w.nodes.get(name)?.pause.isPaused)).toBe(false);
  });
});
