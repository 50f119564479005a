// Messages behind a target that refused one: all of them, in order, whatever waits on disk and whichever shard goes.
import { describe, expect, it } from 'vitest';
import { lsn, shardId, term } from '../ports/ids.ts';
import { openMemoryStore } from '../store/index.ts';
import { encode } from '../wire/codec.ts';
import { outboxKey } from './keys.ts';
import { Outbox, type OutboxMessage } from './outbox.ts';
import { Overlay } from './overlay.ts';
import { Reader } from './reader.ts';
import { Shard } from './shard.ts';
import { NAMESPACE, VirtualTime } from './testing.ts';

/** An outbox over rows of two sources, whose deliveries the test answers. */
class Sender {
  readonly time = new VirtualTime();
  readonly store = openMemoryStore({ shardCount: 8 });
  readonly overlay = new Overlay();
  readonly shards = [0, 1].map((id) => new Shard(shardId(id), { lastLsn: lsn(0), appliedLsn: lsn(0) }));
  readonly outbox: Outbox;
  readonly applied: string[] = [];
  answer: (item: OutboxMessage, done: (outcome: 'applied' | 'later') => void) => void = (_, done) => done('later');

  constructor(window: number) {
    for (const shard of this.shards) shard.lead(term(1));
    this.outbox = new Outbox({
      reader: new Reader(this.overlay, this.store),
      scheduler: this.time,
      ...{ shardCount: 8, window, kept: 10_000, retryMs: 1_000 },
      shard: (id) => this.shards[id] ?? new Shard(shardId(id), { lastLsn: lsn(0), appliedLsn: lsn(0) }),
      deliver: (item, done) => this.answer(item, done),
      remove: (shard, row) => {
        this.overlay.apply(shard.id, row, undefined);
        this.outbox.delete(row);
      },
      onReadFailed: (error) => {
        throw error;
      },
    });
  }

  async open(): Promise<this> {
    await this.store.open();
    this.outbox.start();
    await this.time.settle();
    return this;
  }

  /** Committed messages of one source, in one go. */
  send(source: number, to: string, seqs: readonly number[]): void {
    for (const seq of seqs) {
      const row = outboxKey(source, 2, seq);
      const bytes = encode([NAMESPACE, to, { type: 'timer' }]);
      this.overlay.apply(source, row, bytes);
      this.outbox.put(row, bytes);
    }
    this.outbox.pump();
  }

  readonly apply = (item: OutboxMessage, done: (outcome: 'applied' | 'later') => void): void => {
    this.applied.push(`${item.source}:${item.seq}`);
    done('applied');
  };
}

const upTo = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('an outbox that was stopped', () => {
  it('tries nothing again, also what is refused after that', async () => {
    const sender = await new Sender(256).open();
    let refuse: () => void = () => undefined;
    let tries = 0;
    sender.answer = (_, done) => {
      tries += 1;
      refuse = () => done('later');
    };
    sender.send(0, 't', [1]);
    await sender.time.settle();
    sender.outbox.stop();
    refuse();
    await sender.time.advance(10_000);
    expect(tries).toBe(1);
  });
});

describe('messages that wait on disk behind a target that refused', () => {
  it('are delivered when the shard of the one that is tried goes', async () => {
    const sender = await new Sender(256).open();
    sender.send(0, 't', [1]);
    sender.send(1, 't', upTo(1, 80));
    sender.answer = () => undefined;
    await sender.time.advance(1_000);
    sender.answer = sender.apply;
    sender.shards[0]?.follow();
    sender.outbox.unlead(0);
    await sender.time.advance(5_000);
    expect(sender.applied).toEqual(upTo(1, 80).map((seq) => `1:${seq}`));
    expect(sender.outbox.size).toBe(0);
  });

  it('are not overtaken by later ones that waited for the window', async () => {
    const sender = await new Sender(2).open();
    sender.send(0, 't', upTo(1, 70));
    const others: (() => void)[] = [];
    sender.answer = (item, done) => {
      if (item.workflowId === 't') sender.apply(item, done);
      else others.push(() => sender.apply(item, done));
    };
    sender.send(1, 'u', [1, 2]);
    sender.send(0, 't', upTo(71, 80));
    await sender.time.advance(1_000);
    for (const end of others) end();
    await sender.time.advance(5_000);
    expect(sender.applied.filter((id) => id.startsWith('0:'))).toEqual(upTo(1, 80).map((seq) => `0:${seq}`));
    expect(sender.outbox.size).toBe(0);
  });
});
