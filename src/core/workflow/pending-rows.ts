// Rows of one table within a turn: those of the state, and over them what the turn made of them. Used by RunDraft.

import type { RowChange, RowTable } from './outcome.ts';

export class PendingRows<Row extends object> {
  readonly #base: ReadonlyMap<number, Row> | undefined;
  #changed: Map<number, Row | undefined> | undefined;

  constructor(base: ReadonlyMap<number, Row> | undefined) {
    this.#base = base;
  }

  get(id: number): Row | undefined {
    return this.#changed?.has(id) === true ? this.#changed.get(id) : this.#base?.get(id);
  }

  /** `undefined` deletes. */
  set(id: number, row: Row | undefined): void {
    this.#changed ??= new Map();
    this.#changed.set(id, row);
  }

  /** As of this turn, oldest first. */
  *values(): Iterable<Row> {
    for (const [id, row] of this.#base ?? []) {
      const current = this.#changed?.has(id) === true ? this.#changed.get(id) : row;
      if (current !== undefined) yield current;
    }
    for (const [id, row] of this.#changed ?? []) if (row !== undefined && this.#base?.has(id) !== true) yield row;
  }

  /** What is to be written: nothing for a row that came and went within the turn. */
  finish(table: RowTable, runId: string, rows: RowChange[]): void {
    for (const [id, value] of this.#changed ?? []) {
      if (value === undefined && this.#base?.has(id) !== true) continue;
      rows.push({ table, runId, id: String(id), value });
    }
  }
}
