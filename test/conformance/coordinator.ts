// The conformance suite of the coordinator port: an adapter's test is one call. That the coordinator forgets, hangs and stays away is part of
// the port, so it is tested here too.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ClusterRecord,
  type Coordinator,
  MAX_HINTS,
  MAX_PLAN_CHARS,
  type NodeSession,
  type Outcome,
  type Peer,
} from '../../src/ports/coordinator.ts';
import { shardId, type Term, term } from '../../src/ports/ids.ts';

/** A coordinator's server under test, and the way there. */
export interface CoordinatorMedium {
  /** The coordinator as one more node sees it. */
  connect(): Coordinator;
  /** Ends all connections, and refuses new ones until `heal`. What is stored stays or goes, as the medium likes. */
  cutOff(): Promise<void>;
  /** Takes calls and answers none until `heal`. */
  hang(): Promise<void>;
  heal(): Promise<void>;
  /** Everything stored is gone. */
  wipe(): Promise<void>;
  /** Lets time pass. */
  pass(ms: number): Promise<void>;
  /** Longer than a call's deadline, ms. */
  readonly pastDeadlineMs: number;
  remove(): Promise<void>;
}

const SHARD = shardId(7);
const TTL_MS = 500;

const session = (run: string, settings: Partial<NodeSession> = {}): NodeSession => ({
  node: 'a',
  directoryId: 'directory-a',
  sessionId: run,
  ...settings,
});
const peer = (name: string): Peer => ({
  name,
  directoryId: `directory-${name}`,
  gossip: '127.0.0.1:7946',
  link: '127.0.0.1:7281',
  client: '127.0.0.1:7280',
});
const record = (settings: Partial<ClusterRecord> = {}): ClusterRecord => ({
  clusterId: 'orders',
  incarnation: 'first',
  shardCount: 256,
  createdAtMs: 1_000,
  ...settings,
});

function value<T>(outcome: Outcome<T>): T {
  if (outcome.type !== 'ok') throw new Error(`unavailable: ${outcome.why}`);
  return outcome.value;
}

export function coordinatorConformance(name: string, newMedium: () => Promise<CoordinatorMedium>): void {
  describe(`coordinator port: ${name}`, () => {
    let medium: CoordinatorMedium;
    let coordinator: Coordinator;
    const opened: Coordinator[] = [];
    beforeEach(async () => {
      medium = await newMedium();
      coordinator = await reached();
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((one) => one.close()));
      await medium.remove();
    });

    function connect(): Coordinator {
      const one = medium.connect();
      opened.push(one);
      return one;
    }

    async function reached(one = connect()): Promise<Coordinator> {
      for (let tries = 0; tries < 400; tries += 1) {
        if ((await one.readCluster()).type === 'ok') return one;
        await medium.pass(25);
      }
      throw new Error('the coordinator cannot be reached');
    }

    describe('terms', () => {
      it('grow by one claim after the other, for each shard on its own', async () => {
        expect(value(await coordinator.nextTerm(SHARD, 0))).toBe(1);
        expect(value(await coordinator.nextTerm(SHARD, 0))).toBe(2);
        expect(value(await coordinator.nextTerm(shardId(8), 0))).toBe(1);
        expect(value(await coordinator.nextTerm(SHARD, term(1)))).toBe(3);
      });

      it('are lifted by a candidate that has heard of a higher one', async () => {
        expect(value(await coordinator.nextTerm(SHARD, term(41)))).toBe(42);
        expect(value(await coordinator.nextTerm(SHARD, 0))).toBe(43);
      });

      it('claimed by many nodes at once are all different, and above what each had heard of', async () => {
        const others = [coordinator, await reached(), await reached()];
        await fc.assert(
          fc.asyncProperty(
            fc.array(fc.record({ by: fc.nat(2), shard: fc.nat(3), atLeast: fc.nat(50) }), { maxLength: 40 }),
            async (claims) => {
              const given = await Promise.all(
                claims.map(async ({ by, shard, atLeast }) => {
                  const outcome = await others[by]?.nextTerm(shardId(shard), atLeast as Term | 0);
                  if (outcome === undefined) throw new Error('no such node');
                  return { shard, atLeast, got: value(outcome) };
                }),
              );
              for (const { atLeast, got } of given) expect(got).toBeGreaterThan(atLeast);
              expect(new Set(given.map(({ shard, got }) => `${shard} ${got}`)).size).toBe(given.length);
            },
          ),
          { numRuns: 15 },
        );
      });

      it('stay whole numbers however high they are', async () => {
        const high = Number.MAX_SAFE_INTEGER - 3;
        expect(value(await coordinator.nextTerm(SHARD, term(high)))).toBe(high + 1);
      });

      it('are repeated by a coordinator that has forgotten, unless the candidate knows better', async () => {
        await coordinator.nextTerm(SHARD, 0);
        await coordinator.nextTerm(SHARD, 0);
        await medium.wipe();
        await reached(coordinator);
        expect(value(await coordinator.nextTerm(SHARD, 0))).toBe(1);
        expect(value(await coordinator.nextTerm(SHARD, term(2)))).toBe(3);
      });
    });

    describe('the session of a node', () => {
      it('is held until it is renewed no more', async () => {
        expect(value(await coordinator.holdSession(session('1'), TTL_MS))).toMatchObject({ type: 'held' });
        await medium.pass(TTL_MS / 2);
        expect(value(await coordinator.holdSession(session('1'), TTL_MS))).toMatchObject({ type: 'held' });
        await medium.pass((TTL_MS * 3) / 4);
        const other = await reached();
        expect(value(await other.holdSession(session('2'), TTL_MS))).toMatchObject({ type: 'taken' });
        await medium.pass(TTL_MS);
        expect(value(await other.holdSession(session('2'), TTL_MS))).toMatchObject({ type: 'held' });
        expect(value(await coordinator.holdSession(session('1'), TTL_MS))).toMatchObject({
          type: 'taken',
          by: session('2'),
        });
      });

      it('keeps another node off its name, and says who has it and for how long', async () => {
        await coordinator.holdSession(session('1'), TTL_MS);
        const claim = value(await coordinator.holdSession(session('2', { directoryId: 'directory-b' }), TTL_MS));
        if (claim.type !== 'taken') throw new Error('two nodes of one name');
        expect(claim.by).toEqual(session('1'));
        expect(claim.freeInMs).toBeGreaterThan(0);
        expect(claim.freeInMs).toBeLessThanOrEqual(TTL_MS);
      });

      it('keeps a copy of its directory off, whatever that calls itself', async () => {
        await coordinator.holdSession(session('1'), TTL_MS);
        const claim = value(await coordinator.holdSession(session('2', { node: 'b' }), TTL_MS));
        expect(claim).toMatchObject({ type: 'taken', by: session('1') });
        // The refused claim has taken nothing.
        const b = session('3', { node: 'b', directoryId: 'directory-b' });
        expect(value(await coordinator.holdSession(b, TTL_MS))).toMatchObject({ type: 'held' });
      });

      it('is free at once when it is ended, by nobody but itself', async () => {
        await coordinator.holdSession(session('1'), TTL_MS);
        value(await coordinator.endSession(session('2')));
        expect(value(await coordinator.holdSession(session('2'), TTL_MS))).toMatchObject({ type: 'taken' });
        value(await coordinator.endSession(session('1')));
        expect(value(await coordinator.holdSession(session('2'), TTL_MS))).toMatchObject({ type: 'held' });
      });

      it('is claimed again after the coordinator forgot it', async () => {
        await coordinator.holdSession(session('1'), TTL_MS);
        await medium.wipe();
        await reached(coordinator);
        expect(value(await coordinator.holdSession(session('1'), TTL_MS))).toMatchObject({ type: 'held' });
      });
    });

    describe('the cluster record', () => {
      it('is created once', async () => {
        expect(value(await coordinator.readCluster())).toBeUndefined();
        expect(value(await coordinator.createCluster(record()))).toEqual(record());
        const later = record({ incarnation: 'second', shardCount: 16, createdAtMs: 1 });
        expect(value(await coordinator.createCluster(later))).toEqual(record());
        expect(value(await (await reached()).readCluster())).toEqual(record());
      });

      it('is created by one of those that try at once', async () => {
        const nodes = await Promise.all([1, 2, 3, 4].map(() => reached()));
        const stands = await Promise.all(
          nodes.map(async (node, n) => value(await node.createCluster(record({ incarnation: `by ${n}` })))),
        );
        expect(new Set(stands.map(({ incarnation }) => incarnation)).size).toBe(1);
      });

      it('is brought back by a node that knows it', async () => {
        await coordinator.createCluster(record());
        await medium.wipe();
        await reached(coordinator);
        expect(value(await coordinator.readCluster())).toBeUndefined();
        expect(value(await coordinator.restoreCluster(record()))).toEqual(record());
        expect(value(await coordinator.readCluster())).toEqual(record());
      });

      it('that was created by mistake in between gives way to the older one, and only to that', async () => {
        await coordinator.createCluster(record({ incarnation: 'by mistake', createdAtMs: 2_000 }));
        expect(value(await coordinator.restoreCluster(record()))).toEqual(record());
        const younger = record({ incarnation: 'by mistake', createdAtMs: 2_000 });
        expect(value(await coordinator.restoreCluster(younger))).toEqual(record());
      });
    });

    describe('leader hints', () => {
      const hint = (shard: number, inTerm: number, who: string) => ({
        shard: shardId(shard),
        term: term(inTerm),
        directoryId: `directory ${who}`,
      });
      const known = async () => [...value(await coordinator.readLeaders())].sort((a, b) => a.shard - b.shard);

      it('are those of the highest term, whenever they arrive', async () => {
        expect(await known()).toEqual([]);
        value(await coordinator.publishLeaders([hint(1, 3, 'a'), hint(2, 1, 'b')]));
        value(await coordinator.publishLeaders([hint(1, 2, 'late'), hint(2, 2, 'c')]));
        value(await coordinator.publishLeaders([]));
        expect(await known()).toEqual([hint(1, 3, 'a'), hint(2, 2, 'c')]);
      });

      it('come many at once', async () => {
        const many = Array.from({ length: MAX_HINTS }, (_, shard) => hint(shard, 1, 'a'));
        value(await coordinator.publishLeaders(many));
        expect(await known()).toEqual(many);
        await expect(coordinator.publishLeaders([...many, hint(0, 1, 'a')])).rejects.toThrow(RangeError);
      });
    });

    describe('peers', () => {
      const names = async () =>
        value(await coordinator.peers())
          .map((one) => one.name)
          .sort();

      it('are listed until they withdraw', async () => {
        value(await coordinator.announce(peer('a')));
        value(await coordinator.announce(peer('b')));
        expect(value(await coordinator.peers())).toContainEqual(peer('a'));
        value(await coordinator.announce({ ...peer('a'), link: '127.0.0.1:9' }));
        expect(value(await coordinator.peers())).toContainEqual({ ...peer('a'), link: '127.0.0.1:9' });
        value(await coordinator.withdraw('a'));
        value(await coordinator.withdraw('nobody'));
        expect(await names()).toEqual(['b']);
      });
    });

    describe('the ring plan', () => {
      it('is the newest that was published', async () => {
        expect(value(await coordinator.readPlan())).toBeUndefined();
        expect(value(await coordinator.publishPlan({ version: 1, body: 'one two' }))).toEqual({
          version: 1,
          body: 'one two',
        });
        const other = await reached();
        expect(value(await other.publishPlan({ version: 1, body: 'mine' }))).toEqual({ version: 1, body: 'one two' });
        expect(value(await other.publishPlan({ version: 3, body: '' }))).toEqual({ version: 3, body: '' });
        expect(value(await coordinator.publishPlan({ version: 2, body: 'late' }))).toEqual({ version: 3, body: '' });
        expect(value(await coordinator.readPlan())).toEqual({ version: 3, body: '' });
      });

      it('may be large', async () => {
        const body = 'ä'.repeat(300_000);
        expect(value(await coordinator.publishPlan({ version: 1, body })).body).toBe(body);
        expect(value(await coordinator.readPlan())?.body).toBe(body);
      });
    });

    it('arguments outside their bounds are a caller’s mistake', async () => {
      const c = coordinator;
      await expect(c.holdSession(session('1'), 99)).rejects.toThrow(
        'session ttl 99 is not an integer from 100 to 3600000',
      );
      await expect(c.nextTerm(shardId(-1), 0)).rejects.toThrow('shard -1 is not an integer from 0 to 65535');
      await expect(c.nextTerm(SHARD, term(1.5))).rejects.toThrow('shard 7: term 1.5 is not an integer');
      await expect(c.nextTerm(SHARD, term(Number.MAX_SAFE_INTEGER))).rejects.toThrow(RangeError);
      await expect(c.publishPlan({ version: 0, body: '' })).rejects.toThrow('plan version 0');
      await expect(c.publishPlan({ version: 1, body: 'x'.repeat(MAX_PLAN_CHARS + 1) })).rejects.toThrow(RangeError);
    });

    const calls: readonly [string, (one: Coordinator) => Promise<Outcome<unknown>>][] = [
      ['createCluster', (one) => one.createCluster(record())],
      ['restoreCluster', (one) => one.restoreCluster(record())],
      ['readCluster', (one) => one.readCluster()],
      ['holdSession', (one) => one.holdSession(session('1'), TTL_MS)],
      ['endSession', (one) => one.endSession(session('1'))],
      ['nextTerm', (one) => one.nextTerm(SHARD, 0)],
      ['publishLeaders', (one) => one.publishLeaders([{ shard: SHARD, term: term(1), directoryId: 'a' }])],
      ['readLeaders', (one) => one.readLeaders()],
      ['announce', (one) => one.announce(peer('a'))],
      ['withdraw', (one) => one.withdraw('a')],
      ['peers', (one) => one.peers()],
      ['publishPlan', (one) => one.publishPlan({ version: 1, body: '' })],
      ['readPlan', (one) => one.readPlan()],
    ];

    describe('away', () => {
      it('every call says that it was not applied, and works again when the coordinator is back', async () => {
        expect(coordinator.state).toBe('ready');
        await medium.cutOff();
        for (const [, call] of calls)
          expect(await call(coordinator)).toMatchObject({ type: 'unavailable', applied: 'no' });
        expect(coordinator.state).toBe('away');
        await medium.heal();
        await reached(coordinator);
        expect(coordinator.state).toBe('ready');
        for (const [, call] of calls) expect(await call(coordinator)).toMatchObject({ type: 'ok' });
      });

      it('at the start, the node starts all the same and reaches it later', async () => {
        await medium.cutOff();
        const early = connect();
        expect(early.state).toBe('connecting');
        expect(await early.nextTerm(SHARD, 0)).toMatchObject({ type: 'unavailable', applied: 'no' });
        expect(early.state).toBe('connecting');
        await medium.heal();
        await reached(early);
        expect(early.state).toBe('ready');
      });
    });

    describe('silent', () => {
      it('every call ends at its deadline, saying that it may have been applied', async () => {
        await medium.hang();
        const outcomes = calls.map(([, call]) => call(coordinator));
        await medium.pass(medium.pastDeadlineMs);
        for (const outcome of await Promise.all(outcomes)) {
          expect(outcome).toMatchObject({ type: 'unavailable', applied: 'maybe' });
        }
        expect(coordinator.state).toBe('away');
        await medium.heal();
        await reached(coordinator);
        expect(value(await coordinator.nextTerm(SHARD, 0))).toBeGreaterThan(0);
        expect(coordinator.state).toBe('ready');
      });
    });

    describe('closed', () => {
      it('every call says so, also one under way, and closing again is nothing', async () => {
        await medium.hang();
        const underWay = coordinator.nextTerm(SHARD, 0);
        await coordinator.close();
        await coordinator.close();
        expect(await underWay).toMatchObject({ type: 'unavailable', applied: 'maybe' });
        for (const [, call] of calls)
          expect(await call(coordinator)).toMatchObject({ type: 'unavailable', applied: 'no' });
        expect(coordinator.state).toBe('closed');
        await medium.heal();
      });
    });
  });
}
