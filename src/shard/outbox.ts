// Messages between actors, exactly once (DESIGN §5): a row of the sender's entry, numbered per (source shard, destination shard); the destination
// notes the number in the entry that applies the message; then the row goes. Until then it is delivered again: after a refusal, after a
// crash, and a repeat is dropped for ever by its number, whatever became of its target.

import type { Message } from '../core/workflow/message.ts';
import type { Effect } from '../core/workflow/outcome.ts';
import type { Scheduler } from '../ports/clock.ts';
import { type Key, key } from '../ports/ids.ts';
import { decode, encode } from '../wire/codec.ts';
import type { Status } from '../wire/status.ts';
import { outboxKey, readU48, shardOf } from './keys.ts';
import type { Reader } from './reader.ts';
import type { Shard } from './shard.ts';
import type { Turn } from './turn.ts';

export interface OutboxMessage {
  key: Key;
  source: number;
  seq: number;
  namespace: string;
  workflowId: string;
  message: Message;
}

export interface OutboxOptions {
  reader: Reader;
  scheduler: Scheduler;
  shardCount: number;
  /** Messages under way at once, and how many more are kept in memory. */
  window: number;
  retryMs: number;
  shard(id: number): Shard;
  /** Applies the message in its target's turn, with this number as receipt. `done` when that is durable, refused or failed. */
  deliver(item: OutboxMessage, done: (outcome: 'applied' | 'later') => void): void;
  /** Deletes a row of a shard, in an entry of its own. */
  remove(shard: Shard, row: Key): void;
  onReadFailed(error: unknown): void;
}

const END = key('p');
const KEPT = 10_000;

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #known = new Map<Key, OutboxMessage>();
  readonly #queue: OutboxMessage[] = [];
  #underWay = 0;
  /** Rows exist that are not in memory. */
  #more = false;
  #reading = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
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

  /** A row was committed. */
  put(shard: Shard, k: Key, bytes: Uint8Array): void {
    shard.sentTo(k.charCodeAt(3) * 256 + k.charCodeAt(4), readU48(k, 5));
    this.#take(k, bytes);
    this.#pump();
  }

  delete(k: Key): void {
    this.#known.delete(k);
  }

  /** Finds what an earlier process left unacknowledged. */
  start(): void {
    this.#more = true;
    void this.#read();
  }

  #take(k: Key, bytes: Uint8Array): void {
    if (this.#known.has(k)) return;
    if (this.#known.size >= KEPT) {
      this.#more = true;
      return;
    }
    // Written by `send` alone and checksummed by the store.
    const [namespace, workflowId, message] = decode(bytes) as [string, string, Message];
    const source = k.charCodeAt(1) * 256 + k.charCodeAt(2);
    const item = { key: k, source, seq: readU48(k, 5), namespace, workflowId, message };
    this.#known.set(k, item);
    this.#queue.push(item);
  }

  #pump(): void {
    while (this.#underWay < this.#options.window) {
      const item = this.#queue.shift();
      if (item === undefined) break;
      this.#underWay += 1;
      this.#options.deliver(item, (outcome) => this.#delivered(item, outcome));
    }
    if (this.#more && this.#known.size < KEPT / 2) void this.#read();
  }

  #delivered(item: OutboxMessage, outcome: 'applied' | 'later'): void {
    this.#underWay -= 1;
    if (outcome === 'applied') this.#options.remove(this.#options.shard(item.source), item.key);
    else {
      this.#options.scheduler.after(this.#options.retryMs, () => {
        if (!this.#known.has(item.key)) return;
        this.#queue.push(item);
        this.#pump();
      });
    }
    this.#pump();
  }

  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      let from: Key | undefined = key('o');
      while (from !== undefined && this.#known.size < KEPT) {
        const chunk: { rows: (readonly [Key, Uint8Array])[]; next: Key | undefined } = await this.#options.reader.chunk(
          from,
          END,
          1_000,
        );
        for (const [k, bytes] of chunk.rows) this.#take(k, bytes);
        from = chunk.next;
      }
      this.#more = from !== undefined;
    } catch (error) {
      this.#options.onReadFailed(error);
      // Not at once: a store whose process is gone refuses at once, and nothing else would ever run again.
      this.#options.scheduler.after(this.#options.retryMs, () => this.#pump());
      return;
    } finally {
      this.#reading = false;
    }
    this.#pump();
  }
}

/** An entry with the receipt was written, whatever the core said to the message. */
export const applied = (error: Status | undefined): boolean => error?.detail?.kind !== 'Unavailable';
