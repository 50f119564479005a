import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Queue } from './queue.ts';

describe('a queue', () => {
  it('gives its members in their order, each once, whoever leaves in between', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(20))), (steps) => {
        const queue = new Queue<number>();
        let model: number[] = [];
        for (const [what, n] of steps) {
          if (what === 0) {
            queue.add(n);
            if (!model.includes(n)) model.push(n);
          } else if (what === 1) {
            queue.delete(n);
            model = model.filter((member) => member !== n);
          } else {
            expect(queue.shift()).toBe(model.shift());
          }
          expect(queue.size).toBe(model.length);
          expect(queue.has(n)).toBe(model.includes(n));
        }
        while (model.length > 0) expect(queue.shift()).toBe(model.shift());
        expect(queue.shift()).toBeUndefined();
      }),
    );
  });
});
