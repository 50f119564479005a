// Messages between actors, exactly once (DESIGN §5): a row of the sender's entry, numbered per (source shard, destination shard); the destination
// notes the number in the entry that applies the message; then the row goes. Until then it is delivered again: after a refusal, after a
// crash, and a repeat is dropped for ever by its number, whatever became of its target. What one actor sends another arrives in order.

import type { Message } from '../core/workflow/message.ts';
import type { Effect } from '../core/workflow/outcome.ts';
import type { Scheduler } from '../ports/clock.ts';
import { type Key, key } from '../ports/ids.ts';
import type { ShardMessage, ShardMessageOutcome } from '../ports/led-shards.ts';
import { decode, encode } from '../wire/codec.ts';
import type { Status } from '../wire/status.ts';
import { Blocked, type Freed, targetOf } from './blocked.ts';
import { outboxKey, outboxSeq, outboxSource, shardOf } from './keys.ts';
import type { Reader } from './reader.ts';
import type { Shard } from './shard.ts';
import type { Turn } from './turn.ts';

export interface OutboxMessage extends ShardMessage {
  readonly key: Key;
}

export interface OutboxOptions {
  reader: Reader;
  scheduler: Scheduler;
  shardCount: number;
  /** Messages under way at once. */
  window: number;
  /** Messages kept in memory; the others wait on disk. */
  kept: number;
  retryMs: number;
  shard(id: number): Shard;
  /** Applies the message in its target's turn, with this number as receipt. `done` when that is durable, refused or failed. */
  deliver(item: OutboxMessage, done: (outcome: ShardMessageOutcome) => void): void;
  /** Deletes a row of a shard, in an entry of its own. */
  remove(shard: Shard, row: Key): void;
  onReadFailed(error: unknown): void;
}

const END = key('p');
/** Rows read in one go. */
const CHUNK = 1_000;

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #known = new Map<Key, OutboxMessage>();
  #queue: OutboxMessage[] = [];
  readonly #blocked: Blocked;
  #underWay = 0;
  #running = false;
  #pumping = false;
  /** Rows may exist that are not in memory. */
  #unread = false;
  /** While rows are read: what is committed meanwhile, in order. */
  #late: Map<Key, Uint8Array> | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#blocked = new Blocked(options.scheduler, options.retryMs, (item) => this.#deliver(item));
  }

  /** Rows in memory that are not acknowledged. */
  get size(): number {
    return this.#known.size;
  }

  /** Numbers the message and makes it a row of the sender's turn. */
  send(turn: Turn, { namespace, workflowId, message }: Extract<Effect, { type: 'send' }>): void {
    const { shard } = turn.actor;
    const destination = shardOf(namespace, workflowId, this.#options.shardCount);
    const seq = (shard.sent.get(destination) ?? 0) + 1;
    shard.sent.set(destination, seq);
    turn.write(outboxKey(shard.id, destination, seq), encode([namespace, workflowId, message]));
  }

  /** A row was committed, or is read again from the log. Nothing is delivered before `pump`: all entries of a commit are applied first. */
  put(k: Key, bytes: Uint8Array): void {
    if (this.#late !== undefined && this.#late.size < this.#options.kept) this.#late.set(k, bytes);
    else if (!this.#running || this.#unread || this.#late !== undefined) this.#unread = true;
    else this.#take(k, bytes);
  }

  delete(k: Key): void {
    this.#known.delete(k);
    this.#late?.delete(k);
  }

  /** From now on messages are delivered, also what an earlier process left unacknowledged. Not before the rows of all shards are there. */
  start(): void {
    this.#running = true;
    this.#unread = true;
    void this.#read();
  }

  /** A shard is led here from now on: its rows are taken up. */
  lead(): void {
    this.#unread = true;
    if (this.#running) void this.#read();
  }

  /** A shard is led elsewhere: its leader there delivers what is left, and a repeat is dropped by its number. */
  unlead(shard: number): void {
    for (const [k, { source }] of this.#known) if (source === shard) this.#known.delete(k);
    for (const k of this.#late?.keys() ?? []) if (outboxSource(k) === shard) this.#late?.delete(k);
    this.#queue = this.#queue.filter(({ source }) => source !== shard);
    this.#goOn(this.#blocked.drop(shard));
    this.pump();
  }

  stop(): void {
    this.#running = false;
    this.#blocked.stop();
  }

  /** Delivers what waits, as far as the window allows. */
  pump(): void {
    // A refusal comes at once, and would call this again.
    if (this.#pumping || !this.#running) return;
    this.#pumping = true;
    while (this.#underWay < this.#options.window) {
      const item = this.#queue.shift();
      if (item === undefined) break;
      const held = this.#blocked.hold(item);
      if (held === undefined) this.#deliver(item);
      else if (held === 'on disk') this.#known.delete(item.key);
    }
    this.#pumping = false;
    if (this.#unread && this.#known.size < this.#options.kept / 2) void this.#read();
  }

  #deliver(item: OutboxMessage): void {
    this.#underWay += 1;
    this.#options.deliver(item, (outcome) => {
      this.#underWay -= 1;
      if (outcome === 'applied') this.#applied(item);
      else this.#blocked.block(item);
      this.pump();
    });
  }

  #applied(item: OutboxMessage): void {
    const freed = this.#blocked.free(item);
    if (freed !== undefined) this.#goOn(freed);
    const source = this.#options.shard(item.source);
    if (source.isLed) this.#options.remove(source, item.key);
  }

  /** Who waited is next, then the others on disk, then what was sent after those: it is read again, behind them. */
  #goOn({ items, onDisk }: Freed): void {
    if (onDisk.size > 0) {
      this.#unread = true;
      for (const item of this.#queue) if (onDisk.has(targetOf(item))) this.#known.delete(item.key);
      this.#queue = this.#queue.filter((item) => !onDisk.has(targetOf(item)));
    }
    this.#queue = [...items, ...this.#queue];
  }

  #take(k: Key, bytes: Uint8Array): void {
    if (this.#known.has(k)) return;
    if (this.#known.size >= this.#options.kept) {
      this.#unread = true;
      return;
    }
    // Written by `send` alone and checksummed by the store.
    const [namespace, workflowId, message] = decode(bytes) as [string, string, Message];
    const item = { key: k, source: outboxSource(k), seq: outboxSeq(k), namespace, workflowId, message };
    this.#known.set(k, item);
    this.#queue.push(item);
  }

  /** Takes up rows that are not in memory, oldest first, then what was committed meanwhile. */
  async #read(): Promise<void> {
    if (this.#late !== undefined) return;
    const late = new Map<Key, Uint8Array>();
    this.#late = late;
    this.#unread = false;
    try {
      let from: Key | undefined = key('o');
      while (from !== undefined && !this.#unread) {
        const chunk: { rows: (readonly [Key, Uint8Array])[]; next: Key | undefined } = await this.#options.reader.chunk(
          from,
          END,
          CHUNK,
        );
        for (const [k, bytes] of chunk.rows) {
          const taken = this.#options.shard(outboxSource(k)).isLed && !late.has(k);
          if (taken && !this.#unread) this.#take(k, bytes);
        }
        from = chunk.next;
      }
      for (const [k, bytes] of late) if (!this.#unread) this.#take(k, bytes);
    } catch (error) {
      this.#unread = true;
      this.#options.onReadFailed(error);
      // Not at once: a store whose process is gone refuses at once, and nothing else would ever run again.
      this.#options.scheduler.after(this.#options.retryMs, () => this.pump());
      return;
    } finally {
      this.#late = undefined;
    }
    this.pump();
  }
}

/** An entry with the receipt was written, whatever the core said to the message. */
export const applied = (error: Status | undefined): boolean => error?.detail?.kind !== 'Unavailable';
