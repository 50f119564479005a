import { describe, expect, it } from 'vitest';
import { BusyError, type Call, type Driver, type Work, type WorkResult } from './model.ts';
import { operationsOf, type Plan, targetId } from './plan.ts';

const PLAN: Plan = { of: 'execute', kind: 'sequence', prefix: 'p', count: 3, payloadBytes: 0 };

/** Runs everything as it should be, but for what the test says. */
function driver(
  execute: (work: Work) => unknown = ({ input }): WorkResult => ({ value: input.value, n: input.count }),
  call?: (call: Call) => unknown,
): Driver {
  const rest = { execute: async (work: Work) => execute(work), close: async () => {} };
  return call === undefined ? rest : { ...rest, call: async (what: Call) => call(what) };
}

describe('a workflow of a load', () => {
  it('has an id of its own among all clients, and a payload of the size that was asked for', async () => {
    const seen: Work[] = [];
    const noting = driver((work) => {
      seen.push(work);
      return { value: work.input.value, n: 3 };
    });
    for (const client of [0, 1]) {
      const { run } = operationsOf({ ...PLAN, payloadBytes: 1_000 }, noting, client);
      for (const n of [0, 1]) await run(n);
    }
    expect(seen.map(({ id }) => id)).toEqual(['p-0-0', 'p-0-1', 'p-1-0', 'p-1-1']);
    expect(seen.map(({ input }) => input.value.length)).toEqual([1_000, 1_000, 1_000, 1_000]);
    expect(new Set(seen.map(({ input }) => input.value)).size).toBe(4);
  });

  it.each([
    ['too few steps', { value: 'p-0-7', n: 2 }],
    ["another workflow's value", { value: 'p-0-8', n: 3 }],
    ['nothing', undefined],
    ['a text', 'p-0-7'],
  ])('fails the run when it returns %s', async (_, result) => {
    const { run } = operationsOf(
      PLAN,
      driver(() => result),
      0,
    );
    await expect(run(7)).rejects.toThrow(/^wrong result: p-0-7 returned .*, expected {"value":"p-0-7","n":3}$/);
  });

  it('is tried again while the system is full, and that is counted', async () => {
    let full = 2;
    const operations = operationsOf(
      PLAN,
      driver(({ input }) => {
        if (full > 0) {
          full -= 1;
          throw new BusyError('full');
        }
        return { value: input.value, n: input.count };
      }),
      0,
    );
    await operations.run(0);
    expect(operations.refused).toBe(2);
  });

  it('is not tried again for any other reason', async () => {
    const failing = driver(() => {
      throw new Error('it failed');
    });
    const operations = operationsOf(PLAN, failing, 0);
    await expect(operations.run(0)).rejects.toThrow('it failed');
    expect(operations.refused).toBe(0);
  });
});

describe('other calls', () => {
  it.each(['signal', 'reset'] as const)(
    'go to the targets in turn, each client beginning with another: %s',
    async (of) => {
      const ids: string[] = [];
      const noting = driver(undefined, (call) => void ids.push('id' in call ? call.id : ''));
      for (const client of [0, 1]) {
        const { run } = operationsOf({ of, prefix: 's', targets: 3 }, noting, client);
        for (const n of [0, 1, 2]) await run(n);
      }
      expect(ids).toEqual([0, 1, 2, 1, 2, 0].map((i) => targetId('s', i)));
    },
  );

  it.each<[Plan, unknown, RegExp]>([
    [{ of: 'query', prefix: 'q', targets: 1, expected: 5 }, 4, /wrong result: q-0 returned 4, expected 5/],
    [
      { of: 'activity', prefix: 'a' },
      { value: 'a-0-0', n: 0 },
      /wrong result: a-0-0 returned .*, expected {"value":"a-0-0","n":1}/,
    ],
    [{ of: 'count', filter: 'F', expected: 9 }, 8, /wrong result: F returned 8, expected 9/],
    [
      { of: 'list', filter: 'F', atMost: 2, expected: 2, prefix: 'a' },
      ['a', 'a'],
      /wrong result: the list of F returned 1, expected 2/,
    ],
    [
      { of: 'list', filter: 'F', atMost: 2, expected: 2, prefix: 'a' },
      ['a', 'b'],
      /wrong result: the list of F returned -1, expected 2/,
    ],
  ])('are checked too: %j', async (plan, answer, message) => {
    await expect(
      operationsOf(
        plan,
        driver(undefined, () => answer),
        0,
      ).run(0),
    ).rejects.toThrow(message);
  });

  it('are refused by name where a system knows none', async () => {
    const { run } = operationsOf({ of: 'signal', prefix: 's', targets: 1 }, driver(), 0);
    await expect(run(0)).rejects.toThrow('this system knows no signal');
  });
});
