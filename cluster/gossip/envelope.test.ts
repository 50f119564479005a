import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENVELOPE_BYTES } from './core/packets.ts';
import { REASONS } from './core/refusal.ts';
import { Envelopes } from './envelope.ts';
import { Keyring, keyId } from './keyring.ts';

const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const ring = (...bytes: number[]): Keyring => new Keyring(bytes.map(key));
const sealed = (...bytes: number[]): Envelopes => new Envelopes('prod', ring(...bytes));
const plain = (clusterId = 'prod'): Envelopes => new Envelopes(clusterId, undefined);
const body = Buffer.from('what members say');

describe.each([
  ['plain', () => plain()],
  ['sealed', () => sealed(1)],
])('an envelope, %s', (_, make) => {
  it('comes out as it went in', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        const opened = make().open(make().wrap(bytes));
        expect(opened).toEqual({ type: 'body', body: Buffer.from(bytes) });
      }),
    );
  });

  it('takes no more room than the core leaves it', () => {
    expect(make().wrap(body).length - body.length).toBeLessThanOrEqual(ENVELOPE_BYTES);
  });

  it('of which one bit is flipped is not opened', () => {
    const receiver = make();
    const bytes = make().wrap(body);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(receiver.open(damaged).type).not.toBe('body');
    }
    expect(receiver.open(bytes).type).toBe('body');
  });

  it('cut short anywhere is not opened', () => {
    const bytes = make().wrap(body);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(make().open(bytes.subarray(0, length)).type).not.toBe('body');
    }
  });

  it('of another cluster is known as such', () => {
    expect(make().open(plain('staging').wrap(body))).toEqual({ type: 'stranger', reason: 'foreignCluster' });
    expect(make().open(new Envelopes('staging', ring(1)).wrap(body))).toEqual({
      type: 'stranger',
      reason: 'foreignCluster',
    });
  });

  const of = (writes: number, min: number, max: number) =>
    new Envelopes('prod', undefined, { reads: { min, max }, writes });

  it.each([
    ['the same version', of(1, 1, 1), of(1, 1, 1), 'body'],
    ['the version before', of(1, 1, 2), of(2, 1, 2), 'body'],
    ['the version after, read already', of(2, 1, 2), of(1, 1, 2), 'body'],
    ['two versions older', of(1, 1, 1), of(3, 2, 3), 'stranger'],
    ['two versions newer', of(3, 2, 3), of(1, 1, 1), 'stranger'],
  ])('of %s is opened or known as such', (_, sender, receiver, type) => {
    expect(receiver.open(sender.wrap(body))).toMatchObject({ type });
    // Who is refused is told so in a form that every version reads.
    expect(sender.open(receiver.refusal('incompatibleVersion'))).toEqual({
      type: 'refusal',
      reason: 'incompatibleVersion',
    });
  });

  it('never throws, whatever the bytes', () => {
    const receiver = make();
    const head = make().wrap(body).subarray(0, 26);
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc
        .tuple(fc.nat(26), fc.uint8Array({ maxLength: 60 }))
        .map(([n, rest]) => Buffer.concat([head.subarray(0, n), rest])),
    );
    fc.assert(
      fc.property(bytes, (hostile) => {
        expect(receiver.open(hostile).type).not.toBe('body');
      }),
    );
  });

  it.each(REASONS)('can say to anybody: %s', (reason) => {
    expect(plain('other').open(make().refusal(reason))).toEqual({ type: 'refusal', reason });
  });
});

describe('a sealed envelope', () => {
  it('is not opened with the key of another, nor without one', () => {
    expect(sealed(2).open(sealed(1).wrap(body))).toEqual({ type: 'stranger', reason: 'unknownKey' });
    expect(plain().open(sealed(1).wrap(body))).toEqual({ type: 'stranger', reason: 'encrypted' });
    expect(sealed(1).open(plain().wrap(body))).toEqual({ type: 'stranger', reason: 'notEncrypted' });
  });

  it('is opened with any key of the ring, as long as it is there', () => {
    const keys = ring(2, 1);
    const receiver = new Envelopes('prod', keys);
    const sender = sealed(1);
    expect(receiver.open(sender.wrap(body)).type).toBe('body');
    keys.remove(keyId(key(1)));
    expect(receiver.open(sender.wrap(body))).toEqual({ type: 'stranger', reason: 'unknownKey' });
  });

  it('is opened once', () => {
    const receiver = sealed(1);
    const bytes = sealed(1).wrap(body);
    expect(receiver.open(bytes).type).toBe('body');
    expect(receiver.open(bytes)).toEqual({ type: 'garbage', why: 'it was received before' });
  });

  it('that we sent ourselves is not opened: somebody reflects it', () => {
    const self = sealed(1);
    expect(self.open(self.wrap(body))).toEqual({ type: 'stranger', reason: 'yourself' });
  });

  it('is another one each time', () => {
    const sender = sealed(1);
    expect(sender.wrap(body)).not.toEqual(sender.wrap(body));
  });

  it('moved to a cluster whose id has the same tag is not opened', () => {
    // The tag is no secret and no proof: the seal covers the id itself.
    const bytes = new Envelopes('staging', ring(1)).wrap(body);
    plain('prod').wrap(body).copy(bytes, 4, 4, 8);
    expect(sealed(1).open(bytes)).toEqual({ type: 'garbage', why: 'its seal is broken' });
  });
});
