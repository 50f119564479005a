// The rows of a backup as the rows of another number of shards: each row's actor says which shard it belongs to now, what is derived from rows
// (counters, visibility pointers, metas) is made anew, and outbox messages that were not received are numbered again. Keeps: what one actor
// sends another arrives in order, and once. Memory holds a number per pair of shards, per queue and per status, no rows. Called by src/backup.

import { scheduleAddress } from '../core/schedule/address.ts';
import type { Message } from '../core/workflow/message.ts';
import { type Key, key, lsn, shardId } from '../ports/ids.ts';
import type { QueueKey } from '../ports/matching.ts';
import { StoreError } from '../ports/store.ts';
import { namespaceOfSpace } from '../wire/activity-address.ts';
import { decode, encode } from '../wire/codec.ts';
import type { Cut } from './cut.ts';
import {
  backlogCountKey,
  outboxDestination,
  outboxKey,
  outboxSeq,
  outboxSource,
  printable,
  readBacklogKey,
  readBaseAt,
  readPart,
  shardMetaKey,
  shardOf,
  u16,
} from './keys.ts';
import { Shard } from './shard.ts';
import { StatusCounts } from './status-counts.ts';
import { decodeInfo, visibilityRows } from './visibility.ts';

type Write = (k: Key, value: Uint8Array) => void;

interface Counter {
  readonly shard: number;
  readonly queue: QueueKey;
  count: number;
}

export class Resharder {
  readonly #cut: Cut;
  readonly #shardCount: number;
  readonly #write: Write;
  readonly #counters = new Map<string, Counter>();
  /** By source, the last number given per destination. */
  readonly #sent = new Map<number, Map<number, number>>();
  readonly #statuses = new Map<number, StatusCounts>();

  /**
   * @param cut all rows, taken and found consistent
   * @param write gets each row of the new shards
   */
  constructor(cut: Cut, shardCount: number, write: Write) {
    this.#cut = cut;
    this.#shardCount = shardCount;
    this.#write = write;
  }

  /**
   * A row of the backup. Those of an outbox come in order of their keys.
   *
   * @throws StoreError for a row this version does not know: leaving it out would lose data
   */
  row(k: Key, value: Uint8Array): void {
    switch (k.charAt(0)) {
      case 'a':
      case 'e':
        this.#move(k, 1, value);
        return;
      case 't':
        this.#move(k, 7, value);
        return;
      case 's':
        // After the session and the kind.
        this.#move(k, readPart(k, 1).next + 1, value);
        return;
      case 'b': {
        const { queue, baseAt } = readBacklogKey(k);
        this.#count(this.#move(k, baseAt, value), queue);
        return;
      }
      case 'v':
        this.#visibility(k, value);
        return;
      case 'o':
        this.#message(k, value);
        return;
      case 'n': // Counted anew.
      case 'm': // Metas are made anew; hints of a node say nothing of another.
        return;
      default:
        throw unknownRow(k);
    }
  }

  /** After the last row: counters, and the meta of every shard. */
  finish(): void {
    for (const { shard, queue, count } of this.#counters.values()) {
      this.#write(backlogCountKey(shard, queue), encode([queue.namespace, queue.name, queue.kind, count]));
    }
    const { time } = this.#cut;
    for (let id = 0; id < this.#shardCount; id += 1) {
      const shard = new Shard(shardId(id), { lastLsn: lsn(0), appliedLsn: lsn(0) });
      shard.observe(time);
      shard.statuses.restore(this.#statuses.get(id)?.toRow() ?? []);
      for (const [destination, seq] of this.#sent.get(id) ?? []) shard.sentTo(destination, seq);
      this.#write(shardMetaKey(id), shard.encodeMeta());
    }
  }

  #move(k: Key, baseAt: number, value: Uint8Array): number {
    const { namespace, workflowId } = readBaseAt(k, baseAt);
    const shard = shardOf(namespace, workflowId, this.#shardCount);
    this.#write(key(k.slice(0, baseAt) + u16(shard) + k.slice(baseAt + 2)), value);
    return shard;
  }

  #count(shard: number, queue: QueueKey): void {
    const id = `${shard}\0${queue.kind}\0${queue.namespace}\0${queue.name}`;
    const counter = this.#counters.get(id);
    if (counter === undefined) this.#counters.set(id, { shard, queue, count: 1 });
    else counter.count += 1;
  }

  /** The row with the info says what the others point to. */
  #visibility(k: Key, value: Uint8Array): void {
    switch (k.charAt(1)) {
      case 'a': {
        const info = decodeInfo(value);
        const namespace = namespaceOfSpace(readPart(k, 2).text);
        const shard = shardOf(namespace, info.workflowId, this.#shardCount);
        visibilityRows({ namespace, shard }, { info, before: undefined, previous: undefined }, (row, bytes) => {
          if (bytes === undefined) return;
          this.#write(row, bytes);
          if (row.startsWith('vs')) this.#statusesOf(shard).changed(row, 'put');
        });
        return;
      }
      case 'c': {
        const { text: namespace } = readPart(k, 2);
        const shard = shardOf(namespace, scheduleAddress(decodeInfo(value).workflowId), this.#shardCount);
        this.#write(key(k.slice(0, -2) + u16(shard)), value);
        return;
      }
      case 'f': {
        const { text: namespace } = readPart(k, 2);
        const shard = shardOf(namespace, decodeInfo(value).workflowId, this.#shardCount);
        this.#write(key(k.slice(0, -2) + u16(shard)), value);
        return;
      }
      case 'w': {
        // Only of runs that others followed: the infos do not tell which.
        const { text: space, next: at } = readPart(k, 2);
        const { text: workflowId } = readPart(k, at);
        const shard = shardOf(namespaceOfSpace(space), workflowId, this.#shardCount);
        this.#write(key(k.slice(0, -2) + u16(shard)), value);
        return;
      }
      case 'k':
      case 's':
      case 't':
        return;
      default:
        throw unknownRow(k);
    }
  }

  #statusesOf(shard: number): StatusCounts {
    let counts = this.#statuses.get(shard);
    if (counts === undefined) {
      counts = new StatusCounts();
      this.#statuses.set(shard, counts);
    }
    return counts;
  }

  #message(k: Key, value: Uint8Array): void {
    if (this.#cut.hasReceived(outboxSource(k), outboxDestination(k), outboxSeq(k))) return;
    // Written by Outbox.send alone and checksummed by the store.
    const [namespace, workflowId, message] = decode(value) as [string, string, Message];
    const sender = senderOf(message, { namespace, workflowId });
    const source = shardOf(sender.namespace, sender.workflowId, this.#shardCount);
    const destination = shardOf(namespace, workflowId, this.#shardCount);
    let sent = this.#sent.get(source);
    if (sent === undefined) {
      sent = new Map();
      this.#sent.set(source, sent);
    }
    const seq = (sent.get(destination) ?? 0) + 1;
    sent.set(destination, seq);
    this.#write(outboxKey(source, destination, seq), value);
  }
}

interface Address {
  readonly namespace: string;
  readonly workflowId: string;
}

/**
 * Who sent a message: what it sends next must go behind it. Answers do not name their sender; no order among them matters
 * (docs/decisions/0012), so that they may leave from their target's shard.
 */
function senderOf(message: Message, target: Address): Address {
  switch (message.type) {
    case 'startChild':
    case 'signalExternal':
    case 'cancelExternal':
      return message.origin;
    case 'parentClosed':
      return { namespace: target.namespace, workflowId: message.parent.workflowId };
    case 'childStarted':
      return message.child;
    case 'childClosed':
      return { namespace: target.namespace, workflowId: message.child.workflowId };
    case 'flowAcquire':
    case 'flowRelease':
      return { namespace: target.namespace, workflowId: message.claimant.workflowId };
    case 'flowGranted':
    case 'flowRefused':
    case 'flowEnd':
      return { namespace: target.namespace, workflowId: message.from };
    case 'startScheduled':
      return { namespace: target.namespace, workflowId: message.by.workflowId };
    default:
      return target;
  }
}

const unknownRow = (k: Key): StoreError =>
  new StoreError('version', `the row ${printable(k)} is of a kind this version does not know`, {
    hint: 'Restore with the version that made the backup, or a newer one.',
  });
