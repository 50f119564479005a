import { describe, expect, it } from 'vitest';
import { addressOf, TestNode } from './parts.test-support.ts';
import { Relays } from './relays.ts';
import { Sequence } from './sequence.ts';

const request = (target: string, seq = 77) => ({ type: 'pingRequest', seq, target, from: 'asker' }) as const;

function relaying() {
  const node = new TestNode({ probeIntervalMs: 1_000, probeTimeoutMs: 500 }).knows('a');
  return { node, relays: new Relays(node.parts, node.packets, new Sequence(node.parts.random)) };
}

describe('a relay', () => {
  it('pings in the stead of the asker, and passes the ack back under the number of the asker', () => {
    const { node, relays } = relaying();
    relays.request(0, request('a'), '10.0.0.1:1');
    const [said] = node.sent();
    expect(said).toMatchObject({ to: addressOf('a'), messages: [{ type: 'ping', target: 'a', from: 'self' }] });
    const ping = said?.messages[0];
    relays.ack(ping?.type === 'ping' ? ping.seq : 0);
    expect(node.sent()).toEqual([{ to: '10.0.0.1:1', messages: [{ type: 'ack', seq: 77 }] }]);
    expect(relays.dueAtMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('without an ack says so, before the asker gives up', () => {
    const { node, relays } = relaying();
    relays.request(0, request('a'), '10.0.0.1:1');
    node.sent();
    expect(relays.dueAtMs).toBeLessThan(500);
    relays.run(relays.dueAtMs);
    expect(node.sent()).toEqual([{ to: '10.0.0.1:1', messages: [{ type: 'nack', seq: 77 }] }]);
  });

  it.each(['stranger', 'self'])('does not ping %s: only members', (target) => {
    const { node, relays } = relaying();
    relays.request(0, request(target), '10.0.0.1:1');
    expect(node.sent()).toEqual([]);
  });

  it('is one of a bounded number', () => {
    const { node, relays } = relaying();
    for (let seq = 0; seq < 5_000; seq += 1) relays.request(0, request('a', seq), '10.0.0.1:1');
    expect(node.sent().length).toBe(1_024);
  });
});
