import { describe, expect, it } from 'vitest';
import { TestNode } from './parts.test-support.ts';
import { Reaper } from './reaper.ts';

describe('the reaper', () => {
  it('forgets each after its time, the living never', () => {
    const node = new TestNode({ leftRetainMs: 100_000, deadRetainMs: 500_000 }).knows('alive', 'dead', 'left');
    node.claims.dead(0, { type: 'dead', name: 'dead', incarnation: 1, from: 'x' });
    node.claims.left(0, { type: 'left', name: 'left', incarnation: 1 });
    const reaper = new Reaper(node.parts, 0);
    const names = (): string[] => [...node.parts.table.values()].map(({ meta }) => meta.name);
    for (const until of [100_000, 106_000, 500_000, 506_000]) {
      while (reaper.dueAtMs <= until) reaper.run(reaper.dueAtMs);
      if (until === 100_000) expect(names()).toEqual(['self', 'alive', 'dead', 'left']);
      if (until === 106_000) expect(names()).toEqual(['self', 'alive', 'dead']);
    }
    expect(names()).toEqual(['self', 'alive']);
  });
});
