import { afterAll } from 'vitest';
import type { AtEnd } from './processes.ts';

/** For what all tests of a file share: undone once they are over, the last first. Called while the file is loaded. */
export function undoneAtFileEnd(): AtEnd {
  const undo: (() => unknown)[] = [];
  afterAll(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });
  return (step) => undo.push(step);
}
