// The rows that flushes add to those of the entries: a shard's meta (its time, what it has sent and received, executions by status) and its counters of
// waiting tasks. What they must be is worked out from the entries and the rows, of each lsn that a flush is of. Used by flush-watch.ts.

import { key as asKey } from '../../src/ports/ids.ts';
import type { Entry } from '../../src/shard/entry.ts';
import {
  backlogCountKey,
  outboxDestination,
  outboxSeq,
  readBacklogKey,
  shardMetaKey,
  statusCountOf,
} from '../../src/shard/keys.ts';
import type { StatusCountsRow } from '../../src/shard/status-counts.ts';
import { decode } from '../../src/wire/codec.ts';
import { Violation } from './kernel.ts';

type Rows = ReadonlyMap<string, Uint8Array | undefined>;
/** As Shard.encodeMeta writes it. */
type Meta = [time: number, sent: number[], received: [number, number, number[]][], statuses?: StatusCountsRow | null];

export class DerivedRows {
  #time = 0;
  readonly #sent = new Map<number, number>();
  readonly #received = new Map<number, Set<number>>();

  /** The next entry. */
  apply({ time, rows, receipts }: Entry): void {
    this.#time = time;
    for (const [rowKey, value] of rows) {
      if (!rowKey.startsWith('o') || value === undefined) continue;
      const destination = outboxDestination(rowKey);
      this.#sent.set(destination, Math.max(this.#sent.get(destination) ?? 0, outboxSeq(rowKey)));
    }
    for (const { source, seq } of receipts) {
      const known = this.#received.get(source);
      if (known === undefined) this.#received.set(source, new Set([seq]));
      else known.add(seq);
    }
  }

  /** @param rows all that the shard has now. @param written by the flush that is of now */
  check(shard: number, lsn: number, rows: Rows, written: Rows): void {
    const meta = written.get(shardMetaKey(shard));
    if (meta !== undefined) {
      const wrong = this.#wrongIn(decode(meta) as Meta, rows); // written by the shard alone
      if (wrong !== undefined) throw new Violation('flush', `shard ${shard}: its meta of lsn ${lsn} ${wrong}`);
    }
    const counters = [...written].filter(([rowKey]) => rowKey.startsWith('n'));
    if (counters.length === 0) return;
    const waiting = new Map<string, number>();
    for (const rowKey of rows.keys()) {
      if (!rowKey.startsWith('b')) continue;
      const counter = backlogCountKey(shard, readBacklogKey(asKey(rowKey)).queue);
      waiting.set(counter, (waiting.get(counter) ?? 0) + 1);
    }
    for (const [counter, value] of counters) {
      const count = value === undefined ? 0 : (decode(value) as [string, string, string, number])[3]; // written by the backlog
      const right = waiting.get(counter) ?? 0;
      if (count !== right)
        throw new Violation(
          'flush',
          `shard ${shard}: ${JSON.stringify(counter)} counts ${count}, ${right} wait at lsn ${lsn}`,
        );
    }
  }

  #wrongIn([time, sent, received, statuses]: Meta, rows: Rows): string | undefined {
    if (time !== this.#time) return `says it is ${time}, not ${this.#time}`;
    const numbers = new Map(pairs(sent));
    for (const destination of new Set([...numbers.keys(), ...this.#sent.keys()])) {
      const [said, is] = [numbers.get(destination), this.#sent.get(destination)];
      if (said !== is) return `says that ${said} was sent last to shard ${destination}, not ${is}`;
    }
    for (const source of new Set([...received.map(([one]) => one), ...this.#received.keys()])) {
      const [, high, ranges] = received.find(([one]) => one === source) ?? [source, 0, []];
      const is = this.#received.get(source) ?? new Set();
      const spans: readonly (readonly [number, number])[] = [[1, high], ...pairs(ranges)];
      const count = spans.reduce((sum, [from, to]) => sum + to - from + 1, 0);
      const isRight = [...is].every((seq) => spans.some(([from, to]) => from <= seq && seq <= to));
      if (!isRight || count !== is.size)
        return `says that ${JSON.stringify(spans)} was received of shard ${source}, and not ${[...is].join()}`;
    }
    // Unsure, or of a build that kept none: the rows are counted.
    return statuses === null || statuses === undefined ? undefined : wrongStatuses(statuses, rows);
  }
}

function wrongStatuses(statuses: StatusCountsRow, rows: Rows): string | undefined {
  const counts = new Map<string, number>();
  const add = (namespace: string, status: number, n: number): void => {
    const id = `${JSON.stringify(namespace)} ${status}`;
    counts.set(id, (counts.get(id) ?? 0) + n);
  };
  for (const rowKey of rows.keys()) {
    if (!rowKey.startsWith('vs')) continue;
    const { namespace, status } = statusCountOf(asKey(rowKey));
    add(namespace, status, 1);
  }
  for (const [namespace, counted] of statuses) for (const [status, n] of pairs(counted)) add(namespace, status, -n);
  for (const [id, n] of counts) if (n !== 0) return `counts ${-n} executions of ${id} that are not there`;
  return undefined;
}

const pairs = (list: readonly number[]): [number, number][] =>
  Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i] ?? 0, list[2 * i + 1] ?? 0]);
