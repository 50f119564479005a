// The outbox: a message to another actor is applied exactly once, whatever is killed when. A fake core sends a signal on for every signal it
// is given, since real senders come with children and external signals.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../core/workflow/message.ts';
import type { Outcome } from '../core/workflow/outcome.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { decode } from '../wire/codec.ts';
import { type ActorCore, type ActorState, workflowCore } from './core.ts';
import { base, rowKey, shardOf } from './keys.ts';
import { Outbox } from './outbox.ts';
import { Overlay } from './overlay.ts';
import { Reader } from './reader.ts';
import { NAMESPACE, VirtualTime, World } from './testing.ts';

/** Signals are named by a route, `b>c`: each actor notes what it got and sends the rest on to the next. */
interface Note {
  got: string[];
}
// The engine passes states through without looking into them.
const asState = (note: Note): ActorState => note as unknown as ActorState;
const asNote = (state: ActorState): Note => state as unknown as Note;

const relay: ActorCore = {
  ...workflowCore,
  empty: () => asState({ got: [] }),
  load: (_namespace, _workflowId, rows) => {
    for (const { value } of rows) if ('got' in value) return asState({ got: value.got as string[] });
    return asState({ got: [] });
  },
  decide: (state, message) => {
    if (message.type !== 'signal') return { ok: false, status: { code: 3, message: 'only signals' } };
    const got = [...asNote(state).got, message.requestId];
    const [next, ...rest] = message.signalName.split('>');
    const outcome: Outcome = {
      ok: true,
      rows: [{ table: 'chain', runId: '', id: '', value: { got, currentRunId: 'r' } }],
      events: [],
      effects: [],
      reply: { type: 'accepted' },
      visibility: [],
    };
    if (next !== undefined && next !== '') {
      const onward: Message = { ...message, signalName: rest.join('>') };
      outcome.effects.push({ type: 'send', namespace: NAMESPACE, workflowId: next, message: onward });
    }
    return outcome;
  },
  evolve: (_state, outcome) => {
    const row = outcome.rows[0]?.value;
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
        async (routes, kills) => {
          const disk = new MemoryDisk();
          const w = new World(() => openMemoryStore({ disk, shardCount: 3 }), {
            core: relay,
            bounds: { flushIntervalMs: 20 },
          });
          await w.open();
          // Acknowledged before the first kill: these must arrive.
          for (const [i, [first = 'a', ...rest]] of routes.entries()) {
            const message = { ...w.signalMessage(rest.join('>')), requestId: `m${i}` } as Message;
            const answer = await w.send(first, message);
            expect(answer.error).toBeUndefined();
            if (kills[i] !== undefined) {
              let left = kills[i] ?? 0;
              disk.faults.complete = (done) => {
                left -= 1;
                if (left > 0) done();
              };
              await w.time.advance(50);
              disk.faults = {};
              await w.restart();
            }
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
    await w.send('a', { ...w.signalMessage('b'), requestId: 'm' } as Message);
    await w.engine.flush();
    expect(await notesOf(w, 'b')).toEqual([]);
    bounds.outboxWindow = 10;
    await w.restart();
    expect(await notesOf(w, 'b')).toEqual(['m']);
    expect(w.engine.getStats().outbox).toBe(0);
  });
});

/** What an actor has noted, as its chain row says. */
async function notesOf(w: World, workflowId: string): Promise<string[]> {
  await w.engine.flush();
  const key = rowKey(base(shardOf(NAMESPACE, workflowId, 3), NAMESPACE, workflowId), 'chain', '', '');
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
