// Figures that only a process itself knows, of a real one whose thread does the work: from dist/, as the bench runs.
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { askInside, together } from './inside.ts';

const built = (name: string): string => new URL(`../../dist/bench/lib/${name}.js`, import.meta.url).href;

/** Makes garbage for 30 of each 40 ms. */
const BUSY = `
  let kept = [];
  setInterval(() => {
    for (const until = Date.now() + 30; Date.now() < until; ) kept = Array.from({ length: 20_000 }, (_, n) => ({ n }));
  }, 40);
`;

it('are those of all threads of a process: collecting in sum, and the worst delay', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenuto-inside-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const script = join(folder, 'process.mjs');
  // A thread of a file, as a worker's are: what is evaluated has nothing preloaded.
  writeFileSync(join(folder, 'thread.mjs'), BUSY);
  writeFileSync(
    script,
    `import { Worker } from 'node:worker_threads';
     import { answerInside } from ${JSON.stringify(built('inside'))};
     answerInside();
     new Worker(new URL('./thread.mjs', import.meta.url));
     process.on('disconnect', () => process.exit(0));`,
  );
  const figuresWith = async (execArgv: string[]) => {
    const child = fork(script, { execArgv, serialization: 'advanced' });
    onTestFinished(() => void child.kill('SIGKILL'));
    // Until the thread has had its share of time, on a busy machine later; not so long that the main thread alone comes to as much.
    for (let sum = { gcMs: 0, delayMs: 0 }, n = 0; ; n += 1) {
      const { gcMs = 0, eventLoopDelayP99Ms = 0 } = await askInside(child);
      sum = { gcMs, delayMs: Math.max(sum.delayMs, eventLoopDelayP99Ms) };
      if (n > 10 && (gcMs > 20 || execArgv.length === 0 || n > 60)) return sum;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const [all, main] = await Promise.all([figuresWith(['--import', built('inside-thread')]), figuresWith([])]);
  expect(all.gcMs).toBeGreaterThan(20);
  expect(all.delayMs).toBeGreaterThan(10);
  // Nothing of the thread is in the main thread's own.
  expect(main.gcMs).toBeLessThan(20);
});

it('of several threads are added up', () => {
  expect(together([{ gcMs: 1, eventLoopDelayP99Ms: 5 }, { gcMs: 2, eventLoopDelayP99Ms: 3 }, {}])).toEqual({
    gcMs: 3,
    eventLoopDelayP99Ms: 5,
  });
});
