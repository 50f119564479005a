// Whether the shards of a backup are one consistent cut (DESIGN §7): no shard holds the receipt of an outbox message that its source has not sent,
// and every message that was sent is received or still there to be sent again. Fed with every row once, in any order. Called by src/backup.

import { type Key, lsn, shardId } from '../ports/ids.ts';
import { outboxDestination, outboxSeq, outboxSource, readU16 } from './keys.ts';
import { Inbox, Shard } from './shard.ts';

export class Cut {
  readonly #shards = new Map<number, Shard>();
  /** Numbers of the outbox rows by source and destination: as many ranges as there are holes, not as rows. */
  readonly #waiting = new Map<number, Map<number, Inbox>>();

  /** Looks at metas and outbox rows; the others say nothing of a cut. */
  take(k: Key, value: Uint8Array): void {
    if (k.startsWith('ms')) this.#shard(readU16(k, 2)).restoreMeta(value);
    else if (k.startsWith('o')) this.#pair(outboxSource(k), outboxDestination(k)).add(outboxSeq(k));
  }

  /** The greatest shard time, epoch ms: whoever goes on from here is behind no shard (I7). */
  get time(): number {
    let time = 0;
    for (const { committedTime } of this.#shards.values()) time = Math.max(time, committedTime);
    return time;
  }

  /** Whether the destination has applied this message. */
  hasReceived(source: number, destination: number, seq: number): boolean {
    return this.#shards.get(destination)?.committedReceived.get(source)?.has(seq) === true;
  }

  /** Why this is no consistent cut, for people; undefined: it is one. All rows were taken. */
  problem(): string | undefined {
    for (const [destination, { committedReceived }] of this.#shards) {
      for (const [source, inbox] of committedReceived) {
        const sent = this.#sent(source, destination);
        const [high, ranges] = inbox.toRow();
        const last = ranges.at(-1) ?? high;
        if (last > sent)
          return `shard ${destination} has received message ${last} of shard ${source}, which has sent ${sent} there`;
      }
    }
    for (const [source, destinations] of this.#waiting) {
      for (const [destination, inbox] of destinations) {
        const [high, ranges] = inbox.toRow();
        const last = ranges.at(-1) ?? high;
        const sent = this.#sent(source, destination);
        if (last > sent)
          return `shard ${source} holds message ${last} to shard ${destination}, and says it has sent ${sent} there`;
      }
    }
    for (const [source, { committedSent }] of this.#shards) {
      for (const [destination, sent] of committedSent) {
        const gap = this.#firstLost(source, destination, sent);
        if (gap !== undefined)
          return `message ${gap} of shard ${source} to shard ${destination} is neither received nor there to be sent`;
      }
    }
    return undefined;
  }

  #firstLost(source: number, destination: number, sent: number): number | undefined {
    const known = new Inbox();
    const received = this.#shards.get(destination)?.committedReceived.get(source);
    if (received !== undefined) known.restore(...received.toRow());
    const [high, ranges] = this.#waiting.get(source)?.get(destination)?.toRow() ?? [0, []];
    for (let seq = known.high + 1; seq <= high; seq += 1) known.add(seq);
    for (let i = 0; i < ranges.length; i += 2) {
      for (let seq = ranges[i] ?? 0; seq <= (ranges[i + 1] ?? 0); seq += 1) known.add(seq);
    }
    return known.high >= sent ? undefined : known.high + 1;
  }

  #sent(source: number, destination: number): number {
    return this.#shards.get(source)?.committedSent.get(destination) ?? 0;
  }

  #shard(id: number): Shard {
    let shard = this.#shards.get(id);
    if (shard === undefined) {
      shard = new Shard(shardId(id), { lastLsn: lsn(0), appliedLsn: lsn(0) });
      this.#shards.set(id, shard);
    }
    return shard;
  }

  #pair(source: number, destination: number): Inbox {
    let destinations = this.#waiting.get(source);
    if (destinations === undefined) {
      destinations = new Map();
      this.#waiting.set(source, destinations);
    }
    let inbox = destinations.get(destination);
    if (inbox === undefined) {
      inbox = new Inbox();
      destinations.set(destination, inbox);
    }
    return inbox;
  }
}
