import { describe, expect, it } from 'vitest';
import { metaOf, TestNode } from './parts.test-support.ts';

describe('metadata', () => {
  it('is announced at once, then at most once per interval, the last state always', () => {
    const node = new TestNode({ metaIntervalMs: 1_000 }).knows('a');
    node.own.setMeta(0, metaOf('self', { zone: 'z1' }));
    expect(node.news()).toMatchObject([{ type: 'alive', incarnation: 2, meta: { zone: 'z1' } }]);
    node.own.setMeta(10, metaOf('self', { zone: 'z2' }));
    node.own.setMeta(20, metaOf('self', { zone: 'z3' }));
    expect(node.news()).toMatchObject([{ meta: { zone: 'z1' } }]);
    expect(node.own.dueAtMs).toBe(1_000);
    node.own.run(1_000);
    expect(node.news()).toMatchObject([{ type: 'alive', incarnation: 4, meta: { zone: 'z3' } }]);
    expect(node.own.dueAtMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('that did not change is no news', () => {
    const node = new TestNode();
    node.own.setMeta(0, metaOf('self'));
    expect(node.changes()).toEqual([]);
    expect(node.parts.self.incarnation).toBe(1);
  });
});

describe('a load', () => {
  const first = { loadIntervalMs: 1_000, loadStep: 5 };

  it.each([
    [4, false],
    [5, true],
    [100, true],
  ])('of %i after 0 is told: %s', (load, told) => {
    const node = new TestNode(first).knows('a');
    node.own.setLoad(2_000, load);
    expect(node.news().length).toBe(told ? 1 : 0);
  });

  it('is told at a bounded rate, the last one always', () => {
    const node = new TestNode(first).knows('a');
    node.own.setLoad(2_000, 10);
    node.own.setLoad(2_001, 20);
    node.own.setLoad(2_002, 30);
    expect(node.news()).toMatchObject([{ load: 10, loadVersion: 1 }]);
    expect(node.own.dueAtMs).toBeGreaterThanOrEqual(3_000);
    expect(node.own.dueAtMs).toBeLessThanOrEqual(3_500);
    node.own.run(node.own.dueAtMs);
    expect(node.news()).toMatchObject([{ load: 30, loadVersion: 2 }]);
  });

  it('is told less often in a large cluster', () => {
    const node = new TestNode({ ...first, loadIntervalPerMemberMs: 250 }).knows(
      ...Array.from({ length: 99 }, (_, index) => `n${index}`),
    );
    node.own.setLoad(50_000, 10);
    node.own.setLoad(50_001, 20);
    expect(node.own.dueAtMs).toBeGreaterThanOrEqual(75_000);
    expect(node.own.dueAtMs).toBeLessThanOrEqual(87_500);
  });

  it('first told waits for a random part of the pause: nodes started together must not tell together', () => {
    const node = new TestNode(first).knows('a');
    node.own.setLoad(0, 10);
    expect(node.news()).toEqual([]);
    expect(node.own.dueAtMs).toBeGreaterThan(0);
    expect(node.own.dueAtMs).toBeLessThanOrEqual(1_000);
  });

  it('that falls back before it could be told is not', () => {
    const node = new TestNode(first).knows('a');
    node.own.setLoad(2_000, 10);
    node.own.setLoad(2_001, 20);
    node.own.setLoad(2_002, 10);
    expect(node.own.dueAtMs).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('leaving', () => {
  it('is told until everybody should know, then over', () => {
    const node = new TestNode({ leaveTimeoutMs: 5_000 }).knows('a');
    node.own.leave(0);
    expect(node.changes()).toEqual(['left self']);
    node.own.checkDeparture();
    expect(node.own.status).toBe('leaving');
    for (let told = 0; told < 20; told += 1) node.parts.broadcasts.take(1_000, 2);
    node.own.checkDeparture();
    expect(node.own.status).toBe('departed');
    expect(node.others()).toEqual([{ type: 'departed' }]);
  });

  it('takes no longer than its time', () => {
    const node = new TestNode({ leaveTimeoutMs: 5_000 }).knows('a');
    node.own.leave(0);
    expect(node.own.dueAtMs).toBe(5_000);
    node.own.run(5_000);
    expect(node.own.status).toBe('departed');
  });

  it('says how it drains, which it may have had no time to announce', () => {
    const node = new TestNode().knows('a');
    node.own.setMeta(0, metaOf('self', { zone: 'z' }));
    node.news();
    node.own.setMeta(1, metaOf('self', { zone: 'z', draining: 'everything' }));
    node.own.leave(2);
    expect(node.news()).toEqual([{ type: 'left', name: 'self', incarnation: 3, draining: 'everything' }]);
  });

  it('refutes nothing any more, and changes nothing', () => {
    const node = new TestNode().knows('a');
    node.own.leave(0);
    node.own.refute(1, 5);
    node.own.setLoad(1, 50);
    node.own.setMeta(1, metaOf('self', { zone: 'z' }));
    expect(node.news()).toEqual([{ type: 'left', name: 'self', incarnation: 1, draining: 'no' }]);
    expect(node.own.status).toBe('leaving');
  });
});
