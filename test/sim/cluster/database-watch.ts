// What a database that all nodes share holds after each commit, held against what must be: entries in one sequence (I2), nobody writes in a term that has
// been followed by another (I3), every flush writes the rows of exactly one lsn. What is committed goes to the truth.

import { lsn } from '../../../src/ports/ids.ts';
import { encodePosition, frame, POSITION, ROW, ZERO_POSITION } from '../../../src/store/framing.ts';
import { u16Key } from '../../../src/store/keys.ts';
import { FlushWatch, NOTHING_INSTALLED } from '../flush-watch.ts';
import { Violation } from '../kernel.ts';
import type { Committed } from '../sql/tables.ts';
import type { LogWatch } from './log-watch.ts';

export class DatabaseWatch {
  readonly #watch: LogWatch;
  readonly #flushes: FlushWatch;

  constructor(watch: LogWatch) {
    this.#watch = watch;
    this.#flushes = new FlushWatch({ entriesOf: (shard) => watch.truth.entriesOf(shard) });
  }

  committed({ moved, entries, rows }: Committed): void {
    for (const { before, after } of moved) {
      if (after.term < before.term) {
        throw new Violation(
          'I3',
          `shard ${after.shard} is written in term ${after.term} in the database, term ${before.term} was given`,
        );
      }
    }
    for (const { shard, lsn: at, term, entry } of entries) this.#watch.stored(shard, at, term, entry);
    const written = [...rows].map(([rowKey, value]) => [ROW + rowKey, value] as const);
    for (const { before, after } of moved) {
      if (after.appliedLsn === before.appliedLsn) continue;
      const key = POSITION + u16Key(after.shard);
      const position = encodePosition({ ...ZERO_POSITION, appliedLsn: lsn(after.appliedLsn) });
      this.#flushes.flushed(key, frame(key, position), written, NOTHING_INSTALLED);
    }
  }
}
