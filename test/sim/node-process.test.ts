// What happens in a process of the simulated cluster is that process's: its timers live and die with it, and what came while it stood still comes in order.

import { describe, expect, it } from 'vitest';
import { NodeProcess } from './cluster/node-process.ts';
import { withVirtualTime } from './host-time.ts';
import { Kernel } from './kernel.ts';

const CLOCK = { rate: 1, wallRate: 1, ms: 0 };

const run = (kernel: Kernel, until: number): Promise<void> =>
  withVirtualTime(kernel, () => kernel.run(until, () => false));

describe('a process of the simulated cluster', () => {
  it('keeps the timers that its promises set, when another one acted in the same event and dies', async () => {
    const kernel = new Kernel(1);
    const reader = new NodeProcess(kernel, 'reader', CLOCK);
    const writer = new NodeProcess(kernel, 'writer', CLOCK);
    const rang: string[] = [];
    kernel.after(1, 'a stream carries something', () => {
      reader.act(() => void Promise.resolve().then(() => setTimeout(() => rang.push('reader'), 10)));
      writer.act(() => void Promise.resolve().then(() => setTimeout(() => rang.push('writer'), 10)));
    });
    kernel.after(5, 'it is killed', () => writer.kill());
    await run(kernel, 100);
    expect(rang).toEqual(['reader']);
  });

  it('acts at once where nobody else has acted, and at the same instant where somebody has', async () => {
    const kernel = new Kernel(1);
    const [a, b] = ['a', 'b'].map((name) => new NodeProcess(kernel, name, CLOCK));
    const seen: string[] = [];
    kernel.after(1, 'both', () => {
      a?.act(() => seen.push(`a at ${kernel.now}`));
      b?.act(() => seen.push(`b at ${kernel.now}`));
      seen.push('the event ends');
    });
    kernel.after(1.001, 'later', () => seen.push('later'));
    await run(kernel, 100);
    expect(seen).toEqual(['a at 1', 'the event ends', 'b at 1', 'later']);
  });

  it('goes on in the order in which things came while it stood still', async () => {
    const kernel = new Kernel(1);
    const node = new NodeProcess(kernel, 'node', CLOCK);
    const came: number[] = [];
    kernel.after(1, 'stands still', () => node.pause());
    for (let n = 0; n < 50; n += 1) kernel.after(2 + n, 'something comes', () => node.act(() => came.push(n)));
    kernel.after(90, 'goes on', () => node.resume());
    await run(kernel, 100);
    expect(came).toEqual(Array.from({ length: 50 }, (_, n) => n));
  });
});
