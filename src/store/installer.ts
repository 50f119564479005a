// Receiving a snapshot (DESIGN §5): its chunks are staged beside the rows; one synced batch switches the shard's position to it and empties the
// log; then the old rows go and the staged ones take their place. That can be done again from the start, so a crash in between does no harm.
// Keeps: a half-received snapshot changes nothing. And the same without anything in their place: a shard that is kept elsewhere. Called by LogStore.

import { key as asKey, type Key, type ShardId } from '../ports/ids.ts';
import type { RowLayout, SnapshotPosition } from '../ports/replica-store.ts';
import type { Backend } from './backend.ts';
import type { Batch } from './batch.ts';
import type { CommitQueue } from './commit-queue.ts';
import { ROW, STAGED, unframe, ZERO_POSITION } from './framing.ts';
import { prefixEnd, u16Key } from './keys.ts';
import { misuse } from './limits.ts';
import { isDropping, type ShardLog } from './shard-log.ts';
import { rowsOfChunk } from './shard-snapshot.ts';

/** Rows moved by one batch. */
const PAGE = 500;

export class Installer {
  readonly #backend: Backend;
  readonly #queue: CommitQueue<Batch>;

  constructor(backend: Backend, queue: CommitQueue<Batch>) {
    this.#backend = backend;
    this.#queue = queue;
  }

  async stage(log: ShardLog, index: number, bytes: Uint8Array): Promise<void> {
    if (log.position.installing) throw misuse(`shard ${log.shard}: its rows are being replaced, or dropped`);
    if (index === 0) await this.#empty(log);
    const { batch, done } = this.#queue.join();
    const prefix = stagedPrefix(log);
    for (const [key, value] of rowsOfChunk(bytes)) batch.rows.push([prefix + key, value]);
    // A batch that holds more than entries writes positions.
    batch.positions.add(log);
    await done;
  }

  async install(log: ShardLog, to: SnapshotPosition, layout: RowLayout): Promise<void> {
    const { position } = log;
    if (to.lsn <= position.appliedLsn) {
      throw misuse(`shard ${log.shard}: cannot install entry ${to.lsn}, applied to ${position.appliedLsn}`);
    }
    const { batch, done } = this.#queue.join();
    emptyLog(log, batch);
    log.position = {
      ...position,
      appliedLsn: to.lsn,
      appliedTerm: to.term,
      appliedChain: to.chain,
      truncatedAfter: to.lsn,
      truncatedSeq: batch.record.seq - 1,
      base: undefined,
      configuration: Uint8Array.from(to.configuration),
      installing: true,
    };
    batch.positions.add(log);
    await done;
    await this.#move(log, layout);
  }

  async resume(log: ShardLog, layout: RowLayout): Promise<void> {
    if (log.position.installing) await this.#move(log, layout);
  }

  /** Those that are half gone already go on. */
  async drop(logs: readonly ShardLog[], layout: RowLayout): Promise<void> {
    const going = logs.filter(({ position }) => !isDropping(position));
    for (const log of going) await this.#empty(log);
    if (going.length > 0) {
      const { batch, done } = this.#queue.join();
      for (const log of going) {
        const { term, votedTerm, votedFor } = log.position;
        emptyLog(log, batch);
        const truncatedSeq = batch.record.seq - 1;
        log.position = { ...ZERO_POSITION, term, votedTerm, votedFor, truncatedSeq, installing: true };
        batch.positions.add(log);
      }
      await done;
    }
    await this.#deleteRows(logs, layout);
    const { batch, done } = this.#queue.join();
    for (const log of logs) {
      log.position = { ...log.position, installing: false };
      batch.positions.add(log);
    }
    await done;
  }

  /** What was staged and never switched to. */
  async discard(logs: readonly ShardLog[]): Promise<void> {
    const staged = await this.#backend.range({ from: STAGED, to: prefixEnd(STAGED), limit: 1, reverse: false });
    if (staged.length === 0) return;
    for (const log of logs) if (!log.position.installing) await this.#empty(log);
  }

  async #move(log: ShardLog, layout: RowLayout): Promise<void> {
    const { shard } = log;
    await this.#deleteRows([log], layout);
    const prefix = stagedPrefix(log);
    for await (const page of this.#pages(prefix, prefixEnd(prefix))) {
      // Whoever made the chunks cannot write another shard's rows through them.
      const own = page.filter(([stored]) => belongs(layout, shard, asKey(stored.slice(prefix.length))));
      const rows = own.map(([stored, framed]) => {
        const value = unframe(stored, framed, (at) => this.#backend.locate(at));
        return [ROW + stored.slice(prefix.length), value] as const;
      });
      await this.#write(log, rows);
    }
    const { batch, done } = this.#queue.join();
    log.position = { ...log.position, installing: false };
    batch.positions.add(log);
    await done;
    await this.#empty(log);
  }

  /** Rows of several shards may lie in one range: it is read once for all. */
  async #deleteRows(logs: readonly ShardLog[], layout: RowLayout): Promise<void> {
    const [first] = logs;
    if (first === undefined) return;
    const ranges = new Map(
      logs.flatMap(({ shard }) => layout.ranges(shard).map(({ from, to }) => [from, to] as const)),
    );
    for (const [from, to] of ranges) {
      for await (const page of this.#pages(ROW + from, ROW + to)) {
        const keys = page.map(([stored]) => stored);
        const owned = keys.filter((stored) =>
          logs.some(({ shard }) => layout.owns(shard, asKey(stored.slice(ROW.length)))),
        );
        await this.#write(
          first,
          owned.map((stored) => [stored, undefined] as const),
        );
      }
    }
  }

  async #empty(log: ShardLog): Promise<void> {
    const prefix = stagedPrefix(log);
    for await (const page of this.#pages(prefix, prefixEnd(prefix))) {
      await this.#write(
        log,
        page.map(([stored]) => [stored, undefined] as const),
      );
    }
  }

  async #write(log: ShardLog, writes: readonly (readonly [string, Uint8Array | undefined])[]): Promise<void> {
    if (writes.length === 0) return;
    const { batch, done } = this.#queue.join();
    for (const write of writes) batch.rows.push(write);
    batch.positions.add(log);
    await done;
  }

  async *#pages(from: string, to: Key | string): AsyncIterable<[string, Uint8Array][]> {
    for (let start = from; ; ) {
      const page = await this.#backend.range({ from: start, to, limit: PAGE, reverse: false });
      yield page;
      const last = page.at(-1);
      if (page.length < PAGE || last === undefined) return;
      start = `${last[0]}\x00`;
    }
  }
}

/** What the log holds, and what of it is in the batch that forms, is void. */
function emptyLog(log: ShardLog, batch: Batch): void {
  for (const entry of log.entries) {
    entry.record.live -= 1;
    entry.truncated = true;
  }
  log.entries = [];
  batch.entries = batch.entries.filter(({ shard }) => shard !== log.shard);
}

const belongs = (layout: RowLayout, shard: ShardId, key: Key): boolean =>
  layout.ranges(shard).some(({ from, to }) => key >= from && key < to) && layout.owns(shard, key);

const stagedPrefix = ({ shard }: ShardLog): string => STAGED + u16Key(shard);
