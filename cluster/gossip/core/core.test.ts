import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../test/sim/random.ts';
import { gossipConfig, LAN } from './config.ts';
import { GossipCore } from './core.ts';
import { STATES } from './member.ts';
import type { Message } from './messages.ts';
import type { Instant, Output } from './outputs.ts';
import { ENVELOPE_BYTES } from './packets.ts';
import { addressOf, aliveClaim, messagesIn, metaOf, recordFor } from './parts.test-support.ts';
import { REASONS } from './refusal.ts';

const at = (monotonicMs: number): Instant => ({ monotonicMs, wallMs: 1_700_000_000_000 + monotonicMs });

function newCore(changes = {}): GossipCore {
  const core = new GossipCore(
    { meta: metaOf('self'), config: gossipConfig(LAN, changes), random: new SeededRandom('core'), seeds: [] },
    at(0),
  );
  core.start(at(0));
  return core;
}

const said = (outputs: readonly Output[]) =>
  outputs.flatMap((output) => (output.type === 'packet' ? [{ to: output.to, messages: messagesIn(output.body) }] : []));

/** Wakes it whenever it wants, up to a time. */
function run(core: GossipCore, until: number): Output[] {
  const outputs: Output[] = [];
  for (let steps = 0; core.wakeAtMs <= until && steps < 10_000; steps += 1) {
    outputs.push(...core.wake(at(Math.max(core.wakeAtMs, 0))));
  }
  return outputs;
}

describe('a ping', () => {
  const ping = (target: string, from = 'a'): Message => ({ type: 'ping', seq: 5, target, from });

  it('is answered where it came from', () => {
    expect(said(newCore().receive(at(1), '10.0.0.1:9', [ping('self')]))).toEqual([
      { to: '10.0.0.1:9', messages: [{ type: 'ack', seq: 5 }] },
    ]);
  });

  it('of a member brings news along, of an address that may be made up only the ack', () => {
    const core = newCore();
    core.receive(at(1), addressOf('a'), [aliveClaim('a'), aliveClaim('b')]);
    const answerTo = (from: string) =>
      said(core.receive(at(2), from, [ping('self')])).flatMap(({ messages }) => messages);
    expect(answerTo(addressOf('a')).length).toBeGreaterThan(1);
    expect(answerTo('10.0.0.1:9').length).toBe(1);
  });

  it('for another is not: the address changed hands', () => {
    expect(said(newCore().receive(at(1), '10.0.0.1:9', [ping('other')]))).toEqual([]);
  });

  it.each(['suspect', 'dead'] as const)('of somebody we hold for %s tells it so', (state) => {
    const core = newCore();
    core.receive(at(1), addressOf('a'), [aliveClaim('a'), { type: state, name: 'a', incarnation: 1, from: 'b' }]);
    expect(said(core.receive(at(2), addressOf('a'), [ping('self')]))[0]?.messages.slice(0, 2)).toEqual([
      { type: 'ack', seq: 5 },
      { type: state, name: 'a', incarnation: 1, from: 'self' },
    ]);
  });

  it('on a stream is answered there', () => {
    expect(newCore().answer(at(1), [ping('self')]).reply).toEqual({ type: 'ack', seq: 5 });
    expect(newCore().answer(at(1), [ping('other')]).reply).toBeUndefined();
    expect(newCore().answer(at(1), []).reply).toBeUndefined();
  });
});

describe('a node that did not run for a while', () => {
  it('holds nothing against others that happened meanwhile, and doubts its health', () => {
    const core = newCore();
    core.receive(at(1), addressOf('a'), [aliveClaim('a'), aliveClaim('b'), aliveClaim('c')]);
    core.receive(at(2), addressOf('b'), [{ type: 'suspect', name: 'a', incarnation: 1, from: 'b' }]);
    run(core, 900);
    // Every suspicion would be over, and every probe failed.
    const outputs = core.wake(at(600_000));
    expect(outputs.filter(({ type }) => type === 'change')).toEqual([]);
    expect(core.healthScore).toBeGreaterThan(0);
    // The refutation that lay in the socket comes in time.
    core.receive(at(600_001), addressOf('a'), [aliveClaim('a', 2)]);
    expect(core.member('a', 600_001)?.state).toBe('alive');
  });

  it('still finds who is really dead', () => {
    const core = newCore();
    core.receive(at(1), addressOf('a'), [aliveClaim('a')]);
    run(core, 900);
    core.wake(at(600_000));
    run(core, 700_000);
    expect(core.member('a', 700_000)?.state).toBe('dead');
  });
});

describe('a refusal from a member', () => {
  const refused = (given = {}): Message => ({
    type: 'refused',
    reason: 'duplicateName',
    name: 'self',
    instance: metaOf('self').instance,
    by: 'a',
    uptimeMs: 0,
    ...given,
  });
  const severity = (outputs: readonly Output[]) =>
    outputs.map((output) =>
      output.type === 'notice' && output.notice.kind === 'refused' ? output.notice.severity : '',
    );

  it.each([
    ['of an older twin: one of the two must go', { uptimeMs: 50_000 }, ['stop']],
    ['of a younger twin: not us, but people should know', { uptimeMs: 500 }, ['warn']],
    ['meant for another life', { instance: 1 }, []],
    ['meant for another node', { name: 'other' }, []],
    ['that is not about who came first', {}, ['warn']],
  ])('%s', (_, given, expected) => {
    const core = newCore();
    core.receive(at(1), addressOf('a'), [aliveClaim('a')]);
    expect(severity(core.receive(at(1_000), addressOf('a'), [refused(given)]))).toEqual(expected);
  });
});

describe('who a node is', () => {
  it('cannot change while it runs', () => {
    expect(() => newCore().setMeta(at(1), metaOf('other'))).toThrow(TypeError);
  });
});

describe('hostile members', () => {
  const name = fc.constantFrom('self', 'a', 'b', 'c', 'd', 'e');
  const incarnation = fc.oneof(fc.nat(5), fc.constantFrom(1_000, 0xffff_ffff_ffff));
  const u32 = fc.oneof(fc.nat(5), fc.constantFrom(metaOf('self').instance, metaOf('a').instance));
  const meta = fc
    .record({ name, directoryId: fc.constantFrom('dir-self', 'dir-a', 'x'), instance: u32, min: fc.constantFrom(1, 2) })
    .map(({ min, ...given }) => metaOf(given.name, { ...given, protocol: { min, max: 2 } }));
  const load = { load: fc.integer({ min: 0, max: 100 }), loadVersion: u32 };
  const record = fc.record({ meta, incarnation, ...load, state: fc.constantFrom(...STATES), ageMs: fc.nat(1e9) });
  const of = <T extends Message['type']>(type: T) => fc.constant(type);
  const message: fc.Arbitrary<Message> = fc.oneof(
    fc.record({ type: fc.constantFrom('ping' as const, 'pingRequest' as const), seq: u32, target: name, from: name }),
    fc.record({ type: fc.constantFrom('ack' as const, 'nack' as const), seq: u32 }),
    fc.record({ type: of('alive'), meta, incarnation, ...load }),
    fc.record({ type: fc.constantFrom('suspect' as const, 'dead' as const), name, incarnation, from: name }),
    fc.record({ type: of('left'), name, incarnation }),
    fc.record({ type: of('load'), name, instance: u32, ...load }),
    fc.record({
      type: of('refused'),
      reason: fc.constantFrom(...REASONS),
      name,
      instance: u32,
      by: name,
      uptimeMs: u32,
    }),
    fc.record({
      type: of('sync'),
      id: u32,
      wallMs: u32,
      self: record,
      digest: fc.array(fc.record({ name, incarnation, state: fc.constantFrom(...STATES) })),
    }),
    fc.record({ type: of('syncClose'), from: name, records: fc.array(record, { maxLength: 3 }) }),
  );
  const step = fc.record({
    waitMs: fc.constantFrom(0, 1, 200, 1_000, 60_000),
    messages: fc.array(message, { maxLength: 4 }),
  });

  it('cannot make it fall, forget that it lives, exceed a packet or its bounds', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const core = newCore({ maxMembers: 4, maxBroadcasts: 4 });
        const outputs: Output[] = [];
        let now = 0;
        for (const { waitMs, messages } of steps) {
          now += waitMs;
          outputs.push(...run(core, now));
          outputs.push(...core.receive(at(now), addressOf('a'), messages));
          outputs.push(...core.answer(at(now), messages).outputs, ...core.closed(at(now), messages));
          expect(core.member('self', now)?.state).toBe('alive');
          expect(core.members(now).length).toBeLessThanOrEqual(4);
        }
        for (const output of outputs) {
          if (output.type === 'packet')
            expect(output.body.length + ENVELOPE_BYTES).toBeLessThanOrEqual(LAN.packetBytes);
        }
      }),
    );
  });

  it('records without a matching question change nothing', () => {
    const core = newCore();
    core.dialed(at(1), 12_345, {
      type: 'answered',
      messages: [{ type: 'syncClose', from: 'a', records: [recordFor('x')] }],
    });
    expect(core.members(1).length).toBe(1);
  });
});
