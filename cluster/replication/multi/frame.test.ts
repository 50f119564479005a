import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lsn, shardId, term } from '../../../src/ports/ids.ts';
import { encode } from '../../../src/wire/codec.ts';
import { configurationOf } from '../core/configuration.ts';
import { directoryId } from '../core/ids.ts';
import type { Message } from '../core/message.ts';
import { decodeFrame, encodeFrame, type Frame, MAX_FRAME_BYTES } from './frame.ts';

const SHARDS = 256;
const MAX = 2 ** 48 - 1;
const number = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: MAX }));
const inTerm = number.map(term);
const at = number.map(lsn);
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const end = fc.record({ term: inTerm, lsn: at });
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const meta = fc.record({
  id: fc.string({ maxLength: 20 }),
  lsn: at,
  term: inTerm,
  chain: u32,
  configuration: fc
    .uniqueArray(fc.string({ minLength: 1, maxLength: 5 }), { maxLength: 5 })
    .map((ids) => configurationOf(ids.map(directoryId))),
});
const entries = fc.array(fc.record({ term: inTerm, chain: u32, entry: bytes }), { maxLength: 5 });
const type = <T extends string>(name: T) => fc.constant(name);
const answer = fc.constantFrom('granted' as const, 'refused' as const);

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ type: type('preVote'), term: inTerm, end }),
  fc.record({ type: type('preVoteReply'), term: inTerm, answer }),
  fc.record({
    type: type('vote'),
    term: inTerm,
    end,
    reason: fc.constantFrom('timeout' as const, 'transfer' as const),
  }),
  fc.record({ type: type('voteReply'), term: inTerm, answer }),
  fc
    .record({
      term: inTerm,
      previous: fc.record({ lsn: fc.nat(1_000).map(lsn), term: inTerm, chain: u32 }),
      commit: at,
      list: entries,
    })
    .map(({ list, ...rest }) => ({
      type: 'append' as const,
      ...rest,
      entries: list.map((entry, i) => ({ ...entry, lsn: lsn(rest.previous.lsn + 1 + i) })),
    })),
  fc.record({ type: type('appendReply'), term: inTerm, match: at }),
  fc.record({ type: type('appendRefusal'), term: inTerm, rejected: at, hint: end }),
  fc.record({ type: type('resend'), term: inTerm, from: at }),
  fc.record({ type: type('heartbeat'), term: inTerm, commit: at, round: number }),
  fc.record({ type: type('heartbeatReply'), term: inTerm, round: number }),
  fc.record({
    type: type('snapshotChunk'),
    term: inTerm,
    meta,
    chunk: fc.record({
      index: u32,
      bytes: fc.array(fc.tuple(bytes, bytes), { maxLength: 3 }).map((rows) => Buffer.from(encode(rows.flat()))),
      digest: u32,
      place: fc.constantFrom('middle' as const, 'last' as const),
    }),
  }),
  fc.record({
    type: type('snapshotReply'),
    term: inTerm,
    id: fc.string({ maxLength: 20 }),
    next: u32,
    state: fc.constantFrom('receiving' as const, 'installed' as const),
  }),
  fc.record({ type: type('timeoutNow'), term: inTerm }),
  fc.record({ type: type('newerTerm'), term: inTerm }),
);
const shard = fc.nat(SHARDS - 1).map(shardId);
const frame: fc.Arbitrary<Frame> = fc.record({
  session: number,
  messages: fc.array(fc.record({ shard, message }), { maxLength: 6 }),
  beat: fc.option(
    fc.record({
      round: number,
      base: number,
      next: number,
      changed: fc.array(fc.record({ shard, term: inTerm, commit: at }), { maxLength: 4 }),
      gone: fc.array(shard, { maxLength: 4 }),
      scope: fc.constantFrom('all' as const, 'listed' as const),
    }),
    { nil: undefined },
  ),
  reply: fc.option(
    fc.record({
      to: number,
      round: number,
      version: number,
      state: fc.constantFrom('taken' as const, 'unknown' as const),
      silent: fc.array(shard, { maxLength: 4 }),
    }),
    { nil: undefined },
  ),
});

/** Fields in one order, bytes as numbers; nothing that is undefined. */
const shown = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) =>
    one !== null && typeof one === 'object' && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );

describe('a frame', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(frame, (sent) => {
        const decoded = decodeFrame(encodeFrame(sent), SHARDS);
        // The codec leaves a view on the bytes it has read: what they hold counts.
        expect(shown(decoded)).toBe(shown({ frame: sent }));
      }),
    );
  });

  it('with any byte changed or cut is a frame or refused, never an exception', () => {
    fc.assert(
      fc.property(frame, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean(), (sent, place, value, cut) => {
        const encoded = Buffer.from(encodeFrame(sent));
        const i = place % encoded.length;
        if (!cut) encoded[i] = value;
        const decoded = decodeFrame(cut ? encoded.subarray(0, i) : encoded, SHARDS);
        expect('frame' in decoded || decoded.refused.length > 0).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('of any bytes is refused, with a reason', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        const decoded = decodeFrame(noise, SHARDS);
        if ('refused' in decoded) expect(decoded.refused).not.toBe('');
      }),
    );
  });

  const heartbeat = (shardNumber: unknown, ...rest: unknown[]) => [1, 1, [[shardNumber, 8, ...rest]], null, null];
  it.each([
    ['another version', [2, 1, [], null, null], /version/],
    ['a shard that does not exist', heartbeat(SHARDS, 1, 1, 1), /out of range/],
    ['a negative term', heartbeat(1, -1, 1, 1), /out of range/],
    ['a term of text', heartbeat(1, 'x', 1, 1), /out of range/],
    ['a term past 48 bits', heartbeat(1, 2 ** 50, 1, 1), /out of range/],
    ['a message cut short', heartbeat(1, 1), /missing/],
    ['an unknown type', [1, 1, [[1, 99, 1]], null, null], /out of range/],
    [
      'a chunk without rows',
      [1, 1, [[1, 10, 1, 's', 1, 1, 1, encode([[], []]), 0, encode([1, 2]), 0, 1]], null, null],
      /without rows/,
    ],
    ['no list', { version: 1 }, /no list/],
  ])('with %s is refused', (_, value, why) => {
    expect(decodeFrame(encode(value), SHARDS)).toEqual({ refused: expect.stringMatching(why) });
  });

  it('too large is not even read', () => {
    expect(decodeFrame(new Uint8Array(MAX_FRAME_BYTES + 1), SHARDS)).toEqual({
      refused: expect.stringMatching(/more than/),
    });
  });
});

describe('a frame of another build', () => {
  const frame: Frame = { session: 1, messages: [], beat: undefined, reply: undefined };
  it.each([
    ['the same version', 1, { min: 1, max: 1 }, true],
    ['the version before', 1, { min: 1, max: 2 }, true],
    ['the version after, which is read already', 2, { min: 1, max: 2 }, true],
    ['two versions older', 1, { min: 2, max: 3 }, false],
    ['two versions newer', 3, { min: 1, max: 1 }, false],
  ])('is read, or refused by its version: %s', (_, version, reads, isRead) => {
    const decoded = decodeFrame(encodeFrame(frame, version), SHARDS, reads);
    if (isRead) expect(decoded).toEqual({ frame });
    else expect(decoded).toEqual({ refused: expect.stringMatching(`version ${version} of the frame, and`) });
  });

  it('may have more than is known here: that is skipped', () => {
    expect(decodeFrame(encode([1, 1, [], null, null, 'more']), SHARDS)).toEqual({ frame });
  });
});
