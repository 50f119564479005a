// What makes the shards of a backup one cut, and what becomes of messages under way when they are dealt out again.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../core/workflow/message.ts';
import { type Key, key, lsn, shardId } from '../ports/ids.ts';
import { decode, encode } from '../wire/codec.ts';
import { Cut } from './cut.ts';
import { outboxDestination, outboxKey, outboxSeq, outboxSource, shardMetaKey, shardOf } from './keys.ts';
import { Resharder } from './reshard.ts';
import { Shard } from './shard.ts';

interface Pair {
  sent: number;
  received: number[];
  waiting: number[];
}

/** Of shard 1 to shard 3. */
function rowsOf({ sent, received, waiting }: Pair, time = 1_000): [Key, Uint8Array][] {
  const source = new Shard(shardId(1), { lastLsn: lsn(0), appliedLsn: lsn(0) });
  if (sent > 0) source.sentTo(3, sent);
  const destination = new Shard(shardId(3), { lastLsn: lsn(0), appliedLsn: lsn(0) });
  destination.observe(time);
  for (const seq of received) destination.receipt(1, seq);
  return [
    ...waiting.map((seq): [Key, Uint8Array] => [outboxKey(1, 3, seq), signal(seq)]),
    [shardMetaKey(3), destination.encodeMeta()],
    [shardMetaKey(1), source.encodeMeta()],
  ];
}

const TARGET = 'target';

function signal(seq: number): Uint8Array {
  const origin = { namespace: 'default', workflowId: 'sender', runId: 'run', initiatedEventId: seq };
  const message: Message = { type: 'signalExternal', origin, childWorkflowOnly: false, signalName: `signal ${seq}` };
  return encode(['default', TARGET, message]);
}

function cutOf(rows: readonly [Key, Uint8Array][]): Cut {
  const cut = new Cut();
  for (const [k, value] of rows) cut.take(k, value);
  return cut;
}

describe('a cut', () => {
  it.each<[what: string, pair: Pair, problem: RegExp | undefined]>([
    ['nothing was ever sent', { sent: 0, received: [], waiting: [] }, undefined],
    ['all is received', { sent: 2, received: [1, 2], waiting: [] }, undefined],
    ['some wait', { sent: 4, received: [1, 3], waiting: [2, 4] }, undefined],
    ['a received one has not gone yet', { sent: 2, received: [1, 2], waiting: [2] }, undefined],
    [
      'one is received that was not sent',
      { sent: 1, received: [1, 2], waiting: [] },
      /shard 3 has received message 2 of shard 1/,
    ],
    ['one is nowhere', { sent: 3, received: [1], waiting: [3] }, /message 2 of shard 1 to shard 3 is neither received/],
    ['the last is nowhere', { sent: 3, received: [1], waiting: [2] }, /message 3 of shard 1 to shard 3 is neither/],
    ['a row is above what was sent', { sent: 1, received: [], waiting: [1, 2] }, /shard 1 holds message 2 to shard 3/],
  ])('where %s', (_, pair, problem) => {
    const found = cutOf(rowsOf(pair)).problem();
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(problem);
  });

  it('is found whole or broken whatever the numbers', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 12 }));
    fc.assert(
      fc.property(fc.nat(12), numbers, numbers, (sent, received, waiting) => {
        const all = new Set([...received, ...waiting]);
        const whole =
          [...all].every((seq) => seq <= sent) &&
          Array.from({ length: sent }, (_, i) => i + 1).every((n) => all.has(n));
        expect(cutOf(rowsOf({ sent, received, waiting })).problem() === undefined).toBe(whole);
      }),
    );
  });

  it('has the time of the shard that is furthest', () => {
    expect(cutOf(rowsOf({ sent: 0, received: [], waiting: [] }, 5_000)).time).toBe(5_000);
  });
});

describe('messages under way, dealt out again', () => {
  it('leave out what was received, and keep their order under new numbers', () => {
    const rows = rowsOf({ sent: 5, received: [1, 3], waiting: [2, 3, 4, 5] });
    const written = new Map<Key, Uint8Array>();
    const resharder = new Resharder(cutOf(rows), 7, (k, value) => written.set(k, value));
    for (const [k, value] of rows) resharder.row(k, value);
    resharder.finish();

    const [source, destination] = [shardOf('default', 'sender', 7), shardOf('default', TARGET, 7)];
    const outbox = [...written].filter(([k]) => k.startsWith('o')).sort(([a], [b]) => (a < b ? -1 : 1));
    expect(outbox.map(([k]) => [outboxSource(k), outboxDestination(k), outboxSeq(k)])).toEqual(
      [1, 2, 3].map((seq) => [source, destination, seq]),
    );
    const names = outbox.map(([, value]) => (decode(value) as [string, string, { signalName: string }])[2].signalName);
    expect(names).toEqual(['signal 2', 'signal 4', 'signal 5']);
    const again = cutOf([...written]);
    expect(again.problem()).toBeUndefined();
    expect(again.time).toBe(1_000);
  });

  it('are refused beside a row that nobody knows', () => {
    const resharder = new Resharder(new Cut(), 7, () => undefined);
    expect(() => resharder.row(key('z\x00\x01'), new Uint8Array(0))).toThrow(/row .* is of a kind/);
    expect(() => resharder.row(key('vz\x00\x01'), new Uint8Array(0))).toThrow(/is of a kind/);
  });
});
