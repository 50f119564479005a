// What a workflow id remembers of the requests it applied: the same from rows and live, never too little, bounded, and cheap.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../wire/codec.ts';
import { StatusCode } from '../../wire/status.ts';
import { fingerprint } from './fingerprint.ts';
import { REQUESTS_PER_CHUNK, RequestIds } from './request-ids.ts';
import { packRow, unpackRow } from './row-codec.ts';
import { chunkOf, chunkRowId, type RequestChunkRow } from './rows.ts';
import { command, World } from './testing.ts';

const TTL = 600_000;

/** As storage would give it back. */
const stored = (row: RequestChunkRow): RequestChunkRow =>
  // What was packed as a row of request ids is one.
  unpackRow('chain', chunkRowId(0), decode(encode(packRow('chain', chunkRowId(0), row)))) as RequestChunkRow;

function reread(ids: RequestIds): RequestIds {
  const copy = new RequestIds();
  for (const [number, row] of ids.entries()) copy.apply(number, stored(row));
  return copy;
}

const add = (ids: RequestIds, id: string, run = 'run-1', at = 0): void => ids.apply(...ids.with(id, run, at, TTL));

/** Like those of clients: random, counted, long, empty but for one letter, and alike in all but the end. */
const requestId = fc.oneof(
  fc.uuid(),
  fc.nat({ max: 400 }).map((n) => `order-${n}`),
  fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }),
  fc.nat({ max: 50 }).map((n) => 'x'.repeat(n + 1)),
);

describe('fingerprints', () => {
  it('are those of MurmurHash3 over the code units', () => {
    // Two bytes of text in each code unit, so that it is the algorithm's usual test text.
    const inPairs = (text: string): string => Buffer.from(text, 'latin1').toString('utf16le');
    const hex = (id: string): string => Buffer.from(fingerprint(id)).toString('hex');
    expect(hex('')).toBe('0'.repeat(32));
    expect(hex(inPairs('I will not buy this record, it is scratched.'))).toBe('a0a9683b25ac5e40d9af2895890dddf5');
    expect(hex('order-17')).toBe('e7526d9aa244e54a0a480506932b173f');
  });

  it('differ for ids that hardly differ', () => {
    const seen = new Set<string>();
    let n = 0;
    for (; n < 20_000; n += 1) seen.add(Buffer.from(fingerprint(`signal-${n}`)).toString('latin1'));
    for (let length = 0; length < 1_000; length += 1, n += 1) {
      seen.add(Buffer.from(fingerprint('\0'.repeat(length))).toString('latin1'));
    }
    expect(seen.size).toBe(n);
  });

  it('change in about half of their bits with any bit of the id', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.nat(35), (id, at) => {
        const other = `${id.slice(0, at)}~${id.slice(at + 1)}`;
        const [a, b] = [fingerprint(id), fingerprint(other)];
        const bits = a.reduce((sum, byte, i) => sum + (byte ^ (b[i] ?? 0)).toString(2).replaceAll('0', '').length, 0);
        expect(bits).toBeGreaterThan(24);
        expect(bits).toBeLessThan(104);
      }),
    );
  });
});

describe('request ids', () => {
  it('are known as a set of them is, live and from rows, whatever is added and forgotten', () => {
    type Step = { add: string; run: string } | { forget: number } | { ask: string } | { read: true };
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 20, arbitrary: fc.record({ add: requestId, run: fc.constantFrom('run-1', 'run-1', 'run-2') }) },
      { weight: 2, arbitrary: fc.record({ forget: fc.integer({ min: 1, max: 3 }) }) },
      { weight: 4, arbitrary: fc.record({ ask: requestId }) },
      { weight: 1, arbitrary: fc.constant({ read: true } as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
        let ids = new RequestIds();
        const model = new Map<number, { run: string; ids: string[] }>();
        const runOf = (id: string): string | undefined => [...model.values()].find((row) => row.ids.includes(id))?.run;
        for (const next of steps) {
          if ('add' in next) {
            if (runOf(next.add) !== undefined) continue;
            const [number, row] = ids.with(next.add, next.run, 0, TTL);
            ids.apply(number, row);
            const known = model.get(number) ?? { run: next.run, ids: [] };
            known.ids.push(next.add);
            model.set(number, known);
          } else if ('forget' in next) {
            for (const number of [...model.keys()].slice(0, next.forget)) {
              model.delete(number);
              ids.apply(number, undefined);
            }
          } else if ('read' in next) ids = reread(ids);
          else expect(ids.runOf(next.ask)).toBe(runOf(next.ask));
        }
        for (const row of model.values()) for (const id of row.ids) expect(ids.runOf(id)).toBe(row.run);
        expect(ids.size).toBe([...model.values()].reduce((sum, row) => sum + row.ids.length, 0));
        expect(ids.chunks).toBe(model.size);
      }),
      { numRuns: 100 },
    );
  });

  it('lie together in rows of one run each', () => {
    const ids = new RequestIds();
    for (let n = 0; n < 2 * REQUESTS_PER_CHUNK; n += 1) add(ids, `a${n}`);
    expect(ids.chunks).toBe(2);
    add(ids, 'b', 'run-2');
    expect([...ids.entries()].map(([number, { runId }]) => [number, runId])).toEqual([
      [0, 'run-1'],
      [1, 'run-1'],
      [2, 'run-2'],
    ]);
    expect(Math.max(...[...ids.entries()].map(([, row]) => encode(packRow('chain', 'q', row)).length))).toBeLessThan(
      600,
    );
  });

  it('are named in the order of their numbers', () => {
    const names = [0, 1, 35, 36, 20_000, 2 ** 31].map(chunkRowId);
    expect([...names].sort()).toEqual(names);
    expect(names.map(chunkOf)).toEqual([0, 1, 35, 36, 20_000, 2 ** 31]);
    expect(['', 'rq1'].map(chunkOf)).toEqual([undefined, undefined]);
  });

  it('of a damaged row are refused', () => {
    const damaged = packRow('chain', 'q1', { runId: 'run-1', at: 1, ids: new Uint8Array(17) });
    expect(() => unpackRow('chain', 'q1', damaged)).toThrow('fingerprints');
  });
});

describe('a workflow id', () => {
  it('remembers each request of 600,000 in ten minutes, within its bounds', () => {
    const world = new World({ signalsPerRun: 1_000_000 });
    const { applied } = world.state;
    // As many rows as a signal a millisecond leaves, put there at once: the rest of a signal is not what this is about.
    for (let n = 0; n < 600_000; n += 1) {
      const [number, row] = applied.with(`signal-${n}`, 'run-1', n, TTL);
      applied.apply(number, row);
    }
    expect(applied.size).toBe(600_000);
    expect(applied.size).toBeLessThan(world.limits.requestIds);
    expect(applied.chunks).toBeLessThan(world.limits.requestRows);
    for (let n = 0; n < 600_000; n += 997) expect(applied.runOf(`signal-${n}`)).toBe('run-1');
    expect(applied.runOf('signal-600000')).toBeUndefined();
  });

  it('goes on taking requests at a steady rate for ever, and remembers those of the last ten minutes', () => {
    const perTtl = 500;
    const world = new World({ requestIds: perTtl + 2 * REQUESTS_PER_CHUNK, requestRows: 40, signalsPerRun: 10_000 });
    world.start();
    for (let n = 0; n < 6 * perTtl; n += 1) {
      world.pass(world.limits.requestIdTtl / perTtl);
      world.signal(`s${n}`);
      const before = world.state.run?.row.facts.signalCount;
      // The oldest that is promised, and the newest.
      for (const again of [n - perTtl + 1, n]) if (again >= 0) world.signal(`s${again}`);
      expect(world.state.run?.row.facts.signalCount).toBe(before);
    }
    expect(world.state.applied.chunks).toBeLessThanOrEqual(20);
  });

  it('refuses what it could not remember, and takes it when the oldest are forgotten', () => {
    const world = new World({ requestRows: 5 });
    for (const run of ['a', 'b', 'c']) {
      world.start({ runId: run });
      world.signal(run);
      if (run !== 'c') world.work(command.complete());
    }
    // Two starts of earlier runs, and three rows of signals.
    expect(world.refuse(world.signalMessage('d')).code).toBe(StatusCode.RESOURCE_EXHAUSTED);
    world.signal('a');
    world.pass(world.limits.requestIdTtl);
    world.signal('d');
    expect(world.state.applied.runOf('signal-d')).toBe('c');
    expect(world.state.applied.runOf('signal-a')).toBeUndefined();
  });

  it('knows a repeat after its run continued as new, and from rows', () => {
    const world = new World();
    world.start({ runId: 'run-a' });
    world.signal('first');
    world.work(command.continueAsNew());
    world.reload();
    world.signal('first');
    expect(world.state.run?.row.facts.signalCount).toBe(0);
    const again = world.startMessage({ conflictPolicy: 2, requestId: 'joined' });
    const met = world.accept(again).reply;
    world.reload();
    expect(world.accept(again).reply).toEqual(met);
  });

  it('leaves no row when its last run is deleted', () => {
    const world = new World();
    world.start();
    world.signal('s');
    world.terminate();
    world.accept({ type: 'deleteRun', runId: world.state.run?.runId ?? '' });
    expect(world.rows.size).toBe(0);
  });
});
