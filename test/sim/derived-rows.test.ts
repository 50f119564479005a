// What the watch over derived rows says of those that are wrong.
import { expect, it } from 'vitest';
import { key, lsn, shardId } from '../../src/ports/ids.ts';
import type { Entry } from '../../src/shard/entry.ts';
import { backlogCountKey, backlogKey, base, outboxKey, shardMetaKey } from '../../src/shard/keys.ts';
import { Shard } from '../../src/shard/shard.ts';
import { encode } from '../../src/wire/codec.ts';
import { DerivedRows } from './derived-rows.ts';

const S = 3;
const queue = { namespace: 'sim', name: 'work', kind: 'workflow' } as const;
const task = { priority: 3, scheduledTime: 1_000, actorBase: base(S, 'sim', 'w'), runId: 'run', scheduledEventId: 2 };
const waits = backlogKey(queue, task);
const status = key('vssim\x00\x01\x01rest');
const entry: Entry = {
  time: 1_000,
  rows: new Map([waits, status, outboxKey(S, 5, 1)].map((k) => [k, new Uint8Array()])),
  receipts: [{ source: 7, seq: 1 }],
  counts: [{ queue, delta: 1 }],
  rewritten: [],
};

/** As a flush of this entry writes it, but for what a case changes. */
function metaBut(change: (shard: Shard) => void): Uint8Array {
  const shard = new Shard(shardId(S), { lastLsn: lsn(0), appliedLsn: lsn(0) });
  shard.commit(entry.time);
  shard.sentTo(5, 1);
  shard.receipt(7, 1);
  shard.indexed(status, new Uint8Array(), undefined);
  change(shard);
  return shard.encodeMeta();
}

function checked(meta: Uint8Array, count: number | undefined): void {
  const derived = new DerivedRows();
  derived.apply(entry);
  const counter = count === undefined ? undefined : encode([queue.namespace, queue.name, queue.kind, count]);
  derived.check(
    S,
    1,
    entry.rows,
    new Map([[shardMetaKey(S), meta] as const, [backlogCountKey(S, queue), counter] as const]),
  );
}

it('finds nothing where all is as it must be', () => {
  expect(() =>
    checked(
      metaBut(() => undefined),
      1,
    ),
  ).not.toThrow();
});

it.each<[string, (shard: Shard) => void, RegExp]>([
  ['a time', (shard) => shard.commit(2_000), /says it is 2000, not 1000/],
  ['what was sent', (shard) => shard.sentTo(5, 2), /says that 2 was sent last to shard 5, not 1/],
  ['what was received', (shard) => shard.receipt(7, 3), /was received of shard 7, and not 1/],
  ['executions by status', (shard) => shard.indexed(status, undefined, undefined), /counts -1 executions/],
])('finds %s that is wrong', (_, change, says) => {
  expect(() => checked(metaBut(change), 1)).toThrow(says);
});

it.each([0, 2, undefined])('finds a counter of one waiting task that says %s', (count) => {
  expect(() =>
    checked(
      metaBut(() => undefined),
      count,
    ),
  ).toThrow(/counts \d, 1 wait at lsn 1/);
});
