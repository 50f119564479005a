import { describe, expect, it } from 'vitest';
import { TestNode } from './parts.test-support.ts';
import { ProbeOrder } from './probe-order.ts';

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `n${index}`);

function setUp(count: number) {
  const node = new TestNode().knows(...names(count));
  const { table, self, random } = node.parts;
  const order = new ProbeOrder(table, self, random);
  const round = (): string[] => names(count).map(() => order.next()?.meta.name ?? '');
  return { node, order, round };
}

describe('the order of probes', () => {
  it('takes each once per round, never this node, and every round anew', () => {
    const { round } = setUp(20);
    const [first, second] = [round(), round()];
    expect(first.toSorted()).toEqual(names(20).toSorted());
    expect(second.toSorted()).toEqual(names(20).toSorted());
    expect(first).not.toEqual(second);
  });

  it('leaves out the dead, keeps the suspect', () => {
    const { node, order } = setUp(3);
    node.claims.dead(0, { type: 'dead', name: 'n0', incarnation: 1, from: 'n1' });
    node.claims.suspect(0, { type: 'suspect', name: 'n1', incarnation: 1, from: 'n2' });
    const round = [order.next(), order.next()].map((member) => member?.meta.name);
    expect(round.toSorted()).toEqual(['n1', 'n2']);
  });

  it('takes a newcomer within the round under way', () => {
    const { node, order } = setUp(50);
    order.next();
    node.knows('new');
    order.add('new');
    const rest = names(50).map(() => order.next()?.meta.name);
    expect(rest).toContain('new');
  });

  it('is empty for a lone node', () => {
    expect(setUp(0).order.next()).toBeUndefined();
  });
});
