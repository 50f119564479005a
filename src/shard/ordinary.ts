// Which sparse values (core/visibility/indexed.ts) nearly every execution of a shard has, so that they need no rows in the index of attributes: the task
// queue of all orders, the build of all workers. What is ordinary is learned while executions begin, by their share of the latest, and holds for those
// that begin from the next millisecond on, until it has become rare. So whether an execution has its row for a value is told by when it began, for ever:
// by whoever shows it, deletes it or looks for it. Spans are rows of the entry that decides them: the same on leader and followers.

import { type Key, key } from '../ports/ids.ts';
import { decode, encode } from '../wire/codec.ts';
import { ordinaryPrefix } from './keys.ts';
import type { Economy } from './visibility.ts';

export interface OrdinaryBounds {
  /** Executions with a value before it is ordinary. */
  readonly least: number;
  /** One in so many of the latest executions has an ordinary value. */
  readonly share: number;
  /** The latest executions: then what was counted of them counts half. */
  readonly window: number;
}

const BOUNDS: OrdinaryBounds = { least: 16, share: 16, window: 512 };
/** Values counted at once; those beyond are not ordinary meanwhile. */
const MAX_COUNTED = 4_096;
/** Values that are, or were, ordinary in one shard; those beyond have rows. */
export const MAX_ORDINARY = 512;
/** Times that one value became ordinary; then it stays so. */
const MAX_SPANS = 8;

/** Start times, whole epoch ms: [since, until, since, until, …], ascending; without a last `until` it is ordinary now. */
type Spans = readonly number[];

const isOpen = (spans: Spans | undefined): boolean => spans !== undefined && spans.length % 2 === 1;

function covers(spans: Spans, startTime: number): boolean {
  for (let i = 0; i < spans.length; i += 2) {
    if (startTime >= (spans[i] ?? 0) && startTime < (spans[i + 1] ?? Number.POSITIVE_INFINITY)) return true;
  }
  return false;
}

export class Ordinary {
  readonly #shard: number;
  readonly #bounds: OrdinaryBounds;
  /** As its leader has decided, ahead of the commit. */
  readonly #decided = new Map<string, Spans>();
  readonly #committed = new Map<string, Spans>();
  /** Of the latest executions, how many have a value. */
  readonly #counts = new Map<string, number>();
  #executions = 0;
  #changed: Set<string> | undefined;

  constructor(shard: number, bounds = BOUNDS) {
    this.#shard = shard;
    this.#bounds = bounds;
  }

  omits(value: string, startTimeMs: number): boolean {
    const spans = this.#decided.get(value);
    return spans !== undefined && covers(spans, Math.floor(startTimeMs));
  }

  /** What one turn writes of it goes into these rows. */
  during(nowMs: number): Economy {
    return {
      omits: (value, startTimeMs) => this.omits(value, startTimeMs),
      met: (value) => this.#met(value, nowMs),
    };
  }

  #met(value: string, nowMs: number): void {
    const count = (this.#counts.get(value) ?? 0) + 1;
    if (count === 1 && this.#counts.size >= MAX_COUNTED) return;
    this.#counts.set(value, count);
    const { least, share } = this.#bounds;
    if (count < least || count * share < this.#executions) return;
    const spans = this.#decided.get(value);
    if (isOpen(spans) || (spans?.length ?? 0) >= 2 * MAX_SPANS) return;
    if (spans === undefined && this.#decided.size >= MAX_ORDINARY) return;
    // Those that have begun, this one too, have their rows.
    this.#decide(value, [...(spans ?? []), Math.floor(nowMs) + 1]);
  }

  /** An execution begins. */
  begun(nowMs: number): void {
    this.#executions += 1;
    if (this.#executions < this.#bounds.window) return;
    this.#executions /= 2;
    for (const [value, count] of this.#counts) {
      if (count > 1) this.#counts.set(value, Math.floor(count / 2));
      else this.#counts.delete(value);
    }
    for (const [value, spans] of this.#decided) {
      if (!isOpen(spans) || this.#counts.has(value) || spans.length > 2 * MAX_SPANS - 2) continue;
      this.#decide(value, [...spans, Math.floor(nowMs) + 1]);
    }
  }

  #decide(value: string, spans: Spans): void {
    this.#decided.set(value, spans);
    this.#changed ??= new Set();
    this.#changed.add(value);
  }

  /** Rows of what was decided since the last time: for the entry of the turn under way. */
  takeChanges(): readonly (readonly [Key, Uint8Array])[] {
    const changed = this.#changed;
    if (changed === undefined) return [];
    this.#changed = undefined;
    return [...changed].map((value) => [key(ordinaryPrefix(this.#shard) + value), encode(this.#decided.get(value))]);
  }

  /** A row of an entry, or of the disk. */
  commit(k: string, bytes: Uint8Array): void {
    // Written by takeChanges alone and checksummed by the store.
    const spans = decode(bytes) as number[];
    const value = k.slice(ordinaryPrefix(this.#shard).length);
    this.#committed.set(value, spans);
    if (spans.length >= (this.#decided.get(value)?.length ?? 0)) this.#decided.set(value, spans);
  }

  /** What was decided and not committed never was. What is ordinary gets time to show it again. */
  reset(): void {
    this.#decided.clear();
    this.#counts.clear();
    this.#executions = 0;
    this.#changed = undefined;
    for (const [value, spans] of this.#committed) {
      this.#decided.set(value, spans);
      if (isOpen(spans)) this.#counts.set(value, this.#bounds.least);
    }
  }

  /** When executions began that may lack their row for a value, as committed: pairs of `since` and `until`. */
  spansOf(value: string): readonly [since: number, until: number][] {
    const spans = this.#committed.get(value) ?? [];
    const pairs: [number, number][] = [];
    for (let i = 0; i < spans.length; i += 2) {
      pairs.push([spans[i] ?? 0, spans[i + 1] ?? Number.POSITIVE_INFINITY]);
    }
    return pairs;
  }
}
