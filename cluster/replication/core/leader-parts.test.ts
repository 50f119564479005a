// Reads, the lease, durability and the two ends of a snapshot, each by itself.

import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { lsn, term } from '../../../src/ports/ids.ts';
import { NO_CONFIGURATION } from './configuration.ts';
import { Durability } from './durability.ts';
import { directoryId } from './ids.ts';
import { Lease } from './lease.ts';
import { DEFAULT_TIMES } from './options.ts';
import { Reads } from './reads.ts';
import { SnapshotReceive, SnapshotSend } from './snapshot-transfer.ts';

const [a, b, c] = ['a', 'b', 'c'].map(directoryId) as [
  ReturnType<typeof directoryId>,
  ReturnType<typeof directoryId>,
  ReturnType<typeof directoryId>,
];
const voters = [a, b, c];

describe('a read', () => {
  it('is confirmed by answers to a round that began after it came, not by older ones', () => {
    const reads = new Reads(1_500);
    reads.began(5, 0);
    reads.add(1, lsn(7));
    reads.answered(b, 5);
    expect([reads.wantsRound, reads.confirmed(voters, a)]).toEqual([true, []]);
    reads.began(9, 1);
    reads.answered(c, 9);
    expect(reads.confirmed(voters, a)).toEqual([{ read: 1, lsn: 7, round: 6 }]);
    expect(reads.size).toBe(0);
  });

  it('shares its round with all that came before it', () => {
    const reads = new Reads(1_500);
    for (const read of [1, 2, 3]) reads.add(read, lsn(read));
    reads.began(1, 0);
    reads.add(4, lsn(4));
    reads.answered(b, 1);
    expect(reads.confirmed(voters, a).map(({ read }) => read)).toEqual([1, 2, 3]);
  });

  it('is not confirmed by a round that never went out', () => {
    const reads = new Reads(1_500);
    reads.add(1, lsn(1));
    expect(reads.answered(b, 1_000)).toBeUndefined();
    reads.answered(c, 1_000);
    expect(reads.confirmed(voters, a)).toEqual([]);
  });
});

describe('the beginning of a round', () => {
  it('is known for as long as an answer to it promises anything, however many rounds there are', () => {
    const reads = new Reads(1_500);
    for (let round = 1; round <= 500; round += 1) reads.began(round, round * 3);
    expect([reads.answered(b, 1), reads.answered(b, 500)]).toEqual([3, 1_500]);
    reads.began(501, 1_503);
    expect([reads.answered(b, 1), reads.answered(b, 2)]).toEqual([undefined, 6]);
  });

  it('is forgotten when too many came after it', () => {
    const reads = new Reads(1_500);
    for (let round = 1; round <= 1_025; round += 1) reads.began(round, 0);
    expect([reads.answered(b, 1), reads.answered(b, 2)]).toEqual([undefined, 0]);
  });
});

describe('a lease', () => {
  it('lasts from the beginning of the round a majority answered, less the drift of two clocks', () => {
    const lease = new Lease({ ...DEFAULT_TIMES, electionMs: 1_000, clockDrift: 0.1 });
    lease.promised(b, 100);
    expect(lease.holds(899, voters, a)).toBe(true);
    expect(lease.holds(900, voters, a)).toBe(false);
    expect(lease.holds(101, [a, b, c, directoryId('d')], a)).toBe(false);
    lease.promised(c, 50);
    expect(lease.holds(849, [a, b, c, directoryId('d')], a)).toBe(true);
  });

  it('is gone for the rest of the term once another was told to take over', () => {
    const lease = new Lease(DEFAULT_TIMES);
    lease.promised(b, 100);
    lease.revoke();
    lease.promised(b, 200);
    expect(lease.holds(201, voters, a)).toBe(false);
  });
});

describe('what is durable', () => {
  const entry = (at: number) => ({ lsn: lsn(at), term: term(1), chain: 0, entry: new Uint8Array() });
  it('is what the steps reported so far hold', () => {
    const durability = new Durability(lsn(2));
    durability.append(entry(3));
    durability.take();
    durability.append(entry(4));
    durability.take();
    durability.persisted(1);
    expect([durability.durable, durability.after(lsn(3)), durability.after(lsn(4))]).toEqual([3, 0, 2]);
    durability.persisted(2);
    expect(durability.durable).toBe(4);
  });

  it('never counts an entry that was truncated while it was on its way', () => {
    const durability = new Durability(lsn(2));
    durability.append(entry(3));
    durability.append(entry(4));
    durability.take();
    durability.truncateAfter(lsn(3));
    durability.append(entry(4));
    const step = durability.take();
    expect(step).toMatchObject({ truncateAfter: 3, entries: [{ lsn: 4 }] });
    durability.persisted(1);
    expect(durability.durable).toBe(3);
    durability.persisted(2);
    expect(durability.durable).toBe(4);
  });

  it('begins anew with a snapshot', () => {
    const meta = { lsn: lsn(9), term: term(1), chain: 5, id: 's', configuration: NO_CONFIGURATION };
    const durability = new Durability(lsn(2));
    durability.append(entry(3));
    durability.take();
    durability.append(entry(4));
    durability.install(meta);
    expect(durability.take()).toMatchObject({ install: { lsn: 9 }, entries: [], truncateAfter: undefined });
    durability.persisted(1);
    expect(durability.durable).toBe(0);
    durability.persisted(2);
    expect(durability.durable).toBe(9);
  });
});

describe('a snapshot on its way', () => {
  const meta = { lsn: lsn(9), term: term(1), chain: 5, id: 's', configuration: NO_CONFIGURATION };
  const parts = ['one', 'two', 'three'].map((text) => Buffer.from(text));
  const chunks = parts.map((bytes, index) => ({
    index,
    bytes,
    digest: crc32(Buffer.concat(parts.slice(0, index + 1))),
    place: index === 2 ? ('last' as const) : ('middle' as const),
  }));
  const [first, second, third] = chunks as [(typeof chunks)[0], (typeof chunks)[0], (typeof chunks)[0]];

  it('is taken in order, once, and whole', () => {
    const receive = new SnapshotReceive(meta);
    expect(receive.offer(second)).toBe('unwanted');
    expect(receive.offer(first)).toBe('taken');
    expect(receive.offer(first)).toBe('unwanted');
    expect(receive.offer({ ...second, bytes: Buffer.from('twO') })).toBe('unwanted');
    expect(receive.next).toBe(1);
    expect(receive.offer(second)).toBe('taken');
    expect(receive.offer(third)).toBe('complete');
  });

  it('goes on where the follower is, and again when nothing is heard', () => {
    const send = new SnapshotSend(meta);
    expect([send.wants(0), send.wants(2), send.next]).toEqual([false, true, 2]);
    expect([send.stalled(), send.stalled()]).toEqual([false, true]);
    send.reading = true;
    expect(send.stalled()).toBe(false);
  });
});
