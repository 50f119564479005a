import { describe, expect, it } from 'vitest';
import { type CallResult, Joiner } from './join.ts';
import type { JoinOutcome } from './outputs.ts';
import { addressOf, TestNode } from './parts.test-support.ts';

const SEEDS = ['10.0.0.1:1', '10.0.0.2:1', '10.0.0.3:1', '10.0.0.4:1', '10.0.0.5:1'];
const silent: CallResult = { type: 'silent' };
const refused = (reason: 'duplicateName' | 'nameReserved' | 'yourself'): CallResult => ({
  type: 'refused',
  reason,
  by: 'x',
});

function joining(seeds: readonly string[]) {
  const node = new TestNode({ joinRetryMinMs: 500, joinRetryMaxMs: 10_000, reconnectIntervalMs: 30_000 });
  const calls: string[] = [];
  const joiner = new Joiner(node.parts, seeds, 0, (_, to) => calls.push(to));
  const outcomes = (): JoinOutcome[] =>
    node.others().flatMap((output) => (output.type === 'joinRound' ? [output.outcome] : []));
  return { node, joiner, calls, outcomes };
}

describe('joining', () => {
  it('calls all seeds, three at once, until one answers', () => {
    const { joiner, calls, outcomes } = joining(SEEDS);
    joiner.run(0);
    expect(calls.length).toBe(3);
    for (let i = 0; i < 4; i += 1) joiner.called(1, calls[i] ?? '', silent);
    expect(calls.toSorted()).toEqual(SEEDS);
    joiner.called(1, calls[4] ?? '', { type: 'answered', by: 'a' });
    expect(outcomes()).toEqual([{ type: 'joined' }]);
  });

  it('is over when another has called before the first round began', () => {
    const { node, joiner, calls, outcomes } = joining(SEEDS);
    node.knows('a');
    joiner.run(0);
    joiner.run(joiner.dueAtMs);
    expect(outcomes()).toEqual([{ type: 'joined' }]);
    expect(calls.length).toBeLessThanOrEqual(2);
  });

  it('of a node without seeds is over at once: it is the first', () => {
    const { joiner, outcomes } = joining([]);
    joiner.run(0);
    expect(outcomes()).toEqual([{ type: 'alone' }]);
  });

  it('that nobody answers is tried again, with pauses that grow to a bound', () => {
    const { joiner, calls, outcomes } = joining(['10.0.0.1:1']);
    const pauses: number[] = [];
    let now = 0;
    for (let round = 0; round < 12; round += 1) {
      joiner.run(now);
      joiner.called(now, calls.at(-1) ?? '', silent);
      pauses.push(joiner.dueAtMs - now);
      now = joiner.dueAtMs;
    }
    expect(outcomes().every(({ type }) => type === 'alone')).toBe(true);
    expect(pauses[0]).toBeGreaterThanOrEqual(375);
    expect(pauses[0]).toBeLessThanOrEqual(625);
    expect(pauses[3]).toBeGreaterThan(2_900);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(12_500);
  });

  it.each([
    [['duplicateName', 'silent'], { type: 'refused', reason: 'duplicateName', by: 'x' }],
    [['nameReserved', 'duplicateName'], { type: 'refused', reason: 'duplicateName', by: 'x' }],
    [['duplicateName', 'nameReserved'], { type: 'refused', reason: 'duplicateName', by: 'x' }],
    [['nameReserved', 'silent'], { type: 'refused', reason: 'nameReserved', by: 'x' }],
    [['yourself', 'silent'], { type: 'alone' }],
    [['duplicateName', 'answered'], { type: 'joined' }],
  ] as const)('answered with %j ends as %j', (answers, outcome) => {
    const { joiner, calls, outcomes } = joining(SEEDS.slice(0, 2));
    joiner.run(0);
    answers.forEach((answer, index) => {
      const result: CallResult =
        answer === 'silent' ? silent : answer === 'answered' ? { type: 'answered', by: 'a' } : refused(answer);
      joiner.called(0, calls[index] ?? '', result);
    });
    expect(outcomes()).toEqual([outcome]);
  });

  it('that was refused at first is over when the others call us before we call again', () => {
    const { node, joiner, calls, outcomes } = joining(SEEDS.slice(0, 1));
    joiner.run(0);
    joiner.called(0, calls[0] ?? '', refused('nameReserved'));
    expect(outcomes()).toMatchObject([{ type: 'refused' }]);
    node.knows('a');
    joiner.run(joiner.dueAtMs);
    expect(outcomes()).toEqual([{ type: 'joined' }]);
    joiner.run(joiner.dueAtMs);
    expect(outcomes()).toEqual([]);
  });

  it('is over when another calls us before we have called anybody', () => {
    const { node, joiner, calls, outcomes } = joining(SEEDS);
    node.knows('a');
    joiner.run(0);
    expect([calls.length <= 1, outcomes()]).toEqual([true, [{ type: 'joined' }]]);
  });

  it('calls a seed that turned up later without waiting', () => {
    const { joiner, calls } = joining([]);
    joiner.run(0);
    joiner.setSeeds(10, SEEDS.slice(0, 1));
    expect(joiner.dueAtMs).toBe(10);
    joiner.run(10);
    expect(calls).toEqual(SEEDS.slice(0, 1));
  });

  it('through a member that pings us, after a restart whose seeds are gone', () => {
    const { joiner, calls } = joining([]);
    joiner.run(0);
    joiner.pingedBy(10, '10.0.0.9:1');
    expect(joiner.dueAtMs).toBeLessThanOrEqual(510);
    joiner.run(joiner.dueAtMs);
    expect(calls).toEqual(['10.0.0.9:1']);
  });
});

describe('rejoining', () => {
  /** Calls in so many intervals. */
  function callsOf(
    seeds: readonly string[],
    members: readonly string[],
    dead: readonly string[],
    intervals = 200,
  ): string[] {
    const { node, joiner, calls } = joining(seeds);
    node.knows(...members);
    for (const name of dead) node.claims.dead(0, { type: 'dead', name, incarnation: 1, from: 'x' });
    for (let i = 0, now = 0; i < intervals; i += 1, now = joiner.dueAtMs) joiner.run(now);
    return calls;
  }

  it('calls the dead, each member only now and then: together about once per interval', () => {
    const calls = callsOf([], ['a', 'b', 'c', 'd'], ['d']);
    expect(new Set(calls)).toEqual(new Set([addressOf('d')]));
    // One dead, four up: a quarter of 200.
    expect(calls.length).toBeGreaterThan(25);
    expect(calls.length).toBeLessThan(80);
  });

  it('calls seeds that are no members', () => {
    expect(new Set(callsOf(['10.0.0.1:1'], ['a', 'b'], []))).toEqual(new Set(['10.0.0.1:1']));
  });

  it('calls nobody when all are here', () => {
    expect(callsOf([addressOf('a')], ['a', 'b'], [])).toEqual([]);
  });

  it('does not call a seed whose member is here under another address', () => {
    const { node, joiner, calls } = joining(['seed.internal:7946']);
    joiner.run(0);
    node.knows('a', 'b');
    joiner.called(0, 'seed.internal:7946', { type: 'answered', by: 'a' });
    calls.length = 0;
    for (let i = 0; i < 50; i += 1) joiner.run(joiner.dueAtMs);
    expect(calls).toEqual([]);
  });

  it('calls everybody when all others seem dead', () => {
    const { node, joiner, calls } = joining([]);
    node.knows('a', 'b');
    for (const name of ['a', 'b']) node.claims.dead(0, { type: 'dead', name, incarnation: 1, from: 'x' });
    joiner.run(0);
    expect(calls.toSorted()).toEqual([addressOf('a'), addressOf('b')].toSorted());
  });
});
