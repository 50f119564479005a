// What a workflow id remembers of the requests it applied: the same from rows and live, never too little, bounded, and cheap.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../wire/codec.ts';
import { StatusCode } from '../../wire/status.ts';
import { fingerprint } from './fingerprint.ts';
import { applyRemembered } from './remembered.ts';
import { REQUESTS_PER_CHUNK, RequestIds } from './request-ids.ts';
import { packRow, unpackRow } from './row-codec.ts';
import { chunkOf, chunkRowId, type RequestChunkRow } from './rows.ts';
import { emptyState } from './state.ts';
import { command, World } from './testing.ts';
import { Turn } from './turn.ts';

const TTL = 600_000;

/** Limits of requests that are remembered. */
const idsOf = (requestIdsAtOnce: number, requestIdsPerTtl: number) => ({ requestIdsAtOnce, requestIdsPerTtl });

const refused = { code: StatusCode.RESOURCE_EXHAUSTED, detail: { cause: 'REQUEST_IDS' } };

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
    const { limits, state } = new World();
    const { applied } = state;
    // As many rows as a signal a millisecond leaves, put there at once: the rest of a signal is not what this is about.
    for (let n = 0; n < 600_000; n += 1) {
      const [number, row] = applied.with(`signal-${n}`, 'run-1', n, TTL);
      applyRemembered(state, chunkRowId(number), row);
    }
    expect(applied.size).toBe(600_000);
    expect(state.pace?.cost).toBeLessThan(limits.requestIdsPerTtl);
    for (let n = 0; n < 600_000; n += 997) expect(applied.runOf(`signal-${n}`)).toBe('run-1');
    expect(applied.runOf('signal-600000')).toBeUndefined();
  });

  it('goes on taking requests at a steady rate for ever, and remembers those of the last ten minutes', () => {
    const perTtl = 500;
    const world = new World({ ...idsOf(200, 2 * perTtl), signalsPerRun: 10_000 });
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

  it('refuses what it could not remember, and takes it when as much has come free', () => {
    // Two starts of earlier runs and three rows of signals are more by 17.
    const world = new World(idsOf(2 * 32 + 2 * 17 + 1, 17));
    for (const run of ['a', 'b', 'c']) {
      world.start({ runId: run });
      world.signal(run);
      if (run !== 'c') world.work(command.complete());
    }
    expect(world.refuse(world.signalMessage('d'))).toMatchObject(refused);
    world.signal('a');
    world.pass(world.limits.requestIdTtl - 60_000);
    expect(world.refuse(world.signalMessage('d'))).toMatchObject(refused);
    world.pass(60_000);
    world.signal('d');
    expect(world.state.applied.runOf('signal-d')).toBe('c');
    expect(world.state.applied.runOf('signal-a')).toBeUndefined();
  });

  it('under more requests than it may remember is slowed down, and never stands still', () => {
    const [atOnce, perTtl] = [300, 600];
    const world = new World({ ...idsOf(atOnce, perTtl), signalsPerRun: 100_000 });
    world.start();
    // Three signals a second for forty minutes.
    const [offered, within] = [40 * 60 * 3, 10 * 60 * 3];
    const takenInMinute: number[] = [];
    const taken: number[] = [];
    for (let n = 0; n < offered; n += 1) {
      if (n % 180 === 0) takenInMinute.push(0);
      if (n % 1_001 === 0) world.reload();
      if (world.send(world.signalMessage(`s${n}`)).ok) {
        takenInMinute.push((takenInMinute.pop() ?? 0) + 1);
        taken.push(n);
      }
      // One of those that were taken comes again: known, if it was within the time.
      const again = taken[(n * 7) % taken.length] ?? n;
      if (n - again < within) {
        const { size } = world.state.applied;
        world.signal(`s${again}`);
        expect(world.state.applied.size).toBe(size);
      }
      expect(world.state.pace?.cost).toBeLessThan(1.05 * (atOnce + perTtl));
      world.now += 1_000 / 3;
    }
    // At once 200 and more, as a full row of 32 costs 48; then 40 a minute, or fewer by what a row costs that begins in it.
    expect(taken.filter((n) => n < 210).length).toBeGreaterThan(200);
    expect(Math.min(...takenInMinute)).toBeGreaterThanOrEqual(24);
    expect(taken.filter((n) => n >= within).length).toBeGreaterThan(30 * 39);
  });

  it('takes what is to end or hold it while it takes no signals for now', () => {
    const world = new World({ ...idsOf(1_000, 1_000), signalsPerRun: 10_000 });
    world.start();
    let n = 0;
    while (world.send(world.signalMessage(`s${n}`)).ok) n += 1;
    expect(world.refuse(world.startMessage({ requestId: 'again' }))).toMatchObject(refused);
    const held = { identity: 'me', reason: 'too much', target: {} } as const;
    world.accept({ type: 'pauseWorkflow', requestId: 'p', ...held });
    world.accept({ type: 'unpauseWorkflow', requestId: 'u', ...held });
    world.cancel('c');
    // They are remembered, too; and whoever does so without end does not keep others from ending it.
    const hold = () =>
      world.send({ type: n % 2 === 0 ? 'pauseWorkflow' : 'unpauseWorkflow', requestId: `p${n}`, ...held });
    for (n = 0; hold().ok && n < 100; n += 1);
    expect(n).toBeGreaterThan(20);
    expect(n).toBeLessThan(50);
    world.cancel('another');
    world.terminate();
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

describe('ids that are remembered together', () => {
  const many = Array.from({ length: 70 }, (_, i) => `update-${i}`);

  it('are known as if they had come one by one, in rows of their own', () => {
    const ids = new RequestIds();
    add(ids, 'before');
    const rows = ids.withAll(many, 'run-1', 5);
    expect(rows.map(([number]) => number)).toEqual([1, 2, 3]);
    for (const [number, row] of rows) ids.apply(number, row);
    for (const known of [ids, reread(ids)]) {
      expect(known.size).toBe(71);
      for (const id of [...many, 'before']) expect(known.runOf(id)).toBe('run-1');
      expect(known.newestOf('update-69')?.at).toBe(5);
      expect(known.runOf('update-70')).toBeUndefined();
    }
    expect(ids.withAll([], 'run-1', 5)).toEqual([]);
  });

  it('and come again in a later run are of that one', () => {
    const ids = new RequestIds();
    for (const run of ['run-1', 'run-2', 'run-3'])
      for (const [number, row] of ids.withAll(many, run, 5)) ids.apply(number, row);
    for (const known of [ids, reread(ids)]) for (const id of many) expect(known.runOf(id)).toBe('run-3');
  });

  it('make as many go as come, once their time is over', () => {
    const state = emptyState('n', 'w');
    const { applied } = state;
    for (let run = 0; run < 40; run += 1)
      for (const [number, row] of applied.withAll(many, `run-${run}`, run)) applied.apply(number, row);
    const context = { ...new World().context(), now: TTL + 1_000 };
    const turn = new Turn(state, context);
    turn.rememberAll(
      Array.from({ length: 640 }, (_, i) => `update-${i}`),
      'run-40',
    );
    const { rows } = turn.outcome({ type: 'accepted' });
    const [gone, come] = [
      rows.filter(({ value }) => value === undefined),
      rows.filter(({ value }) => value !== undefined),
    ];
    expect(come).toHaveLength(20);
    expect(gone).toHaveLength(24);
  });
});
