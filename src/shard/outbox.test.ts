// The outbox: a message to another actor is applied exactly once and in order, whatever is killed when. A fake core sends a signal on for every
// signal it is given: what real workflows do with it is in relations.test.ts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../core/workflow/message.ts';
import type { Outcome } from '../core/workflow/outcome.ts';
import { RequestIds } from '../core/workflow/request-ids.ts';
import type { ChainRow } from '../core/workflow/rows.ts';
import type { SentMessage } from '../core/workflow/sent-message.ts';
import { key } from '../ports/ids.ts';
import type { Store } from '../ports/store.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { decode } from '../wire/codec.ts';
import { type ActorCore, type ActorState, workflowCore } from './core.ts';
import { base, rowKey, shardOf } from './keys.ts';
import { Outbox } from './outbox.ts';
import { Overlay } from './overlay.ts';
import { Reader } from './reader.ts';
import { Inbox } from './shard.ts';
import { NAMESPACE, VirtualTime, World } from './testing.ts';

/** Signals are named by a route, `b>c`: each actor notes what it got and sends the rest on to the next. */
interface Note {
  got: string[];
}
// The engine passes states through and looks at nothing in them but the request ids, whose bytes it counts.
const asState = (note: Note): ActorState => ({ ...note, applied: new RequestIds() }) as unknown as ActorState;
const asNote = (state: ActorState): Note => state as unknown as Note;

/** That there is an actor, and the row with its notes. */
const CHAIN: ChainRow = { currentRunId: 'r', start: { type: 'start', requestId: 's', runId: 'r', at: 0 } };
const NOTES = 'rnotes';

/** Actors whose rows are damaged at present. */
const sick = new Set<string>();

const relay: ActorCore = {
  ...workflowCore,
  empty: () => asState({ got: [] }),
  load: (_namespace, workflowId, rows) => {
    if (sick.has(workflowId)) throw new Error(`${workflowId} is sick`);
    for (const { value } of rows) if ('got' in value) return asState({ got: value.got as string[] });
    return asState({ got: [] });
  },
  decide: (state, message) => {
    if (message.type !== 'signal') return { ok: false, status: { code: 3, message: 'only signals' } };
    const got = [...asNote(state).got, message.requestId];
    const [next, ...rest] = message.signalName.split('>');
    const outcome: Outcome = {
      ok: true,
      rows: [
        { table: 'chain', runId: '', id: '', value: CHAIN },
        { table: 'chain', runId: '', id: NOTES, value: { got } },
      ],
      events: [],
      effects: [],
      reply: { type: 'accepted' },
      visibility: [],
    };
    if (next !== undefined && next !== '') {
      const onward: Message = { ...message, signalName: rest.join('>') };
      // No core says this to another; the outbox does not look inside.
      const sent = onward as Message as SentMessage;
      outcome.effects.push({ type: 'send', namespace: NAMESPACE, workflowId: next, message: sent });
    }
    return outcome;
  },
  evolve: (_state, outcome) => {
    const row = outcome.rows.find(({ id }) => id === NOTES)?.value;
    return asState({ got: row !== undefined && 'got' in row ? (row.got as string[]) : [] });
  },
  nextDeadline: () => undefined,
  isPassivatable: () => true,
  currentRunId: () => undefined,
  waitingOffers: () => [],
};

describe('messages between actors', () => {
  it('are applied exactly once, however often the node is killed', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const route = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(route, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(6), { maxLength: 5 }),
        fc.constantFrom(1, 3, 10_000),
        async (routes, kills, outboxKept) => {
          const disk = new MemoryDisk();
          const w = new World(() => openMemoryStore({ disk, shardCount: 3 }), {
            core: relay,
            bounds: { flushIntervalMs: 20, outboxKept },
          });
          await w.open();
          for (const [i, [first = 'a', ...rest]] of routes.entries()) {
            const kill = kills[i];
            // The first write acknowledges it: it must arrive. The disk dies with one of those after.
            let left = 1 + (kill ?? 0);
            if (kill !== undefined) {
              disk.faults.complete = (done) => {
                left -= 1;
                if (left >= 0) done();
              };
            }
            const answer = await relaySignal(w, first, rest.join('>'), `m${i}`);
            expect(answer).toMatchObject({ done: true, error: undefined });
            if (kill === undefined) continue;
            await w.time.advance(50);
            disk.faults = {};
            await w.restart();
          }
          await w.time.advance(10_000);
          await w.restart();
          await w.time.advance(10_000);
          expect(w.engine.getStats().outbox).toBe(0);
          const applied = new Map<string, number>();
          for (const name of names) {
            for (const id of await notesOf(w, name))
              applied.set(`${name} ${id}`, (applied.get(`${name} ${id}`) ?? 0) + 1);
          }
          const expected = new Map<string, number>();
          for (const [i, stops] of routes.entries()) {
            for (const stop of stops) expected.set(`${stop} m${i}`, (expected.get(`${stop} m${i}`) ?? 0) + 1);
          }
          expect(applied).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe('a message that waits on disk', () => {
  it('is delivered by the next process', async () => {
    const disk = new MemoryDisk();
    const bounds = { outboxWindow: 0 };
    const w = new World(() => openMemoryStore({ disk, shardCount: 3 }), { core: relay, bounds });
    await w.open();
    await relaySignal(w, 'a', 'b', 'm');
    await w.engine.flush();
    expect(await notesOf(w, 'b')).toEqual([]);
    bounds.outboxWindow = 10;
    await w.restart();
    expect(await notesOf(w, 'b')).toEqual(['m']);
    expect(w.engine.getStats().outbox).toBe(0);
  });

  it('leaves nothing on disk when it went and was applied between two flushes', async () => {
    const disk = new MemoryDisk();
    const w = new World(() => openMemoryStore({ disk, shardCount: 3 }), { core: relay });
    await w.open();
    await relaySignal(w, 'a', 'b', 'm');
    expect(w.engine.getStats().outbox).toBe(0);
    await w.engine.flush();
    expect(await w.store.range({ from: key('o'), to: key('p') })).toEqual([]);
  });
});

describe('a node that recovers', () => {
  it('delivers nothing before the rows of all shards are there', async () => {
    const disk = new MemoryDisk();
    const bounds = { outboxWindow: 0 };
    // Shards are recovered in the order they came to be: the sender's first, and the target's log takes a while.
    const w = new World(() => slowlyRead(openMemoryStore({ disk, shardCount: 3 })), { core: relay, bounds });
    const [from, to] = inShards(0, 2);
    await w.open();
    await relaySignal(w, from, '', 'm0');
    for (const id of ['m1', 'm2', 'm3']) await relaySignal(w, to, '', id);
    await relaySignal(w, from, to, 'm4');
    bounds.outboxWindow = 10;
    w.time.forget();
    w.renew();
    const opened = w.engine.open();
    let open = false;
    void opened.then(() => {
      open = true;
    });
    while (!open) await w.time.settle();
    await w.time.settle();
    expect(await notesOf(w, to)).toEqual(['m1', 'm2', 'm3', 'm4']);
  });
});

describe('a target that cannot take a message', () => {
  it('gets all of them in order once it can, and keeps nobody else waiting', async () => {
    const disk = new MemoryDisk();
    const w = new World(() => openMemoryStore({ disk, shardCount: 3 }), { core: relay });
    await w.open();
    await relaySignal(w, 'b', '', 'first');
    await w.engine.flush();
    w.engine.passivateAll();
    sick.add('b');
    const sent = Array.from({ length: 200 }, (_, i) => `m${i}`);
    for (const id of sent) w.post('a', relayed(w, 'b', id));
    await w.time.settle();
    await relaySignal(w, 'a', 'c', 'other');
    expect(await notesOf(w, 'c')).toEqual(['other']);
    expect(await notesOf(w, 'b')).toEqual(['first']);
    // Most of them wait on disk alone.
    expect(w.engine.getStats().outbox).toBeLessThan(300);
    await w.time.advance(5_000);
    expect(await notesOf(w, 'b')).toEqual(['first']);
    sick.delete('b');
    await relaySignal(w, 'a', 'b', 'last');
    await w.time.advance(5_000);
    expect(await notesOf(w, 'b')).toEqual(['first', ...sent, 'last']);
    expect(w.engine.getStats().outbox).toBe(0);
  });

  it('gets them from the next process when this one ends', async () => {
    const disk = new MemoryDisk();
    const w = new World(() => openMemoryStore({ disk, shardCount: 3 }), { core: relay });
    await w.open();
    await relaySignal(w, 'b', '', 'first');
    await w.engine.flush();
    w.engine.passivateAll();
    sick.add('b');
    await relaySignal(w, 'a', 'b', 'second');
    await w.engine.close();
    await w.time.advance(5_000);
    sick.delete('b');
    await w.restart();
    expect(await notesOf(w, 'b')).toEqual(['first', 'second']);
  });
});

describe('more messages than are kept in memory', () => {
  it('are delivered all the same, in order', async () => {
    const disk = new MemoryDisk();
    const bounds = { outboxKept: 8, outboxWindow: 2 };
    const w = new World(() => openMemoryStore({ disk, shardCount: 3 }), { core: relay, bounds });
    await w.open();
    const ids = Array.from({ length: 60 }, (_, i) => `m${i}`);
    for (const id of ids) w.post('a', relayed(w, 'b', id));
    await w.time.settle();
    await w.time.advance(100);
    expect(await notesOf(w, 'b')).toEqual(ids);
    expect(w.engine.getStats().outbox).toBe(0);
  });
});

describe('the numbers a shard has applied', () => {
  it('are those that were added, whatever their order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }), (seqs) => {
        const inbox = new Inbox();
        const model = new Set<number>();
        for (const seq of seqs) {
          inbox.add(seq);
          model.add(seq);
          const [high, ranges] = inbox.toRow();
          const again = new Inbox();
          again.restore(high, ranges);
          for (let n = 1; n <= 41; n += 1) {
            expect(inbox.has(n)).toBe(model.has(n));
            expect(again.has(n)).toBe(model.has(n));
          }
          // One number that stays away costs one range.
          const missing = Array.from({ length: Math.max(0, ...model) }, (_, i) => i + 1).filter((n) => !model.has(n));
          expect(ranges.length / 2).toBeLessThanOrEqual(missing.length);
        }
      }),
    );
  });
});

const relayed = (w: World, onward: string, requestId: string): Message =>
  ({ ...w.signalMessage(onward), requestId }) as Message;

const relaySignal = (w: World, to: string, onward: string, requestId: string) =>
  w.send(to, relayed(w, onward, requestId));

/** Workflow ids that live in these shards of three. */
function inShards(...shards: number[]): [string, string] {
  const [a = '', b = ''] = shards.map((shard) => {
    for (let i = 0; ; i += 1) if (shardOf(NAMESPACE, `w${i}`, 3) === shard) return `w${i}`;
  });
  return [a, b];
}

/** Every entry of a log takes its time to be read. */
function slowlyRead(store: Store): Store {
  const readLog = store.readLog.bind(store);
  store.readLog = async function* (shard, from) {
    for await (const entry of readLog(shard, from)) {
      for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
      yield entry;
    }
  };
  return store;
}

/** What an actor has noted, as its rows say. */
async function notesOf(w: World, workflowId: string): Promise<string[]> {
  await w.engine.flush();
  const key = rowKey(base(shardOf(NAMESPACE, workflowId, 3), NAMESPACE, workflowId), 'chain', '', NOTES);
  const bytes = await w.store.read(key);
  return bytes === undefined ? [] : (decode(bytes) as Note).got;
}

describe('an outbox whose rows cannot be read', () => {
  it('asks again after a while: at once, a store that refuses at once would leave no time for anything else', async () => {
    const time = new VirtualTime();
    let reads = 0;
    const reader = new Reader(new Overlay(), openMemoryStore());
    reader.chunk = async () => {
      reads += 1;
      throw new Error('the store is closed');
    };
    const unused = (): never => {
      throw new Error('there is nothing to deliver');
    };
    const outbox = new Outbox({
      reader,
      scheduler: time,
      shardCount: 4,
      window: 8,
      kept: 8,
      retryMs: 1_000,
      shard: unused,
      deliver: unused,
      remove: unused,
      onReadFailed: () => undefined,
    });
    outbox.start();
    await time.settle();
    expect(reads).toBe(1);
    await time.advance(1_000);
    expect(reads).toBe(2);
  });
});
