import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode } from '../../../src/wire/codec.ts';
import { decodeMessages, encodeMessage, encodeMessages, MAX_INCARNATION } from './codec.ts';
import { STATES } from './member.ts';
import type { Message } from './messages.ts';
import { DRAININGS, MAX_META_CHARACTERS, metaProblem, type NodeMeta } from './meta.ts';
import { ENVELOPE_BYTES } from './packets.ts';
import { metaOf } from './parts.test-support.ts';
import { REASONS } from './refusal.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const big = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const incarnation = fc.integer({ min: 0, max: MAX_INCARNATION });
const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/);
const word = (maxLength: number) =>
  fc.stringMatching(/^[!-~]*$/, { maxLength }).filter((text) => text.length <= maxLength);
const port = fc.integer({ min: 1, max: 65_535 });
const address = fc.tuple(fc.ipV4(), port).map(([ip, n]) => `${ip}:${n}`);

const meta: fc.Arbitrary<NodeMeta> = fc
  .record({
    name,
    directoryId: word(64).filter((text) => text !== ''),
    instance: u32,
    addresses: fc.record({
      gossip: address,
      client: fc.constantFrom('', 'node:7280'),
      link: fc.constantFrom('', '[::1]:1'),
    }),
    roles: fc.array(word(32), { maxLength: 8 }),
    zone: word(64),
    version: word(32),
    protocol: fc.record({ min: fc.integer({ min: 1, max: 9 }), max: fc.integer({ min: 9, max: 99 }) }),
    startedAtMs: big,
    draining: fc.constantFrom(...DRAININGS),
    weight: fc.integer({ min: 1, max: 10_000 }).map((hundredths) => hundredths / 100),
  })
  .filter((candidate) => metaProblem(candidate) === undefined);

const load = { load: fc.integer({ min: 0, max: 100 }), loadVersion: u32 };
const record = fc.record({ meta, incarnation, ...load, state: fc.constantFrom(...STATES), ageMs: big });
const digest = fc.record({ name, incarnation, state: fc.constantFrom(...STATES) });
const of = <T extends Message['type']>(type: T) => fc.constant(type);

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ type: fc.constantFrom('ping' as const, 'pingRequest' as const), seq: u32, target: name, from: name }),
  fc.record({ type: fc.constantFrom('ack' as const, 'nack' as const), seq: u32 }),
  fc.record({ type: of('alive'), meta, incarnation, ...load }),
  fc.record({ type: fc.constantFrom('suspect' as const, 'dead' as const), name, incarnation, from: name }),
  fc.record(
    { type: of('left'), name, incarnation, draining: fc.constantFrom(...DRAININGS) },
    { requiredKeys: ['type', 'name', 'incarnation'] },
  ),
  fc.record({ type: of('load'), name, instance: u32, ...load }),
  fc.record({
    type: of('refused'),
    reason: fc.constantFrom(...REASONS),
    name,
    instance: u32,
    by: name,
    uptimeMs: fc.integer({ min: 0, max: 1e12 }),
  }),
  fc.record({ type: of('sync'), id: u32, wallMs: big, self: record, digest: fc.array(digest) }),
  fc.record({
    type: of('syncReply'),
    id: u32,
    wallMs: big,
    from: name,
    records: fc.array(record, { maxLength: 3 }),
    wants: fc.array(name),
  }),
  fc.record({ type: of('syncClose'), from: name, records: fc.array(record, { maxLength: 3 }) }),
);

describe('messages', () => {
  it('come out as they went in, one after the other', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), (messages) => {
        expect(decodeMessages(encodeMessages(messages))).toEqual({ messages });
      }),
    );
  });

  it('of an unknown type are skipped, further elements too: a later version may send them', () => {
    const bytes = Buffer.concat([encode([99, 'what', ['ever']]), encode([1, 7, 'more']), encode([1, 8])]);
    expect(decodeMessages(bytes)).toEqual({
      messages: [
        { type: 'ack', seq: 7 },
        { type: 'ack', seq: 8 },
      ],
    });
  });

  it('of the greatest size fit into a packet beside a ping', () => {
    const long = metaOf('n'.repeat(64), {
      directoryId: 'd'.repeat(64),
      instance: 0xffff_ffff,
      addresses: {
        gossip: '255.255.255.255:65535',
        client: `${'c'.repeat(102)}:65535`,
        link: `${'l'.repeat(102)}:65535`,
      },
      roles: ['a'.repeat(32), 'b'.repeat(32), 'c'.repeat(32), 'd'.repeat(3)],
      zone: 'z'.repeat(20),
      version: 'v'.repeat(28),
      protocol: { min: 65_535, max: 65_535 },
      startedAtMs: Number.MAX_SAFE_INTEGER,
      weight: 100,
    });
    expect(metaProblem(long)).toBeUndefined();
    expect(metaProblem({ ...long, zone: 'z'.repeat(30) })).toContain(String(MAX_META_CHARACTERS));
    const ping: Message = { type: 'ping', seq: 0xffff_ffff, target: long.name, from: long.name };
    const alive: Message = {
      type: 'alive',
      meta: long,
      incarnation: MAX_INCARNATION,
      load: 100,
      loadVersion: 0xffff_ffff,
    };
    expect(encodeMessages([ping, alive]).length + ENVELOPE_BYTES).toBeLessThan(1_000);
  });
});

describe('hostile bytes', () => {
  it('of any kind are malformed or messages, never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        const decoded = decodeMessages(bytes);
        expect('messages' in decoded || decoded.malformed.length > 0).toBe(true);
      }),
    );
  });

  it('made from sound ones by a flipped byte neither', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.integer({ min: 1, max: 255 }), (sound, at, flip) => {
        const bytes = encodeMessage(sound);
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ flip;
        decodeMessages(bytes);
      }),
    );
  });

  it.each([
    ['a list longer than its bytes', [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ['a string longer than its bytes', [0xd9, 0xff, 0x41]],
    ['nesting without end', Array.from({ length: 1_000 }, () => 0x91)],
    ['a map', [0x81, 0x01, 0x02]],
    ['an extension', [0xd4, 0x72, 0x40]],
    ['binary', [0xc4, 0x01, 0x00]],
    ['no list', [0x01]],
    ['a list without a type', [0x90]],
    ['a negative number', [0x92, 0x01, 0xff]],
    ['a fraction', [0x92, 0x01, 0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0]],
    ['not a number', [0x92, 0x01, 0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0]],
    ['letters beyond ASCII', [0x94, 0x00, 0x01, 0xa1, 0xe9, 0xa1, 0x41]],
  ])('like %s are malformed', (_, bytes) => {
    expect(decodeMessages(Uint8Array.from(bytes))).toHaveProperty('malformed');
  });

  it.each([
    ['a name with a space', { name: 'a b' }],
    ['a gossip address that is a host name', { addresses: { gossip: 'host:1', client: '', link: '' } }],
    ['too many roles', { roles: Array.from({ length: 9 }, () => 'r') }],
    ['an empty directory id', { directoryId: '' }],
    ['a range upside down', { protocol: { min: 3, max: 2 } }],
    ['a line break', { zone: 'a\nb' }],
  ])('that say %s are malformed', (_, given) => {
    const bytes = encodeMessage({ type: 'alive', meta: metaOf('a', given), incarnation: 1, load: 0, loadVersion: 0 });
    expect(decodeMessages(bytes)).toHaveProperty('malformed');
  });
});
