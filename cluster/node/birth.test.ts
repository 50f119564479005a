import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ShardId } from '../../src/ports/ids.ts';
import { encodeBody, encodeValue } from '../routing/answers.ts';
import { Birth, type BirthState } from './birth.ts';
import { directoryOf, HOSTILE, planOf, TestLog, TestNet } from './node.test-support.ts';
import { RESTORED } from './state.ts';

const SHARDS = 8;

/** A member: its directory outlives it. */
class Member {
  readonly name: string;
  readonly net: TestNet;
  readonly log = new TestLog();
  /** On the disk, and as its process knows it. */
  kept: BirthState = { firstPlan: '', born: false };
  state: BirthState = this.kept;
  readonly shards = new Map<ShardId, readonly string[]>();
  birth: Birth;
  /** Writes wait for it. */
  disk: Promise<void> = Promise.resolve();
  /** Creates so many shards more, and no others. */
  power = Number.POSITIVE_INFINITY;

  constructor(net: TestNet, name: string) {
    this.net = net;
    this.name = name;
    this.birth = this.#start();
  }

  #start(): Birth {
    const { net, name } = this;
    this.state = this.kept;
    const birth = new Birth({
      ...{ self: directoryOf(name), shardCount: SHARDS, replicas: 3, rpc: net.node(name) },
      ...{ scheduler: net.time, log: this.log },
      nameOf: (directoryId) => net.peersOf(name).find((other) => directoryOf(other) === directoryId),
      peers: () => net.peersOf(name),
      state: () => this.state,
      save: (state) => {
        this.state = state;
        return this.disk.then(() => {
          // A process that died meanwhile wrote nothing.
          if (this.birth === birth) this.kept = state;
        });
      },
      has: (shard) => this.shards.has(shard),
      holdsAny: () => this.shards.size > 0,
      create: async (shard, voters) => {
        if (this.birth !== birth || this.shards.size >= this.power) throw new Error('the process is gone');
        this.shards.set(shard, voters);
      },
    });
    this.birth = birth;
    return birth;
  }

  crash(): void {
    this.birth.stop();
    this.birth = this.#start();
  }
}

function cluster(...names: string[]): { net: TestNet; members: Member[] } {
  const net = new TestNet();
  return { net, members: names.map((name) => new Member(net, name)) };
}

const ask = (net: TestNet, from: string, to: string, plan: string): Promise<Uint8Array | string> =>
  net.ask(from, to, 'cluster.firstPlan', encodeBody({ plan }));
const said = (answer: 'same' | 'other' | 'none'): Uint8Array => Buffer.from(encodeValue(answer));

describe('the first shards', () => {
  it('are made by all members of the first plan from the same voters, once', async () => {
    const { net, members } = cluster('a', 'b', 'c', 'd');
    const plan = planOf(['a', 'b', 'c', 'd']);
    for (const { birth } of members) await birth.planned(plan);
    await net.time.advance(1_000);
    for (let shard = 0; shard < SHARDS; shard += 1) {
      const made = members.flatMap(({ shards }) =>
        [...shards].filter(([id]) => id === shard).map(([, voters]) => voters),
      );
      expect(made).toHaveLength(3);
      expect(new Set(made.map((voters) => voters.join())).size).toBe(1);
    }
    expect(members.map(({ kept }) => kept)).toEqual(members.map(() => ({ firstPlan: plan, born: true })));
    const calls = [...net.nodes.values()].map(({ calls: made }) => made.length);
    await net.time.advance(60_000);
    expect([...net.nodes.values()].map(({ calls: made }) => made.length)).toEqual(calls);
  });

  it('wait for a member that is away, and it agrees when it comes though it missed the plan', async () => {
    const { net, members } = cluster('a', 'b', 'c');
    const plan = planOf(['a', 'b', 'c']);
    net.away.add('c');
    for (const { name, birth } of members) if (name !== 'c') await birth.planned(plan);
    await net.time.advance(30_000);
    expect(members.map(({ shards }) => shards.size)).toEqual([0, 0, 0]);
    net.away.clear();
    await net.time.advance(1_000);
    expect(members.map(({ shards }) => shards.size)).toEqual([SHARDS, SHARDS, SHARDS]);
  });

  it('are not made twice after a crash half-way', async () => {
    const { net, members } = cluster('a', 'b', 'c');
    const [a] = members;
    const plan = planOf(['a', 'b', 'c']);
    if (a !== undefined) a.power = 3;
    for (const { birth } of members) await birth.planned(plan);
    await net.time.advance(500);
    const before = new Map(a?.shards);
    expect(before.size).toBe(3);
    expect(a?.kept.born).toBe(false);
    if (a !== undefined) a.power = Number.POSITIVE_INFINITY;
    a?.crash();
    a?.birth.begin();
    await net.time.advance(1_000);
    expect(a?.shards.size).toBe(SHARDS);
    for (const [shard, voters] of before) expect(a?.shards.get(shard)).toBe(voters);
    expect(a?.kept.born).toBe(true);
  });

  it('are made by nobody when the coordinator forgot and handed out another first plan', async () => {
    const { net, members } = cluster('a', 'b', 'c');
    const [a, b] = members;
    await a?.birth.planned(planOf(['a', 'b', 'c']));
    await b?.birth.planned(planOf(['a', 'b', 'c'], { validFromMs: 2_000 }));
    await net.time.advance(5_000);
    expect(members.map(({ shards }) => shards.size)).toEqual([0, 0, 0]);
    // Both say what stands against what, who is behind it, and what to do.
    expect(a?.log.lines).toEqual([
      "error: node b has agreed to another first plan of this cluster, as happens when Redis forgets in the cluster's first seconds. " +
        'Here: by a, for a, b, c, in force from 1970-01-01T00:00:01.000Z; there: by a, for a, b, c, in force from 1970-01-01T00:00:02.000Z. ' +
        'No shards are made while both stand. Way out: neither has shards, so nothing is lost: stop the nodes of both plans, empty their data directories, and start them again',
    ]);
    expect(b?.log.lines[0]).toEqual(
      expect.stringMatching(/^error: node a has agreed .* Here: .*02.000Z; there: .*01.000Z.* neither has shards/),
    );
  });

  it('that another plan has made already are joined by emptying the directory of who came too late: both say so', async () => {
    const { net, members } = cluster('a', 'b');
    const [a, b] = members;
    await a?.birth.planned(planOf(['a']));
    await net.time.advance(1_000);
    await b?.birth.planned(planOf(['a', 'b']));
    await net.time.advance(1_000);
    expect([a?.shards.size, b?.shards.size]).toEqual([SHARDS, 0]);
    expect(b?.log.lines.at(-1)).toMatch(/Way out: the other one has shards: stop this node, empty .* it joins node a$/);
    expect(a?.log.lines.at(-1)).toMatch(/Way out: this one has shards: stop node b, empty .* it joins$/);
  });

  it.each([
    ['', 'as who came later keeps it'],
    [RESTORED, 'restored'],
  ])('that were there before the first plan are learned by a newcomer without an alarm (%j: %s)', async (firstPlan) => {
    const { net, members } = cluster('a', 'b');
    const [a, b] = members;
    if (a === undefined) return;
    a.state = a.kept = { firstPlan, born: true };
    a.shards.set(0 as ShardId, [directoryOf('a')]);
    await b?.birth.planned(planOf(['a', 'b']));
    await net.time.advance(2_000);
    expect(b?.kept.born).toBe(true);
    expect([...a.log.lines, ...(b?.log.lines ?? [])]).toEqual([
      expect.stringMatching(/^info: the shards of this cluster were made before/),
    ]);
  });

  it('are not made by a directory that came later, whoever asks', async () => {
    const { net, members } = cluster('d', 'e');
    const [d, e] = members;
    await d?.birth.planned(planOf(['a', 'b', 'c', 'd'], { version: 5 }));
    expect(d?.kept).toEqual({ firstPlan: '', born: true });
    // Cut off from the others, with a coordinator that forgot, a newcomer thinks it begins a cluster.
    await e?.birth.planned(planOf(['d', 'e']));
    await net.time.advance(5_000);
    expect([d?.shards.size, e?.shards.size]).toEqual([0, 0]);
    expect(d?.kept).toEqual({ firstPlan: '', born: true });
    expect(await ask(net, 'e', 'd', planOf(['a', 'b', 'c']))).toEqual(said('none'));
  });
});

describe('a word given', () => {
  it('is given only once it is durable, whoever asks first', async () => {
    const { net, members } = cluster('a', 'b', 'c');
    const [a] = members;
    const plan = planOf(['a', 'b', 'c']);
    if (a === undefined) return;
    let letGo: () => void = () => undefined;
    a.disk = new Promise((resolve) => {
      letGo = resolve;
    });
    expect(await ask(net, 'b', 'a', plan)).toBe('silent');
    expect(await ask(net, 'c', 'a', plan)).toBe('silent');
    const planned = a.birth.planned(plan);
    await net.time.advance(1_000);
    expect(net.nodes.get('a')?.calls).toEqual([]);
    letGo();
    await planned;
    expect(await ask(net, 'b', 'a', plan)).toEqual(said('same'));
    expect(a.kept.firstPlan).toBe(plan);
  });

  it('is not given when the disk refuses it, and nothing is made', async () => {
    const { net, members } = cluster('a', 'b');
    const [a, b] = members;
    const plan = planOf(['a', 'b']);
    if (a === undefined) return;
    a.disk = Promise.reject(new Error('ENOSPC'));
    a.disk.catch(() => undefined);
    expect(await ask(net, 'b', 'a', plan)).toMatch(/cannot keep/);
    expect(await ask(net, 'b', 'a', plan)).toMatch(/cannot keep/);
    await expect(a.birth.planned(plan)).rejects.toThrow('ENOSPC');
    await b?.birth.planned(plan);
    await net.time.advance(2_000);
    expect([a.shards.size, b?.shards.size]).toEqual([0, 0]);
  });

  it.each(HOSTILE)('is asked for in vain with %s', async (_, bytes) => {
    const { net, members } = cluster('a');
    expect(await net.ask('x', 'a', 'cluster.firstPlan', bytes)).not.toBe('silent');
    expect(members[0]?.state.firstPlan).toBe('');
  });

  it('never differs between two that have made shards, whatever crashes and is cut off', async () => {
    const names = ['a', 'b', 'c'];
    const plans = [planOf(names), planOf(names, { validFromMs: 2_000 }), planOf(['a', 'b'])];
    const step = fc.record({ who: fc.nat(2), do: fc.constantFrom('plan', 'crash', 'cut', 'join'), plan: fc.nat(2) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
        const { net, members } = cluster(...names);
        for (const { who, do: what, plan } of steps) {
          const member = members[who];
          if (member === undefined) continue;
          if (what === 'plan') await member.birth.planned(plans[plan] ?? '');
          else if (what === 'crash') {
            member.crash();
            member.birth.begin();
          } else if (what === 'cut') net.away.add(member.name);
          else net.away.delete(member.name);
          await net.time.advance(150);
        }
        net.away.clear();
        await net.time.advance(3_000);
        const made = members.filter(({ shards }) => shards.size > 0);
        expect(new Set(made.map(({ kept }) => kept.firstPlan)).size).toBeLessThanOrEqual(1);
      }),
      { numRuns: 40 },
    );
  });
});
