// Counts by value out of index keys, while values change, executions come and go, and rows are flushed: right as of the moment the pass is over.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { schemaOf } from '../core/visibility/index.ts';
import { type Key, key } from '../ports/ids.ts';
import type { RangeOptions, Store } from '../ports/store.ts';
import { IndexedValueType } from '../wire/enums.ts';
import { GroupCounts } from './group-counts.ts';
import { Overlay } from './overlay.ts';
import { Reader } from './reader.ts';
import { NAMESPACE } from './testing.ts';
import { attributePart, attributeValuePart, indexPrefix, sortSuffix } from './visibility.ts';

const City = schemaOf(new Map([['City', IndexedValueType.KEYWORD]]))('City');
const CITIES = ['Aix', 'Oslo', 'Rome', 'Ulm', undefined];
const EMPTY = new Uint8Array(0);

/** Executions, each in a city or in none, and the rows of the cities: on disk, or not yet. */
class Cities {
  readonly overlay = new Overlay();
  readonly disk = new Map<Key, Uint8Array>();
  readonly of = new Map<number, string | undefined>();
  /** Called before each read of the disk, and after it. */
  meanwhile = (): void => {};

  readonly reader = new Reader(this.overlay, {
    range: async ({ from, to, limit = 1_000 }: RangeOptions) => {
      this.meanwhile();
      const rows = [...this.disk].filter(([k]) => k >= from && k < to).sort(([a], [b]) => (a < b ? -1 : 1));
      await Promise.resolve();
      this.meanwhile();
      return rows.slice(0, limit);
    },
  } as unknown as Store); // what is asked of a store here

  rowOf(run: number, city: string): Key {
    const value = attributePart('City', IndexedValueType.KEYWORD) + attributeValuePart(city);
    return key(indexPrefix('attribute', NAMESPACE, value) + sortSuffix(run, `run-${run}`, run % 2));
  }

  /** As one entry: out of one city, into another. */
  move(run: number, city: string | undefined, stays = true): void {
    const before = this.of.get(run);
    if (before !== city && before !== undefined) this.overlay.apply(0, this.rowOf(run, before), undefined);
    if (before !== city && city !== undefined) this.overlay.apply(0, this.rowOf(run, city), EMPTY);
    if (stays) this.of.set(run, city);
    else this.of.delete(run);
  }

  flush(): void {
    const set = this.overlay.takeDirty(0);
    for (const { key: k, value } of set.rows) {
      if (value === undefined) this.disk.delete(k);
      else this.disk.set(k, value);
    }
    this.overlay.flushed(set);
  }

  counts(isMeant: (shard: number) => boolean): Map<string | null, number> {
    const counts = new Map<string | null, number>();
    for (const [run, city = null] of this.of) if (isMeant(run % 2)) counts.set(city, (counts.get(city) ?? 0) + 1);
    return counts;
  }
}

const happening = fc.oneof(
  fc.record({ run: fc.nat(30), city: fc.constantFrom(...CITIES) }),
  fc.record({ gone: fc.nat(30) }),
  fc.constant({ flush: true as const }),
);

describe('a count by city', () => {
  it('has every execution once, whatever happens while it is counted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...CITIES), { maxLength: 30 }),
        fc.array(fc.array(happening, { maxLength: 3 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom(
          () => true,
          (shard: number) => shard === 1,
        ),
        async (cities, happenings, chunk, isMeant) => {
          const all = new Cities();
          cities.forEach((city, run) => {
            all.move(run, city);
          });
          all.flush();
          all.meanwhile = () => {
            for (const one of happenings.shift() ?? []) {
              if ('run' in one) all.move(one.run, one.city);
              else if ('gone' in one) all.move(one.gone, undefined, false);
              else all.flush();
            }
          };
          const total = () => [...all.counts(isMeant).values()].reduce((sum, n) => sum + n, 0);
          const census = { statuses: async () => new Map<number, number>(), total };
          const counts = new GroupCounts({ reader: all.reader, census, chunk });
          if (City === undefined) throw new Error('no such field');
          const groups = await counts.of({ space: NAMESPACE, field: City, maxGroups: 10, isMeant });
          expect(groups).toEqual(all.counts(isMeant));
        },
      ),
      { numRuns: 500 },
    );
  });
});
