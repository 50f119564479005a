// How many executions there are by each value of one attribute, or by type: index keys are counted in one pass, no infos read. What changes behind the
// pass is followed, as by census.ts, so that an execution whose value changes meanwhile counts once; NULL is what the statuses have beyond.
// Called by search.ts, which counts infos where this cannot.

import type { Field, Value } from '../core/visibility/index.ts';
import { isSparse } from '../core/visibility/index.ts';
import { type Key, key } from '../ports/ids.ts';
import type { Census } from './census.ts';
import { after, endOfPart, readF64, readPart } from './keys.ts';
import type { Reader } from './reader.ts';
import { attributePart, indexedShard, indexPrefix, MAX_INDEXED_BYTES } from './visibility.ts';

/** Rows read at a time. */
const CHUNK = 2_000;

export interface GroupCountsOptions {
  reader: Reader;
  census: Pick<Census, 'statuses' | 'total'>;
  chunk?: number;
}

export interface GroupQuestion {
  /** The name its index rows are under. */
  readonly space: string;
  readonly field: Field;
  /** More are not counted. */
  readonly maxGroups: number;
  isMeant(shard: number): boolean;
}

/** By value, NULL for those that have none. */
export type Groups = Map<Value | null, number>;

/** Where the rows of a field lie, and how the value that begins a row's end reads. */
interface Values {
  readonly prefix: string;
  endOf(k: string): number;
  read(part: string): Value;
}

export class GroupCounts {
  readonly #options: GroupCountsOptions;

  constructor(options: GroupCountsOptions) {
    this.#options = options;
  }

  /** `many`: more than asked for. Undefined: index keys do not tell. */
  async of(question: GroupQuestion): Promise<Groups | 'many' | undefined> {
    const { reader, census } = this.#options;
    const { space, field, isMeant, maxGroups } = question;
    const values = valuesOf(space, field);
    if (values === undefined) return undefined;
    const { prefix } = values;
    // So that the total is known at once when the pass is over.
    await census.statuses(space, isMeant);
    const counts = new Map<string, number>();
    const add = (k: string, delta: number): void => {
      if (!isMeant(indexedShard(key(k)))) return;
      const part = k.slice(prefix.length, values.endOf(k));
      const count = (counts.get(part) ?? 0) + delta;
      if (count === 0) counts.delete(part);
      else counts.set(part, count);
    };
    const watch = reader.watchChanges([prefix]);
    try {
      const to = after(prefix);
      for (let from: Key | undefined = key(prefix); from !== undefined; ) {
        const start: Key = from;
        const chunk: Awaited<ReturnType<Reader['chunk']>> = await reader.chunk(start, to, this.#options.chunk ?? CHUNK);
        const end = chunk.next ?? to;
        const changes = watch.take().filter(([k]) => k < end);
        // Of a row that changed meanwhile nobody knows whether the chunk has it: the change says. What lies beyond is read later, as it then is.
        if (changes.every(([k]) => k < start)) for (const [k] of chunk.rows) add(k, 1);
        else {
          const keys = new Set<string>(chunk.rows.map(([k]) => k));
          for (const [k, change] of changes) {
            if (k < start) continue;
            if (change === 'delete') keys.delete(k);
            else keys.add(k);
          }
          for (const k of keys) add(k, 1);
        }
        for (const [k, change] of changes) if (k < start) add(k, change === 'put' ? 1 : -1);
        if (counts.size > maxGroups) return 'many';
        from = chunk.next;
      }
      return named(counts, values, census.total(space, isMeant));
    } finally {
      watch.close();
    }
  }
}

/** Undefined: an index does not have all its values whole, or the total is not known. */
function named(counts: ReadonlyMap<string, number>, values: Values, total: number | undefined): Groups | undefined {
  if (total === undefined) return undefined;
  const groups: Groups = new Map();
  let rest = total;
  for (const [part, count] of counts) {
    const value = values.read(part);
    // It may have been cut.
    if (typeof value === 'string' && part.length >= MAX_INDEXED_BYTES) return undefined;
    groups.set(value, count);
    rest -= count;
  }
  if (rest < 0) return undefined;
  if (rest > 0) groups.set(null, rest);
  return groups;
}

function valuesOf(space: string, { name, type, attribute }: Field): Values | undefined {
  if (name === 'WorkflowType' || name === 'ActivityType') return texts(indexPrefix('workflowType', space));
  if (attribute === undefined || isSparse(name, attribute)) return undefined;
  const prefix = indexPrefix('attribute', space, attributePart(name, attribute));
  switch (type) {
    case 'keyword':
      return texts(prefix);
    case 'int':
      return { prefix, endOf: () => prefix.length + 8, read: (part) => readF64(part, 0) };
    case 'bool':
      return { prefix, endOf: () => prefix.length + 1, read: (part) => part === '\x01' };
    default:
      return undefined;
  }
}

const texts = (prefix: string): Values => ({
  prefix,
  endOf: (k) => endOfPart(k, prefix.length),
  read: (part) => readPart(part, 0).text,
});
