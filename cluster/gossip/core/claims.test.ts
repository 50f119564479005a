import { describe, expect, it } from 'vitest';
import { MAX_INCARNATION } from './codec.ts';
import { addressOf, aliveClaim, metaOf, TestNode } from './parts.test-support.ts';

const suspect = (name: string, incarnation = 1, from = 'accuser') =>
  ({ type: 'suspect', name, incarnation, from }) as const;
const dead = (name: string, incarnation = 1, from = 'accuser') => ({ type: 'dead', name, incarnation, from }) as const;
const left = (name: string, incarnation = 1) => ({ type: 'left', name, incarnation }) as const;

describe('an alive claim', () => {
  it('of somebody unknown makes a member, and is passed on', () => {
    const node = new TestNode();
    expect(node.claims.alive(5, aliveClaim('a'), 'gossip')).toBeUndefined();
    expect(node.changes()).toEqual(['joined a']);
    expect(node.news()).toEqual([aliveClaim('a')]);
  });

  it('heard in the first sync is not passed on: everybody knows', () => {
    const node = new TestNode();
    node.claims.alive(5, aliveClaim('a'), 'firstSync');
    expect(node.changes()).toEqual(['joined a']);
    expect(node.news()).toEqual([]);
  });

  it.each([
    { incarnation: 1, change: [] },
    { incarnation: 0, change: [] },
    { incarnation: 2, change: ['updated a'] },
    { incarnation: 2_000_000, change: [] },
  ])('with incarnation $incarnation where 1 is known: $change', ({ incarnation, change }) => {
    const node = new TestNode().knows('a');
    node.claims.alive(5, aliveClaim('a', incarnation, { zone: 'z' }), 'gossip');
    expect(node.changes()).toEqual(change);
    expect(node.parts.table.get('a')?.meta.zone).toBe(change.length > 0 ? 'z' : '');
  });

  it('clears a suspicion only with a higher incarnation', () => {
    const node = new TestNode().knows('a', 'b');
    node.claims.suspect(0, suspect('a'));
    node.claims.alive(1, aliveClaim('a', 1), 'gossip');
    expect(node.stateOf('a')).toBe('suspect');
    node.claims.alive(1, aliveClaim('a', 2), 'gossip');
    expect(node.stateOf('a')).toBe('alive');
    expect(node.claims.suspicions.size).toBe(0);
    expect(node.changes()).toEqual(['suspect a', 'updated a']);
  });

  it.each(['dead', 'left'] as const)('brings back who was %s, with a higher incarnation', (state) => {
    const node = new TestNode().knows('a');
    if (state === 'dead') node.claims.dead(0, dead('a'));
    else node.claims.left(0, left('a'));
    node.claims.alive(1, aliveClaim('a', 1), 'gossip');
    expect(node.stateOf('a')).toBe(state);
    node.claims.alive(1, aliveClaim('a', 2), 'gossip');
    expect(node.changes().at(-1)).toBe('joined a');
  });

  it.each([
    ['everything', 'everything'],
    [undefined, 'leadership'],
  ] as const)('of a node that left draining %s: it is known to drain %s', (draining, known) => {
    const node = new TestNode().knows('a');
    node.claims.alive(0, aliveClaim('a', 2, { draining: 'leadership' }), 'gossip');
    // What it announced with incarnation 3 has not come through.
    node.claims.left(1, { ...left('a', 3), draining });
    expect(node.parts.table.get('a')).toMatchObject({ state: 'left', meta: { draining: known } });
  });

  it('of a node known to have left is followed by what its next life says in its goodbye', () => {
    const node = new TestNode().knows('a');
    node.claims.left(0, { ...left('a', 1), draining: 'leadership' });
    // That it was back, and drained, has not come through.
    node.claims.left(1, { ...left('a', 4), draining: 'everything' });
    expect(node.parts.table.get('a')).toMatchObject({ state: 'left', meta: { draining: 'everything' } });
    node.claims.left(2, { ...left('a', 1), draining: 'leadership' });
    expect(node.parts.table.get('a')?.meta.draining).toBe('everything');
  });

  it('past the bound of members is refused', () => {
    const node = new TestNode({ maxMembers: 2 }).knows('a');
    expect(node.claims.alive(0, aliveClaim('b'), 'door')).toBe('tableFull');
    expect(node.parts.table.size).toBe(2);
  });

  it.each([
    ['the same version', 1, 1, undefined],
    ['the version after', 1, 2, undefined],
    ['two versions apart', 2, 3, 'incompatibleVersion'],
  ])('of %s is let in or refused', (_, min, max, reason) => {
    expect(new TestNode().claims.alive(0, aliveClaim('a', 1, { protocol: { min, max } }), 'gossip')).toBe(reason);
  });

  it('of a version that we cannot talk with is refused, reported, and its subject told', () => {
    const node = new TestNode();
    expect(node.claims.alive(0, aliveClaim('a', 1, { protocol: { min: 2, max: 3 } }), 'gossip')).toBe(
      'incompatibleVersion',
    );
    expect(node.sent()).toMatchObject([
      { to: addressOf('a'), messages: [{ type: 'refused', reason: 'incompatibleVersion', name: 'a', uptimeMs: 0 }] },
    ]);
    expect(node.others()).toMatchObject([{ type: 'notice', notice: { kind: 'refusedPeer', name: 'a' } }]);
    node.claims.alive(1, aliveClaim('a', 1, { protocol: { min: 2, max: 3 } }), 'gossip');
    expect([...node.sent(), ...node.others()]).toEqual([]);
  });
});

describe('a name', () => {
  const newcomer = (incarnation: number) => aliveClaim('a', incarnation, { directoryId: 'other', instance: 9 });

  it('stays with the directory that lives under it', () => {
    const node = new TestNode().knows('a');
    expect(node.claims.alive(0, newcomer(5), 'gossip')).toBe('duplicateName');
    expect(node.parts.table.get('a')?.meta.directoryId).toBe('dir-a');
    // A stranger to both can still say how long it has known the one.
    node.claims.alive(20_000, newcomer(5), 'gossip');
    expect(node.sent()).toMatchObject([
      { messages: [{ type: 'refused', reason: 'duplicateName', instance: 9, uptimeMs: 0 }] },
      { messages: [{ type: 'refused', reason: 'duplicateName', instance: 9, uptimeMs: 20_000 }] },
    ]);
  });

  it('of one that died just now is kept for it at the door, for a while', () => {
    const node = new TestNode({ reclaimMs: 30_000 }).knows('a');
    node.claims.dead(0, dead('a'));
    expect(node.claims.alive(29_999, newcomer(2), 'door')).toBe('nameReserved');
    expect(node.claims.alive(30_000, newcomer(2), 'door')).toBeUndefined();
    expect(node.parts.table.get('a')).toMatchObject({ state: 'alive', meta: { directoryId: 'other' } });
  });

  it('that others have let somebody have is his', () => {
    const node = new TestNode({ reclaimMs: 30_000 }).knows('a');
    node.claims.dead(0, dead('a'));
    expect(node.claims.alive(1, newcomer(2), 'gossip')).toBeUndefined();
    expect(node.changes()).toEqual(['died a', 'joined a']);
  });

  it('of one that left is free at once', () => {
    const node = new TestNode().knows('a');
    node.claims.left(0, left('a'));
    expect(node.claims.alive(1, newcomer(2), 'door')).toBeUndefined();
  });
});

describe('a data directory', () => {
  it('in use under one name is refused under another', () => {
    const node = new TestNode().knows('a');
    expect(node.claims.alive(0, aliveClaim('b', 1, { directoryId: 'dir-a' }), 'gossip')).toBe('duplicateDirectory');
  });

  it('may be renamed once its old name is dead', () => {
    const node = new TestNode().knows('a');
    node.claims.dead(0, dead('a'));
    expect(node.claims.alive(1, aliveClaim('b', 1, { directoryId: 'dir-a' }), 'door')).toBeUndefined();
    // And then its old name does not come back beside it.
    expect(node.claims.alive(2, aliveClaim('a', 2), 'gossip')).toBe('duplicateDirectory');
  });
});

describe('a suspicion', () => {
  it('of somebody alive begins, and is passed on', () => {
    const node = new TestNode().knows('a', 'b', 'c');
    node.claims.suspect(0, suspect('a'));
    expect(node.changes()).toEqual(['suspect a']);
    expect(node.news()).toEqual([suspect('a')]);
    expect(node.claims.suspicions.size).toBe(1);
  });

  it.each([
    ['of somebody unknown', 'x', 1],
    ['of an older incarnation', 'a', 0],
    ['of an impossible one', 'a', 9_999_999],
  ])('%s is ignored', (_, name, incarnation) => {
    const node = new TestNode().knows('a');
    node.claims.suspect(0, suspect(name, incarnation));
    expect(node.changes()).toEqual([]);
    expect(node.news()).toEqual([]);
  });

  it('is confirmed by others, each once, and only news is passed on', () => {
    const node = new TestNode().knows('a', 'b', 'c', 'd');
    node.claims.suspect(0, suspect('a', 1, 'b'));
    node.claims.suspect(0, suspect('a', 1, 'c'));
    expect(node.news()).toEqual([suspect('a', 1, 'c')]);
    const before = node.claims.suspicions.dueAtMs;
    node.parts.broadcasts.clear();
    node.claims.suspect(0, suspect('a', 1, 'c'));
    expect(node.news()).toEqual([]);
    node.claims.suspect(0, suspect('a', 1, 'd'));
    expect(node.claims.suspicions.dueAtMs).toBeLessThan(before);
  });

  it('that runs out is a death, and this node says so', () => {
    const node = new TestNode().knows('a', 'b');
    node.claims.suspect(0, suspect('a'));
    const { dueAtMs } = node.claims.suspicions;
    node.claims.suspicions.run(dueAtMs - 1);
    expect(node.stateOf('a')).toBe('suspect');
    node.claims.suspicions.run(dueAtMs);
    expect(node.stateOf('a')).toBe('dead');
    expect(node.news()).toEqual([dead('a', 1, 'self')]);
    expect(node.claims.suspicions.dueAtMs).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('a death', () => {
  it('ends what is known, once', () => {
    const node = new TestNode().knows('a');
    node.claims.dead(0, dead('a'));
    node.parts.broadcasts.clear();
    node.claims.dead(0, dead('a'));
    expect(node.changes()).toEqual(['died a']);
    expect(node.news()).toEqual([]);
  });

  it('is not believed of an older incarnation', () => {
    const node = new TestNode().knows('a');
    node.claims.alive(0, aliveClaim('a', 2), 'gossip');
    node.claims.dead(0, dead('a', 1));
    expect(node.stateOf('a')).toBe('alive');
  });

  it('turns out to have been a goodbye', () => {
    const node = new TestNode().knows('a');
    node.claims.dead(0, dead('a'));
    node.claims.left(0, left('a'));
    expect(node.changes()).toEqual(['died a', 'left a']);
  });
});

describe('what is said of this node', () => {
  it.each([
    ['a suspicion', (node: TestNode) => node.claims.suspect(0, suspect('self', 3))],
    ['a death', (node: TestNode) => node.claims.dead(0, dead('self', 3))],
    ['a goodbye it did not say', (node: TestNode) => node.claims.left(0, left('self', 3))],
  ])('%s is refuted by a higher incarnation, and makes it doubt its health', (_, accuse) => {
    const node = new TestNode().knows('a');
    accuse(node);
    expect(node.stateOf('self')).toBe('alive');
    expect(node.news()).toMatchObject([{ type: 'alive', incarnation: 4, meta: { name: 'self' } }]);
    expect(node.parts.awareness.score).toBe(1);
  });

  it('an old accusation is not', () => {
    const node = new TestNode();
    node.claims.dead(0, dead('self', 0));
    expect(node.news()).toEqual([]);
  });

  it('its own echo is no news', () => {
    const node = new TestNode();
    node.claims.alive(0, aliveClaim('self', 1), 'gossip');
    expect(node.news()).toEqual([]);
    expect(node.parts.self.incarnation).toBe(1);
  });

  it('its previous life is outdone', () => {
    const node = new TestNode();
    node.claims.alive(0, aliveClaim('self', 7, { instance: 1 }), 'sync');
    expect(node.news()).toMatchObject([{ type: 'alive', incarnation: 8, meta: metaOf('self') }]);
  });

  it('a life that claims to be far ahead is not followed: nobody could go above the last number', () => {
    const node = new TestNode();
    node.claims.alive(0, aliveClaim('self', MAX_INCARNATION, { instance: 1 }), 'sync');
    expect(node.parts.self.incarnation).toBe(1);
  });

  it('a twin is told, with how long this one has been up, at its address', () => {
    const node = new TestNode();
    const addresses = { gossip: '10.9.9.9:1', client: '', link: '' };
    node.claims.alive(60_000, aliveClaim('self', 7, { instance: 1, addresses }), 'gossip');
    expect(node.sent()).toMatchObject([
      {
        to: '10.9.9.9:1',
        messages: [{ type: 'refused', reason: 'duplicateDirectory', instance: 1, uptimeMs: 60_000 }],
      },
    ]);
  });

  it('twins outdo each other no faster than metadata may change', () => {
    const node = new TestNode({ metaIntervalMs: 1_000 });
    const addresses = { gossip: '10.9.9.9:1', client: '', link: '' };
    for (let ms = 0; ms < 1_000; ms += 10) {
      node.claims.alive(ms, aliveClaim('self', node.parts.self.incarnation, { instance: 1, addresses }), 'gossip');
    }
    expect(node.own.dueAtMs).toBe(1_000);
  });
});

describe('a load', () => {
  const load = (loadVersion: number, given = {}) =>
    ({ type: 'load', name: 'a', instance: metaOf('a').instance, load: 50, loadVersion, ...given }) as const;

  it.each([
    ['newer', load(1), true],
    ['old', load(0), false],
    ['of another life', load(1, { instance: 3 }), false],
    ['of somebody unknown', load(1, { name: 'x' }), false],
  ])('that is %s: taken %s', (_, claim, taken) => {
    const node = new TestNode().knows('a');
    node.claims.load(0, claim);
    expect(node.parts.table.get('a')?.load).toBe(taken ? 50 : 0);
    expect(node.news()).toEqual(taken ? [claim] : []);
    expect(node.parts.broadcasts.urgent).toBe(false);
  });
});
