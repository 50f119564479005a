// What is under way when a shard is led elsewhere, one gap at a time: reads, appends, probes and loads that end when it is led no more, or again.
// The random moves are in leadership.test.ts; here each gap is held open for as long as it takes.
import { describe, expect, it } from 'vitest';
import type { Message } from '../core/workflow/message.ts';
import { type Key, lsn, shardId, term } from '../ports/ids.ts';
import { type AppendResult, type LogAppend, type Store, StoreError } from '../ports/store.ts';
import { openMemoryStore } from '../store/index.ts';
import type { Status } from '../wire/status.ts';
import { decodeEntry } from './entry.ts';
import { base, outboxKey, timerKey } from './keys.ts';
import { Overlay } from './overlay.ts';
import { Reader } from './reader.ts';
import { NAMESPACE, testLog, VirtualTime, World } from './testing.ts';
import { Timers } from './timers.ts';

const S = shardId(0);
const NOTHING = new Uint8Array(0);

/** A node whose log others keep, leading its one shard. */
class Led {
  readonly store: Store = openMemoryStore({ shardCount: 1 });
  readonly w: World;
  readonly entries: LogAppend[] = [];
  fencing = false;
  #term = 0;
  #end = 0;

  constructor() {
    this.w = new World(() => this.store, {
      commitLog: testLog(this.store, 'together', (entries) => this.#append(entries)),
    });
  }

  async #append(entries: readonly LogAppend[]): Promise<AppendResult> {
    if (this.fencing)
      return { fenced: entries.map(({ shard }) => ({ shard, newerTerm: term(99), applied: 'maybe' as const })) };
    this.#end += entries.length;
    this.entries.push(...entries);
    return this.store.append(entries);
  }

  async open(): Promise<this> {
    await this.w.open();
    this.lead();
    return this;
  }

  lead(): void {
    this.#term += 1;
    this.w.engine.lead(S, term(this.#term), lsn(this.#end));
  }

  unlead(): void {
    this.w.engine.unlead(S);
  }
}

/** Holds range reads of a store until they are let go. */
function held(store: Store): { open: () => void; letGo: (outcome?: 'damaged') => void; calls: () => number } {
  const waiting: ((outcome: 'damaged' | undefined) => void)[] = [];
  const range = store.range.bind(store);
  store.range = async (options) => {
    const outcome = await new Promise<'damaged' | undefined>((resolve) => waiting.push(resolve));
    if (outcome === 'damaged') throw new StoreError('corrupt', 'read while its rows changed');
    return range(options);
  };
  const open = (): void => {
    store.range = range;
  };
  return {
    open,
    letGo: (outcome) => {
      open();
      for (const go of waiting.splice(0)) go(outcome);
    },
    calls: () => waiting.length,
  };
}

describe('an actor whose rows are being read', () => {
  it('leaves no bytes behind', async () => {
    const node = await new Led().open();
    const { w } = node;
    await w.start('a');
    await w.engine.flush();
    w.engine.passivateAll();
    expect(w.engine.getStats().actorBytes).toBe(0);
    const signal = w.post('a', w.signalMessage('s'));
    node.unlead();
    await w.time.settle();
    expect(signal.error?.detail).toMatchObject({ kind: 'Unavailable', applied: 'no' });
    expect(w.engine.getStats()).toMatchObject({ actors: 0, actorBytes: 0 });
  });

  it('takes nobody with it when the read fails', async () => {
    const node = await new Led().open();
    const { w } = node;
    await w.start('a');
    await w.engine.flush();
    w.engine.passivateAll();
    const reads = held(node.store);
    w.post('a', w.signalMessage('never applied'));
    await w.time.settle();
    expect(reads.calls()).toBe(1);
    node.unlead();
    node.lead();
    // Whoever reads from now on is not held.
    reads.open();
    const signal = await w.send('a', w.signalMessage('applied'));
    expect(signal.error).toBeUndefined();
    reads.letGo('damaged');
    await w.time.settle();
    expect(w.engine.getStats().actors).toBe(1);
  });
});

describe('a message from another shard', () => {
  it('that comes twice while an earlier run is read is applied once', async () => {
    const node = await new Led().open();
    const { w } = node;
    const earlier = await w.start('a');
    await w.send('a', { type: 'terminate', target: {}, identity: 'c', requestId: 'r' });
    await w.start('a');
    const reads = held(node.store);
    const origin = { namespace: NAMESPACE, workflowId: 'asks', runId: 'r', initiatedEventId: 5 };
    const message: Message = { type: 'cancelExternal', origin, runId: earlier, childWorkflowOnly: false };
    const item = { key: outboxKey(7, 0, 1), source: 7, seq: 1, namespace: NAMESPACE, workflowId: 'a', message };
    const outcomes: string[] = [];
    for (let i = 0; i < 2; i += 1) w.engine.receive(item, (outcome) => outcomes.push(outcome));
    await w.time.settle();
    reads.letGo();
    await w.time.settle();
    expect(outcomes.sort()).toEqual(['applied', 'later']);
    const entries = node.entries.map(({ entry }) => decodeEntry(entry));
    expect(entries.flatMap(({ receipts }) => receipts).filter(({ source }) => source === 7)).toHaveLength(1);
  });
});

describe('a workflow task pushed ahead of its entry', () => {
  it('is said to be over when the entry is lost with the leadership', async () => {
    const node = await new Led().open();
    const { w } = node;
    const worker = w.worker({ workflow: 2, ahead: true });
    await w.start('durable');
    expect([worker.durable.length, worker.over.length]).toEqual([1, 0]);
    // As soon as the task is pushed: its turn has been decided, and nothing of it is written.
    worker.onTask = () => queueMicrotask(() => node.unlead());
    const start = w.post('lost', w.startMessage());
    await w.time.settle();
    expect(start.error?.detail).toMatchObject({ kind: 'Unavailable' });
    const [, lost] = worker.received;
    expect(lost).toMatchObject({ workflowId: 'lost', ahead: true });
    expect([worker.durable.length, worker.over.length]).toEqual([1, 1]);
  });
});

describe('a drain', () => {
  it('ends when the last turns it waits for are refused', async () => {
    const node = await new Led().open();
    const { w } = node;
    await w.start('a');
    w.post('a', w.signalMessage('s'));
    let closed = false;
    void w.engine.close().then(() => {
      closed = true;
    });
    node.unlead();
    await w.time.settle();
    expect(closed).toBe(true);
  });
});

describe('a turn that was fenced', () => {
  it('is never answered from, however quickly it is asked again (I1)', async () => {
    const node = await new Led().open();
    const { w } = node;
    const start = w.startMessage();
    const answers: (Status | undefined)[] = [];
    const ask = (message: Message): void =>
      w.engine.submit({ namespace: NAMESPACE, workflowId: 'a' }, message, (error) => {
        answers.push(error);
        if (answers.length === 1) ask(message);
      });
    node.fencing = true;
    ask(start);
    await w.time.settle();
    expect(answers.map((error) => error?.detail)).toMatchObject([
      { kind: 'Unavailable', applied: 'maybe' },
      { kind: 'Unavailable', applied: 'no' },
    ]);
  });
});

describe('a turn that no append has taken', () => {
  it('is never answered from when its shard goes, however quickly it is asked again (I1)', async () => {
    const node = await new Led().open();
    const { w } = node;
    await w.start('a');
    const signal = w.signalMessage('s');
    const answers: (Status | undefined)[] = [];
    const ask = (): void =>
      w.engine.submit({ namespace: NAMESPACE, workflowId: 'a' }, signal, (error) => {
        answers.push(error);
        if (answers.length === 1) ask();
      });
    ask();
    node.unlead();
    const lost = { kind: 'Unavailable', applied: 'no' };
    expect(answers.map((error) => error?.detail)).toMatchObject([lost, lost]);
  });

  it('gives its task back to its backlog once, which goes with the shard', async () => {
    const node = await new Led().open();
    const { w } = node;
    await w.start('a');
    const worker = w.worker();
    w.matching.grant(worker, 'workflow', 1);
    node.unlead();
    expect([worker.credit.workflow, w.engine.getStats().waitingTasks]).toEqual([1, 0]);
    node.lead();
    await w.time.settle();
    expect(worker.received).toHaveLength(1);
  });
});

describe('a timer row', () => {
  it('that went and came again while rows were read fires', async () => {
    const time = new VirtualTime();
    const overlay = new Overlay();
    const store = openMemoryStore({ shardCount: 1 });
    await store.open();
    const fired: Key[] = [];
    let led = true;
    const timers = new Timers({
      reader: new Reader(overlay, store),
      ...{ clock: time, scheduler: time, window: 100, horizonMs: 60_000, firing: 10 },
      isLed: () => led,
      reaches: (_shard, at) => at,
      latest: (now) => now,
      fire: (timer) => fired.push(timer.key),
      onReadFailed: (error) => {
        throw error;
      },
    });
    const row = timerKey(time.at + 10_000, base(0, NAMESPACE, 'a'));
    overlay.apply(0, row, NOTHING);
    const reads = held(store);
    timers.start();
    expect(reads.calls()).toBe(1);
    overlay.apply(0, row, undefined);
    timers.delete(row);
    led = false;
    timers.unlead(0);
    // Its leader there arms it again, and this node is led once more.
    overlay.apply(0, row, NOTHING, 'rewritten');
    led = true;
    timers.lead();
    reads.letGo();
    await time.advance(11_000);
    expect(fired).toEqual([row]);
    timers.stop();
  });
});
