// Hostile bytes at a link: before, during and after the handshake. Nothing that comes from a peer throws, allocates by a claim, or is taken for
// a message that was never sent.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHANNELS, type Channel } from './frames.ts';
import { DEFAULT_LINK_LIMITS, type LinkLimits } from './limits.ts';
import { identity, KEY, keyed, ManualTime, TestRandom } from './link.test-support.ts';
import { plainRecord } from './records.ts';
import type { LinkSecurity } from './security.ts';
import { Session, type SessionEnd } from './session.ts';

class Side {
  readonly session: Session;
  readonly written: Uint8Array[] = [];
  readonly messages: [Channel, string][] = [];
  end: SessionEnd | undefined;
  established = false;

  constructor(
    role: 'dialer' | 'acceptor',
    time: ManualTime,
    security: LinkSecurity,
    limits: Partial<LinkLimits> = {},
    seed = role.length,
    age?: number,
  ) {
    const random = new TestRandom(seed);
    this.session = new Session({
      role,
      local: { ...identity(role), age },
      security,
      address: 'elsewhere:1',
      certificateNames: [],
      randomBytes: (length) => random.bytes(length),
      clock: time,
      limits: { ...DEFAULT_LINK_LIMITS, ...limits },
      admit: () => undefined,
      output: {
        write: (bytes) => this.written.push(Uint8Array.from(bytes)),
        buffered: () => 0,
        established: () => {
          this.established = true;
        },
        message: (channel, bytes) => this.messages.push([channel, Buffer.from(bytes).toString('hex')]),
        drained: () => undefined,
        skewed: () => undefined,
        ended: (end) => {
          expect(this.end).toBeUndefined();
          this.end = end;
        },
      },
    });
    this.session.start();
  }

  take(): Uint8Array {
    return Buffer.concat(this.written.splice(0));
  }
}

interface Pair {
  dialer: Side;
  acceptor: Side;
  time: ManualTime;
}

function pair(security: LinkSecurity, limits: Partial<LinkLimits> = {}, acceptorLimits = limits): Pair {
  const time = new ManualTime();
  const dialer = new Side('dialer', time, security, limits);
  const acceptor = new Side('acceptor', time, security, acceptorLimits);
  return { dialer, acceptor, time };
}

/** Carries bytes to and fro until neither says anything more, cut as `cuts` says. */
function shake({ dialer, acceptor }: Pair, cuts: () => number = () => 1e9): void {
  for (let quiet = 0; quiet < 2; ) {
    quiet += 1;
    for (const [from, to] of [
      [dialer, acceptor],
      [acceptor, dialer],
    ] as const) {
      let bytes = from.take();
      while (bytes.length > 0) {
        quiet = 0;
        const length = Math.max(1, Math.min(bytes.length, cuts()));
        to.session.receive(bytes.subarray(0, length));
        bytes = bytes.subarray(length);
      }
    }
  }
}

const securities: LinkSecurity[] = [keyed(KEY), { mode: 'none' }];
const anySecurity = fc.constantFrom(...securities);
const garbage = fc.uint8Array({ maxLength: 300 });

describe('a session', () => {
  it.each([
    [undefined, undefined],
    [0, 7],
    [Number.MAX_SAFE_INTEGER, undefined],
  ])('tells the ages of both directories, or none: %s and %s', (dialers, acceptors) => {
    for (const security of securities) {
      const time = new ManualTime();
      const dialer = new Side('dialer', time, security, {}, 1, dialers);
      const acceptor = new Side('acceptor', time, security, {}, 2, acceptors);
      shake({ dialer, acceptor, time });
      expect([dialer.session.remote?.age, acceptor.session.remote?.age]).toEqual([acceptors, dialers]);
    }
  });

  it('carries any messages over any fragmentation', () => {
    const message = fc.record({ channel: fc.constantFrom(...CHANNELS), size: fc.oneof(fc.nat(200), fc.nat(200_000)) });
    fc.assert(
      fc.property(
        anySecurity,
        fc.array(message, { maxLength: 12 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        (security, messages, seed) => {
          const world = pair(security, { windowBytes: 40_000 });
          const random = new TestRandom(seed);
          const cuts = (): number => (random.next() < 0.1 ? 1 + random.int(5) : 1 + random.int(100_000));
          shake(world, cuts);
          expect(world.dialer.established && world.acceptor.established).toBe(true);
          const sent: [Channel, string][] = [];
          for (const { channel, size } of messages) {
            const bytes = random.bytes(Math.min(size, 50_000));
            const whole = size > 50_000 ? Buffer.alloc(size, bytes) : bytes;
            expect(world.dialer.session.send(channel, whole)).toBe(true);
            sent.push([channel, Buffer.from(whole).toString('hex')]);
          }
          world.dialer.session.flush();
          shake(world, cuts);
          for (const channel of CHANNELS) {
            const of = (list: [Channel, string][]): string[] =>
              list.filter(([on]) => on === channel).map(([, hex]) => hex);
            expect(of(world.acceptor.messages)).toEqual(of(sent));
          }
          expect([world.dialer.end, world.acceptor.end]).toEqual([undefined, undefined]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('ends, and no more, on garbage before the handshake', () => {
    fc.assert(
      fc.property(
        anySecurity,
        fc.constantFrom('dialer', 'acceptor'),
        fc.array(garbage, { maxLength: 5 }),
        (security, role, chunks) => {
          const world = pair(security);
          const side = world[role as 'dialer' | 'acceptor'];
          for (const chunk of chunks) side.session.receive(chunk);
          for (const chunk of chunks) if (chunk.length > 0) side.session.receive(plainRecord(chunk));
          expect(side.established).toBe(false);
          expect(side.messages).toEqual([]);
          world.time.advance(10_000);
          side.session.tick();
          expect(side.end?.type).toBe('refused');
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is never established when a bit of the handshake changes on its way, with a key', () => {
    fc.assert(
      fc.property(fc.nat(3), fc.nat(), fc.nat(7), (which, where, bit) => {
        const world = pair(keyed(KEY));
        let step = 0;
        for (let round = 0; round < 6; round += 1) {
          for (const [from, to] of [
            [world.dialer, world.acceptor],
            [world.acceptor, world.dialer],
          ] as const) {
            const bytes = Uint8Array.from(from.take());
            if (bytes.length === 0) continue;
            if (step === which) {
              const at = where % bytes.length;
              bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
            }
            step += 1;
            to.session.receive(bytes);
          }
        }
        // The last message is the acceptor's word to the dialer: there only the dialer can notice.
        expect(world.dialer.established).toBe(false);
        expect(world.acceptor.established).toBe(which === 3);
      }),
      { numRuns: 400 },
    );
  });

  it('does not take a recorded handshake again', () => {
    const world = pair(keyed(KEY));
    const recorded: Uint8Array[] = [];
    for (let i = 0; i < 3; i += 1) {
      const bytes = world.dialer.take();
      recorded.push(bytes);
      world.acceptor.session.receive(bytes);
      world.dialer.session.receive(world.acceptor.take());
    }
    expect(world.acceptor.established).toBe(true);
    const again = new Side('acceptor', world.time, keyed(KEY), {}, 77);
    for (const bytes of recorded) again.session.receive(bytes);
    expect(again.established).toBe(false);
    expect(again.end).toMatchObject({ type: 'refused', by: 'us', refusal: { kind: 'authentication' } });
  });

  it('ends, and no more, on garbage after the handshake; what arrived before is what was sent', () => {
    fc.assert(
      fc.property(anySecurity, fc.array(garbage, { minLength: 1, maxLength: 5 }), (security, chunks) => {
        const world = pair(security, { messageBytes: 10_000, windowBytes: 4_000 });
        shake(world);
        world.dialer.session.send('rpc', Buffer.from('good'));
        world.dialer.session.flush();
        shake(world);
        for (const chunk of chunks) if (chunk.length > 0) world.acceptor.session.receive(plainRecord(chunk));
        const sealed = security.mode === 'clusterKey';
        expect(world.acceptor.messages[0]).toEqual(['rpc', Buffer.from('good').toString('hex')]);
        if (sealed && chunks.some(({ length }) => length > 0)) {
          expect(world.acceptor.messages.length).toBe(1);
          expect(world.acceptor.end?.type).toBe('garbage');
        }
        world.acceptor.session.flush();
        world.acceptor.session.tick();
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['a record over its bound', [0x7f, 0xff, 0xff, 0xff]],
    ['an empty record', [0, 0, 0, 0]],
    ['an unknown channel', [0, 0, 0, 8, 1, 9, 3, 0, 0, 0, 1, 5]],
    ['a frame that claims more than there is', [0, 0, 0, 8, 1, 1, 3, 0xff, 0xff, 0xff, 0xff, 5]],
    ['a last chunk without a first', [0, 0, 0, 8, 1, 1, 2, 0, 0, 0, 1, 5]],
    ['a second first chunk', [0, 0, 0, 16, 1, 1, 1, 0, 0, 0, 1, 5, 1, 1, 1, 0, 0, 0, 1, 5]],
    ['an unknown frame', [0, 0, 0, 1, 99]],
  ])('ends on %s', (_name, bytes) => {
    const world = pair({ mode: 'none' });
    shake(world);
    world.acceptor.session.receive(Uint8Array.from(bytes));
    expect(world.acceptor.end?.type).toBe('garbage');
    expect(world.acceptor.messages).toEqual([]);
  });

  it('ends when the peer sends beyond its window, or a message beyond its bound', () => {
    const strict = pair({ mode: 'none' }, {}, { windowBytes: 1_000 });
    shake(strict);
    strict.dialer.session.send('rpc', new Uint8Array(2_000));
    strict.dialer.session.flush();
    strict.acceptor.session.receive(strict.dialer.take());
    expect(strict.acceptor.end).toEqual({ type: 'garbage', message: 'the peer sent more on rpc than it may' });

    const small = pair({ mode: 'none' }, {}, { messageBytes: 100_000 });
    shake(small);
    small.dialer.session.send('snapshot', new Uint8Array(200_000));
    small.dialer.session.flush();
    small.acceptor.session.receive(small.dialer.take());
    expect(small.acceptor.end).toEqual({
      type: 'garbage',
      message: 'a message on snapshot is larger than 100000 bytes',
    });
  });

  it('says that a web browser or a TLS client is at the wrong door', () => {
    for (const bytes of [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), Buffer.from('16030100', 'hex')]) {
      const world = pair(keyed(KEY));
      world.acceptor.session.receive(bytes);
      expect(world.acceptor.end).toMatchObject({
        type: 'refused',
        refusal: {
          kind: 'protocol',
          message: expect.stringContaining('does not speak this protocol (does it use TLS'),
        },
      });
    }
  });

  it('puts no control characters of a peer into a message', () => {
    const world = pair(keyed(KEY));
    const reason = Buffer.from('bad\r\n2026-01-01 ERROR forged\u001b[31m');
    const head = Buffer.from([4, 1, 0, reason.length]);
    world.dialer.session.receive(plainRecord(Buffer.concat([head, reason])));
    expect(world.dialer.end).toMatchObject({
      by: 'peer',
      refusal: { kind: 'version', message: 'bad??2026-01-01 ERROR forged?[31m' },
    });
  });
});
