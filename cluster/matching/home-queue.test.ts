// A queue's home: it sends credit to where tasks wait, best first, never more than there is of either, and nothing is forgotten.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Assignment, HomeQueue } from './home-queue.ts';

const waiting = (count: number, oldest = 0, priority = 3): { count: number; oldest: number; priority: number } => ({
  count,
  oldest,
  priority,
});
const brief = (made: readonly Assignment[]): string[] => made.map(({ to, from, count }) => `${to}<${from} ${count}`);

describe('a home', () => {
  it('lets a node with credit fetch from a node with tasks', () => {
    const home = new HomeQueue();
    home.announce('a', waiting(5), 0);
    home.credit('b', 3, 0, 0);
    expect(home.assign(0)).toEqual([{ to: 'b', from: 'a', count: 3, number: 1 }]);
    expect(home.assign(0)).toEqual([]);
    expect(home.waiting).toBe(5);
  });

  it("leaves a node's own tasks to its own credit", () => {
    const home = new HomeQueue();
    home.announce('a', waiting(5), 0);
    home.credit('a', 10, 0, 0);
    expect(home.assign(0)).toEqual([]);
  });

  it('takes priority before age, and age before everything else', () => {
    const home = new HomeQueue();
    home.announce('young', waiting(2, 30), 0);
    home.announce('old', waiting(2, 10), 0);
    home.announce('urgent', waiting(2, 50, 1), 0);
    home.credit('b', 5, 0, 0);
    expect(brief(home.assign(0))).toEqual(['b<urgent 2', 'b<old 2', 'b<young 1']);
  });

  it('goes round those who have credit', () => {
    const home = new HomeQueue();
    for (const name of ['b', 'c', 'd']) home.credit(name, 100, 0, 0);
    const served: string[] = [];
    for (let i = 0; i < 6; i += 1) {
      home.announce('a', waiting(i + 1), 0);
      served.push(...home.assign(0).map(({ to }) => to));
    }
    expect(served).toEqual(['b', 'c', 'd', 'b', 'c', 'd']);
  });

  it('counts an assignment against credit until its node has seen it, and no longer than a moment', () => {
    const home = new HomeQueue({ assignmentMs: 1_000 });
    home.announce('a', waiting(100), 0);
    home.credit('b', 3, 0, 0);
    expect(brief(home.assign(0))).toEqual(['b<a 3']);
    // Said before the assignment arrived.
    home.credit('b', 3, 0, 10);
    expect(home.assign(10)).toEqual([]);
    // It fetched, gave its workers what it got, and has credit again.
    home.credit('b', 2, 1, 20);
    expect(home.assign(20)).toEqual([{ to: 'b', from: 'a', count: 2, number: 2 }]);
    // Lost on its way: forgotten, and made again.
    expect(home.assign(1_019)).toEqual([]);
    expect(home.assign(1_020)).toEqual([{ to: 'b', from: 'a', count: 2, number: 3 }]);
  });

  it('forgets a node that is gone, and one that has fallen silent', () => {
    const home = new HomeQueue({ silentMs: 15_000 });
    home.announce('a', waiting(5), 0);
    home.credit('b', 5, 0, 0);
    home.gone('a');
    expect(home.assign(0)).toEqual([]);
    home.announce('a', waiting(5), 10_000);
    expect(brief(home.assign(14_999))).toEqual(['b<a 5']);
    home.announce('c', waiting(1), 14_999);
    expect(home.assign(15_000)).toEqual([]);
    expect(home.waiting).toBe(6);
    home.gone('a');
    home.gone('c');
    expect(home.isEmpty).toBe(true);
  });

  it('hears of no more nodes than it may', () => {
    const home = new HomeQueue({ nodes: 2 });
    expect([home.announce('a', waiting(1), 0), home.credit('b', 1, 0, 0), home.credit('c', 1, 0, 0)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('never gives away more than there is, and leaves no credit idle while tasks wait elsewhere', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(
      fc.record({ type: fc.constant('announce' as const), name, count: fc.nat(20), oldest: fc.nat(100) }),
      fc.record({ type: fc.constant('credit' as const), name, available: fc.nat(20), sees: fc.boolean() }),
      fc.record({ type: fc.constant('gone' as const), name }),
      fc.record({ type: fc.constant('time' as const), ms: fc.nat(700) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const home = new HomeQueue();
        const tasks = new Map<string, number>();
        const credit = new Map<string, number>();
        const last = new Map<string, number>();
        let open: (Assignment & { at: number })[] = [];
        let now = 0;
        for (const s of steps) {
          switch (s.type) {
            case 'announce':
              home.announce(s.name, waiting(s.count, s.oldest), now);
              tasks.set(s.name, s.count);
              break;
            case 'credit': {
              const seen = s.sees ? (last.get(s.name) ?? 0) : 0;
              home.credit(s.name, s.available, seen, now);
              credit.set(s.name, s.available);
              open = open.filter(({ to, number }) => to !== s.name || number > seen);
              break;
            }
            case 'gone':
              home.gone(s.name);
              for (const known of [tasks, credit, last]) known.delete(s.name);
              open = open.filter(({ to, from }) => to !== s.name && from !== s.name);
              break;
            case 'time':
              now += s.ms;
          }
          const made = home.assign(now);
          open = open.filter(({ at }) => now - at < 1_000);
          open.push(...made.map((assignment) => ({ ...assignment, at: now })));
          for (const { to, from, number } of made) {
            expect(to).not.toBe(from);
            last.set(to, number);
          }
          const sum = (key: 'to' | 'from', of: string): number =>
            open.filter((one) => one[key] === of).reduce((n, { count }) => n + count, 0);
          const idle = [...credit].filter(([of, n]) => n > sum('to', of));
          const untouched = [...tasks].filter(([of, n]) => n > sum('from', of));
          // What is new is within what there is; what was assigned before may exceed a number that has shrunk since.
          for (const { to, from } of made) {
            expect(sum('to', to)).toBeLessThanOrEqual(credit.get(to) ?? 0);
            expect(sum('from', from)).toBeLessThanOrEqual(tasks.get(from) ?? 0);
          }
          // Nodes that nothing was heard of for long count no more: within these steps only after 15 s.
          if (now < 15_000) {
            const stuck = idle.some(([of]) => untouched.some(([from]) => from !== of));
            expect(stuck).toBe(false);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
