import { describe, expect, it } from 'vitest';
import type { Ping } from './messages.ts';
import { addressOf, TestNode } from './parts.test-support.ts';
import { Prober } from './probe.ts';
import { Sequence } from './sequence.ts';

const config = { probeIntervalMs: 1_000, probeTimeoutMs: 500, indirectProbes: 2 };

/** A prober whose first probe, of one of `names`, begins at 1,000. */
function probing(...names: string[]) {
  const node = new TestNode(config).knows(...names);
  const dialed: { to: string; ping: Ping }[] = [];
  const sequence = new Sequence(node.parts.random);
  const prober = new Prober(node.parts, node.claims, node.packets, sequence, 0, (to, ping) =>
    dialed.push({ to, ping }),
  );
  prober.run(1_000);
  const [said] = node.sent();
  const ping = said?.messages[0];
  if (ping?.type !== 'ping') throw new Error('no ping');
  return { node, prober, dialed, ping };
}

describe('a probe', () => {
  it('pings one member, by name, and is content with its ack', () => {
    const { node, prober, ping } = probing('a');
    expect(ping).toMatchObject({ target: 'a', from: 'self' });
    expect(prober.ack(ping.seq)).toBe(true);
    expect(prober.ack(ping.seq)).toBe(false);
    expect(prober.dueAtMs).toBe(2_000);
    expect(node.changes()).toEqual([]);
  });

  it('that is not answered asks others, pings once more and opens a stream', () => {
    const { node, prober, dialed, ping } = probing('a', 'b', 'c', 'd');
    expect(prober.dueAtMs).toBe(1_500);
    prober.run(1_500);
    const sent = node.sent();
    const asked = sent.filter(({ messages }) => messages[0]?.type === 'pingRequest');
    expect(asked.length).toBe(2);
    expect(asked.map(({ messages }) => messages[0])).toEqual(asked.map(() => ({ ...ping, type: 'pingRequest' })));
    expect(asked.map(({ to }) => to)).not.toContain(addressOf(ping.target));
    expect(sent.at(-1)).toEqual({ to: addressOf(ping.target), messages: [ping] });
    expect(dialed).toEqual([{ to: addressOf(ping.target), ping }]);
    expect(prober.dueAtMs).toBe(2_000);
  });

  it('that nobody answers makes the member suspect', () => {
    const { node, prober, ping } = probing('a', 'b', 'c', 'd');
    prober.run(1_500);
    prober.nack(ping.seq);
    prober.nack(ping.seq);
    prober.run(2_000);
    expect(node.changes()).toEqual([`suspect ${ping.target}`]);
    expect(node.news()).toEqual([{ type: 'suspect', name: ping.target, incarnation: 1, from: 'self' }]);
  });

  it.each([
    { nacks: 2, score: 0 },
    { nacks: 1, score: 1 },
    { nacks: 0, score: 2 },
    { nacks: 5, score: 0 },
  ])('that failed with $nacks nacks of 2 makes our health $score', ({ nacks, score }) => {
    const { node, prober, ping } = probing('a', 'b', 'c', 'd');
    prober.run(1_500);
    for (let i = 0; i < nacks; i += 1) prober.nack(ping.seq);
    prober.run(2_000);
    expect(node.parts.awareness.score).toBe(score);
  });

  it('that failed with nobody to ask counts against us: it may be we', () => {
    const { node, prober } = probing('a');
    prober.run(1_500);
    prober.run(2_000);
    expect(node.parts.awareness.score).toBe(1);
  });

  it('takes longer the sicker we are', () => {
    const { node, prober, ping } = probing('a');
    node.parts.awareness.apply(3);
    prober.ack(ping.seq);
    prober.run(2_000);
    const [said] = node.sent();
    expect(said).toBeDefined();
    // The ack took one from the score: three intervals.
    prober.run(2_500);
    expect(prober.dueAtMs).toBe(5_000);
  });

  it('answered by the stream alone is a success, and a notice when it stays so', () => {
    const { node, prober } = probing('a');
    let at = 1_000;
    for (let times = 1; times <= 3; times += 1) {
      prober.run(at + 500);
      const ping = node.sent().flatMap(({ messages }) => messages)[0];
      if (ping?.type === 'ping') prober.streamAck(ping.seq);
      prober.run(at + 1_000);
      expect(node.others().length).toBe(times === 3 ? 1 : 0);
      at += 1_000;
      prober.run(at);
      node.sent();
    }
    expect(node.changes()).toEqual([]);
  });

  it('of a suspect tells it so, that it may refute', () => {
    const node = new TestNode(config).knows('a');
    const prober = new Prober(node.parts, node.claims, node.packets, new Sequence(node.parts.random), 0, () => {});
    node.claims.suspect(0, { type: 'suspect', name: 'a', incarnation: 1, from: 'x' });
    node.parts.broadcasts.clear();
    prober.run(1_000);
    expect(node.sent()[0]?.messages).toMatchObject([
      { type: 'ping', target: 'a' },
      { type: 'suspect', name: 'a', incarnation: 1, from: 'self' },
    ]);
  });

  it('whose verdict comes late waits once more: the answer may lie unread', () => {
    const { node, prober, ping } = probing('a');
    prober.run(1_500);
    prober.run(2_300);
    expect(node.changes()).toEqual([]);
    expect(prober.dueAtMs).toBeGreaterThan(2_300);
    prober.ack(ping.seq);
    expect(node.changes()).toEqual([]);
  });

  it('that is late and stays unanswered fails all the same', () => {
    const { node, prober } = probing('a');
    prober.run(1_500);
    prober.run(2_300);
    prober.run(2_400);
    expect(node.changes()).toEqual(['suspect a']);
  });

  it('abandoned proves nothing', () => {
    const { node, prober, ping } = probing('a');
    prober.abandon(9_000);
    expect(prober.dueAtMs).toBe(9_000);
    expect(prober.ack(ping.seq)).toBe(false);
    expect(node.changes()).toEqual([]);
  });
});
