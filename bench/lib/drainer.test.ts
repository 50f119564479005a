import type { Connection } from 'tenuto/client';
import { describe, expect, it } from 'vitest';
import { Drainer, type DrainerOptions } from './drainer.ts';

interface FakeNode {
  readonly credits: number[];
  push(workflowId: string, attempt?: number): void;
}

const TOTAL = 10;

/** Nodes that take registrations and completions, and push what a test says. */
function nodes(count: number): { fakes: FakeNode[]; served: object[] } {
  const fakes: FakeNode[] = [];
  const served = Array.from({ length: count }, () => {
    const handlers: ((task: object) => void)[] = [];
    const credits: number[] = [];
    fakes.push({
      credits,
      push: (workflowId, attempt = 1) => {
        for (const handler of handlers) handler({ workflowId, attempt, token: Uint8Array.of(1) });
      },
    });
    return {
      onPush: (_: string, handler: (task: object) => void) => void handlers.push(handler),
      request: async (_: string, { workflowCredit }: { workflowCredit: number }) => void credits.push(workflowCredit),
      ask: async () => ({}),
    };
  });
  return { fakes, served };
}

/** @param known what the connection says of the nodes, again and again */
function drain(
  known: readonly object[][],
  options: Partial<DrainerOptions>,
): { drainer: Drainer; ended: Promise<void> } {
  const serveNodes = (handler: (nodes: object[]) => void) => {
    for (const each of known) handler(each);
    return () => {};
  };
  const drainer = new Drainer({
    // All that it uses of a connection.
    connection: { serveNodes } as unknown as Connection,
    ...{ taskQueue: 'q', nodes: 1, credit: 4, upTo: TOTAL, total: TOTAL, orderless: 2 },
    ...{ numberOf: Number, isUrgent: (n) => n >= 8, completed: () => {} },
    ...options,
  });
  return { drainer, ended: drainer.run() };
}

describe('a drainer', () => {
  it('ends when all came once, urgent ones first', async () => {
    const { fakes, served } = nodes(1);
    const { drainer, ended } = drain([served], {});
    for (const n of [8, 9, 0, 1, 2, 3, 4, 5, 6, 7]) fakes[0]?.push(String(n));
    await ended;
    expect(drainer).toMatchObject({ aheadOfUrgent: 0, overtakenPlaces: 0, lateMs: 0 });
  });

  it('says how many came before urgent ones, and how far one was overtaken', async () => {
    const { fakes, served } = nodes(1);
    const { drainer, ended } = drain([served], {});
    for (const n of [1, 2, 5, 8, 9, 0, 3, 4, 6, 7]) fakes[0]?.push(String(n));
    await ended;
    expect(drainer).toMatchObject({ aheadOfUrgent: 3, overtakenPlaces: 5 });
  });

  it.each([
    ['that came twice', [0, 0], 1, 'the task of 0 came twice (attempt 1)'],
    ['whose first attempt was lost', [0], 2, 'the task of 0 came twice (attempt 2)'],
  ])('fails for a task %s', async (_, numbers, attempt, message) => {
    const { fakes, served } = nodes(1);
    const { ended } = drain([served], {});
    for (const n of numbers) fakes[0]?.push(String(n), attempt);
    await expect(ended).rejects.toThrow(message);
  });

  it('registers once with each of all nodes, whatever order they become known in', async () => {
    const { fakes, served } = nodes(3);
    const [a, b, c] = served;
    if (a === undefined || b === undefined || c === undefined) throw new Error('there are three');
    const { ended } = drain([[a], [a, c, b], [a, b, c]], { nodes: 3 });
    expect(fakes.map(({ credits }) => credits).sort()).toEqual([[1], [1], [2]]);
    for (let n = 0; n < TOTAL; n += 1) fakes[n % 3]?.push(String(n));
    await ended;
  });
});
