import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lsn, type ShardId, shardId, term } from '../../../src/ports/ids.ts';
import { type Beat, BeatReceiver, BeatSender, type ShardBeat } from './beats.ts';

const beat = (shard: number, inTerm = 1, commit = 1): ShardBeat => ({
  shard: shardId(shard),
  term: term(inTerm),
  commit: lsn(commit),
});

describe('heartbeats between two nodes', () => {
  it('of a thousand idle shards are a few numbers, once the set is known', () => {
    const [sender, receiver] = [new BeatSender(), new BeatReceiver()];
    const sizes: number[] = [];
    for (let round = 1; round <= 3; round += 1) {
      for (let shard = 0; shard < 1_024; shard += 1) sender.collect(beat(shard), round);
      const sent = sender.take('all') as Beat;
      sizes.push(sent.changed.length);
      expect(receiver.received(sent)).toHaveLength(1_024);
      const confirmed = sender.answered({ round, version: sent.next, state: 'taken', silent: [shardId(7)] });
      expect(confirmed).toHaveLength(1_023);
    }
    expect(sizes).toEqual([1_024, 0, 0]);
  });

  it('say which shards moved, and which are led no more', () => {
    const [sender, receiver] = [new BeatSender(), new BeatReceiver()];
    for (const shard of [1, 2, 3]) sender.collect(beat(shard), 1);
    const first = sender.take('all') as Beat;
    receiver.received(first);
    sender.answered({ round: 1, version: first.next, state: 'taken', silent: [] });
    sender.collect(beat(1), 2);
    sender.collect(beat(2, 1, 9), 2);
    const second = sender.take('all') as Beat;
    expect(second).toMatchObject({ changed: [beat(2, 1, 9)], gone: [3] });
    expect(receiver.received(second)).toEqual([beat(1), beat(2, 1, 9)]);
  });

  it('for reads are of the shards that ask', () => {
    const [sender, receiver] = [new BeatSender(), new BeatReceiver()];
    for (const shard of [1, 2, 3]) sender.collect(beat(shard), 1);
    receiver.received(sender.take('all') as Beat);
    sender.answered({ round: 1, version: 1, state: 'taken', silent: [] });
    sender.collect(beat(2), 2);
    const asked = sender.take('listed') as Beat;
    expect(receiver.received(asked)).toEqual([beat(2)]);
    expect(sender.answered({ round: 2, version: asked.next, state: 'taken', silent: [] })).toEqual([beat(2)]);
    expect(sender.take('listed')).toBeUndefined();
  });

  it('are confirmed however many are on their way to a peer that is far away', () => {
    const [sender, receiver] = [new BeatSender(), new BeatReceiver()];
    const sent = Array.from({ length: 500 }, (_, i) => {
      sender.collect(beat(1 + (i % 3)), i + 1);
      return sender.take('listed') as Beat;
    });
    for (const [i, one] of sent.entries()) {
      expect(receiver.received(one)?.map(({ shard }) => shard)).toContain(1 + (i % 3));
      const answer = { round: one.round, version: one.next, state: 'taken', silent: [] } as const;
      expect(sender.answered(answer)).toEqual([beat(1 + (i % 3))]);
    }
  });

  it('begin with the whole set when either side has started anew', () => {
    const sender = new BeatSender();
    sender.collect(beat(1), 1);
    const first = sender.take('all') as Beat;
    sender.answered({ round: 1, version: first.next, state: 'taken', silent: [] });
    sender.collect(beat(1), 2);
    const receiver = new BeatReceiver();
    expect(receiver.received(sender.take('all') as Beat)).toBeUndefined();
    sender.answered({ round: 2, version: 0, state: 'unknown', silent: [] });
    sender.collect(beat(1), 3);
    expect(receiver.received(sender.take('all') as Beat)).toEqual([beat(1)]);
  });

  it('tell of a shard that is led no more, though another one has beaten twice', () => {
    const [sender, receiver] = [new BeatSender(), new BeatReceiver()];
    for (const shard of [1, 2]) sender.collect(beat(shard), 1);
    const first = sender.take('all') as Beat;
    receiver.received(first);
    sender.answered({ round: 1, version: first.next, state: 'taken', silent: [] });
    for (const commit of [5, 6]) sender.collect(beat(1, 1, commit), 2);
    expect(receiver.received(sender.take('all') as Beat)).toEqual([beat(1, 1, 6)]);
  });

  it('never tell a receiver of a shard, term or commit that was not so, whatever is lost, repeated or late', () => {
    const step = fc.record({
      leads: fc.uniqueArray(fc.nat(5), { maxLength: 6 }),
      commits: fc.array(fc.nat(2), { minLength: 6, maxLength: 6 }),
      arrives: fc.boolean(),
      again: fc.boolean(),
      answer: fc.boolean(),
      scope: fc.constantFrom('all' as const, 'listed' as const),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const [sender, receiver] = [new BeatSender(), new BeatReceiver()];
        let late: Beat | undefined;
        let round = 0;
        for (const { leads, commits, arrives, again, answer, scope } of steps) {
          round += 1;
          const collected = leads.map((shard) => beat(shard, 1, commits[shard]));
          for (const one of collected) sender.collect(one, round);
          const sent = sender.take(scope);
          if (sent === undefined) continue;
          if (late !== undefined && again) receiver.received(late);
          if (!arrives) {
            late = sent;
            continue;
          }
          const heard = receiver.received(sent);
          if (heard === undefined) sender.answered({ round, version: 0, state: 'unknown', silent: [] });
          else {
            if (scope === 'all') {
              const byShard = (a: ShardBeat, b: ShardBeat) => a.shard - b.shard;
              expect([...heard].sort(byShard)).toEqual([...collected].sort(byShard));
            } else {
              const shards = new Set<ShardId>(heard.map(({ shard }) => shard));
              for (const one of collected) expect(shards).toContain(one.shard);
            }
            if (answer) sender.answered({ round, version: sent.next, state: 'taken', silent: [] });
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
