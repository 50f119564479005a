// A queue's home: it sends credit to where tasks wait, best first, never more than there is of either, and nothing is forgotten.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Assignment, HomeQueue, type Taking } from './home-queue.ts';

const waiting = (count: number, oldest = 0, priority = 3): { count: number; oldest: number; priority: number } => ({
  count,
  oldest,
  priority,
});
const credit = (available: number, seen = 0): Taking => ({ workers: 1, available, seen });
const brief = (made: readonly Assignment[]): string[] => made.map(({ to, from, count }) => `${to}<${from} ${count}`);

describe('a home', () => {
  it('lets a node with credit fetch from a node with tasks', () => {
    const home = new HomeQueue({ standing: 0 });
    home.announce('a', waiting(5), 0, 0);
    home.credit('b', credit(3), 0);
    expect(home.assign(0)).toEqual([{ to: 'b', from: 'a', count: 3, number: 1, priority: 3, oldest: 0 }]);
    expect(home.assign(0)).toEqual([]);
    expect(home.waiting).toBe(5);
  });

  it("leaves a node's own tasks to its own credit", () => {
    const home = new HomeQueue();
    home.announce('a', waiting(5), 0, 0);
    home.credit('a', credit(10), 0);
    expect(home.assign(0)).toEqual([]);
  });

  it("puts a node's own tasks before those elsewhere that are no better, and after those that are", () => {
    const home = new HomeQueue();
    home.announce('a', waiting(5, 10), 0, 0);
    home.announce('b', waiting(4, 20), 0, 0);
    home.announce('c', waiting(4, 5), 0, 0);
    home.credit('a', credit(10), 0);
    expect(brief(home.assign(0))).toEqual(['a<c 4', 'a<b 1']);
  });

  it('takes priority before age, and age before everything else', () => {
    const home = new HomeQueue({ standing: 0 });
    home.announce('young', waiting(2, 30), 0, 0);
    home.announce('old', waiting(2, 10), 0, 0);
    home.announce('urgent', waiting(2, 50, 1), 0, 0);
    home.credit('b', credit(5), 0);
    expect(brief(home.assign(0))).toEqual(['b<urgent 2', 'b<old 2', 'b<young 1']);
  });

  it('goes round those who have credit', () => {
    const home = new HomeQueue();
    for (const name of ['b', 'c', 'd']) home.credit(name, credit(100), 0);
    const served: string[] = [];
    for (let i = 0; i < 6; i += 1) {
      home.announce('a', waiting(i + 1), 0, 0);
      served.push(...home.assign(0).map(({ to }) => to));
    }
    expect(served).toEqual(['b', 'c', 'd', 'b', 'c', 'd']);
  });

  it('counts an assignment against credit until its node has seen it, and no longer than a moment', () => {
    const home = new HomeQueue({ standing: 0, assignmentMs: 1_000 });
    home.announce('a', waiting(100), 0, 0);
    home.credit('b', credit(3), 0);
    expect(brief(home.assign(0))).toEqual(['b<a 3']);
    // Said before the assignment arrived.
    home.credit('b', credit(3), 10);
    expect(home.assign(10)).toEqual([]);
    // It fetched, gave its workers what it got, and has credit again.
    home.credit('b', credit(2, 1), 20);
    expect(brief(home.assign(20))).toEqual(['b<a 2']);
    // Lost on its way: forgotten, and made again.
    expect(home.assign(1_019)).toEqual([]);
    expect(home.assign(1_020)).toMatchObject([{ to: 'b', from: 'a', count: 2, number: 3 }]);
  });

  it('counts tasks as spoken for until they were fetched, and no longer than a moment', () => {
    const home = new HomeQueue({ standing: 0, assignmentMs: 1_000 });
    home.announce('a', waiting(5), 7, 0);
    home.credit('b', credit(100), 0);
    expect(brief(home.assign(0))).toEqual(['b<a 5']);
    home.credit('b', credit(95, 1), 10);
    expect(home.assign(10)).toEqual([]);
    // Two came meanwhile, none was fetched; then three were.
    home.announce('a', waiting(7), 7, 20);
    expect(brief(home.assign(20))).toEqual(['b<a 2']);
    home.credit('b', credit(93, 2), 25);
    home.announce('a', waiting(4), 10, 30);
    expect(home.assign(30)).toEqual([]);
    home.announce('a', waiting(5), 10, 40);
    expect(brief(home.assign(40))).toEqual(['b<a 1']);
    // Its node fell silent before it had fetched the others.
    expect(brief(home.assign(1_045))).toEqual(['b<a 5']);
  });

  it('lets a few wait at a node whose workers are busy, so that their next credit goes to the best task', () => {
    const home = new HomeQueue({ standing: 6, standingOfOne: 4, assignmentMs: 1_000 });
    home.announce('a', waiting(100, 10), 0, 0);
    home.announce('b', waiting(100, 20), 0, 0);
    home.announce('c', waiting(100, 15), 0, 0);
    home.credit('b', credit(0), 0);
    expect(brief(home.assign(0))).toEqual(['b<a 4', 'b<c 2']);
    home.credit('b', credit(-6, 2), 10);
    expect(home.assign(10)).toEqual([]);
    // They are not kept from a node that has credit now.
    home.credit('d', credit(300), 20);
    expect(brief(home.assign(20))).toEqual(['d<a 100', 'd<c 100', 'd<b 100']);
    // One without workers keeps none.
    home.credit('b', { workers: 0, available: 0, seen: 2 }, 1_030);
    expect(brief(home.assign(1_030)).filter((text) => text.startsWith('b'))).toEqual([]);
  });

  it('forgets a node that is gone, and one that has fallen silent', () => {
    const home = new HomeQueue({ silentMs: 15_000 });
    home.announce('a', waiting(5), 0, 0);
    home.credit('b', credit(5), 0);
    home.gone('a');
    expect(home.assign(0)).toEqual([]);
    home.announce('a', waiting(5), 0, 10_000);
    expect(brief(home.assign(14_999))).toEqual(['b<a 5']);
    home.announce('c', waiting(1), 0, 14_999);
    expect(home.assign(15_000)).toEqual([]);
    expect(home.waiting).toBe(6);
    home.gone('a');
    home.gone('c');
    expect(home.isEmpty).toBe(true);
  });

  it('goes on numbering for a node that comes back, which would take what is numbered lower for old', () => {
    const numbers = { last: 0 };
    const home = new HomeQueue({ standing: 0 }, numbers);
    home.announce('a', waiting(5), 0, 0);
    home.credit('b', credit(2), 0);
    expect(home.assign(0)).toMatchObject([{ number: 1 }]);
    home.gone('b');
    home.credit('b', credit(2, 1), 10);
    expect(home.assign(10)).toMatchObject([{ number: 2 }]);
    const again = new HomeQueue({ standing: 0 }, numbers);
    again.announce('a', waiting(5), 0, 20);
    again.credit('b', credit(2, 2), 20);
    expect(again.assign(20)).toMatchObject([{ number: 3 }]);
  });

  it('hears of no more nodes than it may', () => {
    const home = new HomeQueue({ nodes: 2 });
    expect([
      home.announce('a', waiting(1), 0, 0),
      home.credit('b', credit(1), 0),
      home.credit('c', credit(1), 0),
    ]).toEqual([true, true, false]);
  });

  it('never gives away more than there is, and leaves no credit idle while better tasks wait elsewhere', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(
      fc.record({ type: fc.constant('announce' as const), name, count: fc.nat(20), oldest: fc.nat(100) }),
      fc.record({ type: fc.constant('credit' as const), name, available: fc.nat(20), sees: fc.boolean() }),
      fc.record({ type: fc.constant('gone' as const), name }),
      fc.record({ type: fc.constant('time' as const), ms: fc.nat(700) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        // Without standing assignments, which are on top of both.
        const home = new HomeQueue({ standing: 0 });
        const tasks = new Map<string, { count: number; oldest: number }>();
        const credits = new Map<string, number>();
        const last = new Map<string, number>();
        let unseen: (Assignment & { at: number })[] = [];
        let given: (Assignment & { at: number })[] = [];
        let now = 0;
        for (const s of steps) {
          switch (s.type) {
            case 'announce':
              home.announce(s.name, waiting(s.count, s.oldest), 0, now);
              tasks.set(s.name, s);
              break;
            case 'credit': {
              const seen = s.sees ? (last.get(s.name) ?? 0) : 0;
              home.credit(s.name, credit(s.available, seen), now);
              credits.set(s.name, s.available);
              unseen = unseen.filter(({ to, number }) => to !== s.name || number > seen);
              break;
            }
            case 'gone':
              home.gone(s.name);
              tasks.delete(s.name);
              credits.delete(s.name);
              last.delete(s.name);
              unseen = unseen.filter(({ to }) => to !== s.name);
              given = given.filter(({ from }) => from !== s.name);
              break;
            case 'time':
              now += s.ms;
          }
          const made = home.assign(now);
          const fresh = ({ at }: { at: number }): boolean => now - at < 1_000;
          const dated = made.map((assignment) => ({ ...assignment, at: now }));
          unseen = [...unseen.filter(fresh), ...dated];
          given = [...given.filter(fresh), ...dated];
          for (const { to, from, number } of made) {
            expect(to).not.toBe(from);
            last.set(to, number);
          }
          const assigned = (to: string): number =>
            unseen.filter((one) => one.to === to).reduce((n, { count }) => n + count, 0);
          const spokenFor = (from: string): number =>
            given.filter((one) => one.from === from).reduce((n, { count }) => n + count, 0);
          // What is new is within what there is; what was assigned before may exceed a number that has shrunk since.
          for (const { to, from } of made) {
            expect(assigned(to)).toBeLessThanOrEqual(credits.get(to) ?? 0);
            expect(spokenFor(from)).toBeLessThanOrEqual(tasks.get(from)?.count ?? 0);
          }
          // Nodes that nothing was heard of for long count no more: within these steps only after 15 s.
          if (now >= 15_000) continue;
          for (const [to, n] of credits) {
            for (const [from, { count, oldest }] of tasks) {
              if (to === from || count <= spokenFor(from)) continue;
              const own = tasks.get(to);
              const before = own === undefined || oldest < own.oldest ? 0 : own.count;
              expect(n - assigned(to) - before).toBeLessThanOrEqual(0);
            }
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
