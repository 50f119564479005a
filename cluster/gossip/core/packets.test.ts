import { describe, expect, it } from 'vitest';
import { encodeMessage } from './codec.ts';
import { Gossiper } from './packets.ts';
import { addressOf, aliveClaim, TestNode } from './parts.test-support.ts';

describe('a packet', () => {
  it('carries news in the room that is left, and never more', () => {
    const node = new TestNode({ packetBytes: 1_000 }).knows('a');
    for (let i = 0; i < 100; i += 1) node.parts.broadcasts.add(`n${i}`, encodeMessage(aliveClaim(`n${i}`)));
    node.packets.send('10.0.0.1:1', [{ type: 'ack', seq: 1 }]);
    const [output] = node.others();
    const length = output?.type === 'packet' ? output.body.length : 0;
    expect(length).toBeGreaterThan(850);
    expect(length).toBeLessThanOrEqual(node.packets.room);
  });
});

describe('gossip', () => {
  it('goes to a few members at once, while there is news', () => {
    const node = new TestNode({ gossipNodes: 3, gossipIntervalMs: 200 }).knows('a', 'b', 'c', 'd', 'e');
    const gossiper = new Gossiper(node.parts, node.packets);
    expect(gossiper.dueAtMs).toBe(Number.POSITIVE_INFINITY);
    node.parts.broadcasts.add('x', encodeMessage(aliveClaim('x')));
    expect(gossiper.dueAtMs).toBeLessThanOrEqual(0);
    gossiper.run(1_000);
    const sent = node.sent();
    expect(new Set(sent.map(({ to }) => to)).size).toBe(3);
    expect(sent.every(({ messages }) => messages.length === 1)).toBe(true);
    expect(gossiper.dueAtMs).toBe(1_200);
  });

  it('reaches the recently dead, that they may refute, and not the long dead or departed', () => {
    const node = new TestNode({ gossipToTheDeadMs: 30_000 }).knows('dead', 'gone', 'left');
    node.claims.dead(0, { type: 'dead', name: 'gone', incarnation: 1, from: 'x' });
    node.claims.left(9_000, { type: 'left', name: 'left', incarnation: 1 });
    node.claims.dead(10_000, { type: 'dead', name: 'dead', incarnation: 1, from: 'x' });
    new Gossiper(node.parts, node.packets).run(30_000);
    expect(node.sent().map(({ to }) => to)).toEqual([addressOf('dead')]);
  });

  it('with nobody to hear it is dropped: who joins gets the table', () => {
    const node = new TestNode();
    node.own.introduce(0);
    new Gossiper(node.parts, node.packets).run(0);
    expect(node.parts.broadcasts.size).toBe(0);
  });
});
