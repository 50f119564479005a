// Deletions as the durable rows tell it: only runs that somebody asked to delete go, what is shown of one goes in the same entry as the run itself,
// nothing of it is ever written again, and its events are gone once the row that keeps count of them is. Readers ask it whether they were told too much.

import { type Key, key } from '../../../src/ports/ids.ts';
import { readPart } from '../../../src/shard/keys.ts';
import { Violation } from '../kernel.ts';

export interface KnownRows {
  readonly rows: ReadonlyMap<string, Uint8Array>;
  /** Durable so far; the one that is being applied is counted. */
  readonly entries: number;
}

/** Events of a run, and the row by which they go, stay for a while. */
const OUTLIVES = /^[et]/;

export class DeletionWatch {
  readonly #known: KnownRows;
  /** Runs that somebody asked to delete. */
  readonly #wanted = new Set<string>();
  /** Runs that are gone: with which entry, counted over all shards. */
  readonly #gone = new Map<string, number>();
  /** Rows that stand for events which are still to go: of which run. */
  readonly #left = new Map<string, string>();
  #touched: string[] = [];
  readonly seen = new Set<string>();

  constructor(known: KnownRows) {
    this.#known = known;
  }

  asked(runId: string): void {
    this.#wanted.add(runId);
  }

  isWanted(runId: string): boolean {
    return this.#wanted.has(runId);
  }

  isGone(runId: string): boolean {
    return this.#gone.has(runId);
  }

  /** Whether it was gone when so many entries were durable: what is asked from then on must not show it. */
  wasGone(runId: string, entries: number): boolean {
    return (this.#gone.get(runId) ?? Number.POSITIVE_INFINITY) <= entries;
  }

  /** Nothing is left of what was deleted. */
  get quiet(): boolean {
    return this.#left.size === 0;
  }

  /** Of an entry that is being applied. */
  row(rowKey: Key, value: Uint8Array | undefined): void {
    if (value === undefined) {
      this.#left.delete(rowKey);
      if (!rowKey.startsWith('a')) return;
      const runId = runOfItsRow(rowKey);
      if (runId !== undefined) this.#touched.push(runId);
      return;
    }
    for (const runId of this.#gone.keys())
      if (rowKey.includes(runId))
        throw new Violation('deletion', `run ${runId} is gone, and row ${JSON.stringify(rowKey)} is written`);
  }

  /** The entry is applied. */
  entered(time: number): void {
    if (this.#touched.length === 0) return;
    const touched = this.#touched;
    this.#touched = [];
    // Its events may be deleted over several entries, its row with one of them.
    for (const runId of touched) if (!this.#gone.has(runId)) this.#deleted(runId, time);
  }

  /** A client was told so (I1). */
  answered(runId: string): void {
    if (!this.#gone.has(runId))
      throw new Violation('I1', `the deletion of run ${runId} was acknowledged and is not durable`);
  }

  /** `entries`: durable when it was asked for. */
  shown(runId: string, entries: number, what: string): void {
    if (this.wasGone(runId, entries))
      throw new Violation('deletion', `${what} shows run ${runId}, which was gone when it was asked for`);
  }

  /** What was there when it was asked for, and is not found. */
  notFound(runId: string, what: string): void {
    if (!this.#gone.has(runId))
      throw new Violation('deletion', `${what} does not find run ${runId}, which nobody has deleted`);
  }

  /** Of rows on a disk: none are of events that have gone. */
  checkDisk(rows: Iterable<string>, when: string): void {
    const leaving = new Set(this.#left.values());
    for (const rowKey of rows) {
      const runId = rowKey.startsWith('e') ? runOfEvents(key(rowKey)) : undefined;
      if (runId !== undefined && this.#gone.has(runId) && !leaving.has(runId))
        throw new Violation('deletion', `events of run ${runId}, which is gone, are on disk ${when}`);
    }
  }

  #deleted(runId: string, time: number): void {
    if (!this.#wanted.has(runId)) throw new Violation('deletion', `run ${runId} is gone, and nobody asked for that`);
    this.#gone.set(runId, this.#known.entries);
    this.seen.add('an execution was deleted');
    for (const rowKey of this.#known.rows.keys()) {
      if (!rowKey.includes(runId)) continue;
      if (!OUTLIVES.test(rowKey))
        throw new Violation('deletion', `run ${runId} is gone, and its row ${JSON.stringify(rowKey)} stays`);
      // Those of a run that closed long before wait for its retention, and find nothing then.
      if (rowKey.startsWith('t') && timeOf(rowKey) <= time) this.#left.set(rowKey, runId);
    }
    if (![...this.#left.values()].includes(runId))
      throw new Violation('deletion', `run ${runId} is gone, and nothing says that its events are to go`);
  }
}

/** Whose events these are. */
export function runOfEvents(rowKey: Key): string {
  const namespace = readPart(rowKey, 3);
  const workflow = readPart(rowKey, namespace.next);
  return readPart(rowKey, workflow.next).text;
}

/** The run whose own row this is; undefined for other rows. */
function runOfItsRow(rowKey: Key): string | undefined {
  const namespace = readPart(rowKey, 3);
  const workflow = readPart(rowKey, namespace.next);
  if (rowKey.charAt(workflow.next) !== 'r') return undefined;
  const run = readPart(rowKey, workflow.next + 1);
  return rowKey.slice(run.next) === 'r' ? run.text : undefined;
}

/** When a timer row is due. */
function timeOf(rowKey: string): number {
  let ms = 0;
  for (let i = 1; i <= 6; i += 1) ms = ms * 256 + rowKey.charCodeAt(i);
  return ms;
}
