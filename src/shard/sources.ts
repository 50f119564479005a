// Which index a search reads. Each of a plan's candidates holds all matches, so the one with the fewest rows is best: their sizes are looked at, up to
// a bound, and none is trusted to be small by its name. Without a small one the likely smaller is read in order of time, or everything.

import type { Candidate, IndexRange, Plan } from '../core/visibility/index.ts';
import { unpackRow } from '../core/workflow/row-codec.ts';
import type { ChainRow, StartRow } from '../core/workflow/rows.ts';
import { START_ROW_ID } from '../core/workflow/rows.ts';
import type { Key } from '../ports/ids.ts';
import { decode } from '../wire/codec.ts';
import {
  everything,
  isWhole,
  keyRange,
  placeAfterValue,
  spanRange,
  type TimedRange,
  type TimeWindow,
} from './index-ranges.ts';
import { base, inverted, rowKey } from './keys.ts';
import {
  CollectedStream,
  type KeyRange,
  MergedStream,
  type Moved,
  type PlaceStream,
  RangeStream,
  type StreamOptions,
  type Way,
} from './place-streams.ts';
import type { Reader } from './reader.ts';
import { indexedShard, sortSuffix } from './visibility.ts';

/** Rows of candidates that are looked at to find the smallest, growing. */
const PROBES = [64, 1_024] as const;
/** Rows in order of their values that are collected and sorted; more are not worth it. */
const MAX_COLLECTED = 4_096;

export interface SourceQuestion {
  readonly namespace: string;
  /** The name its index rows are under. */
  readonly space: string;
  readonly plan: Plan;
  /** The index that holds everything, infos and all. */
  readonly whole: 'all' | 'schedules' | 'flowKeys';
  readonly way: Way;
  /** Place behind which to begin; '' for the beginning. */
  readonly after: string;
  isMeant(shard: number): boolean;
}

export interface SourcesOptions {
  reader: Reader;
  shardOf(namespace: string, workflowId: string): number;
}

export class Sources {
  readonly #options: SourcesOptions;

  constructor(options: SourcesOptions) {
    this.#options = options;
  }

  /** Whether the rows of a candidate that claims it are its matches, and all of them. */
  isExact({ ranges, exact }: Candidate): boolean {
    return exact && ranges.every(isWhole);
  }

  /** Places of everything that may match, in order of time. */
  async of(question: SourceQuestion): Promise<PlaceStream> {
    const { space, plan, after } = question;
    if (plan.from > plan.to) return new CollectedStream([], question.way, after);
    const chosen = await this.#choose(question);
    if (chosen === undefined) return this.#all(question);
    const { ranges } = chosen;
    if (!isTimed(ranges)) return this.#collected(question, ranges);
    // Before the indexes: a run that is followed meanwhile is in them by then.
    const current = await this.#currentRuns(question, ranges);
    const options = this.#streams(question, 'nothing');
    const keys = ranges.map((range) => keyRange(space, range, plan));
    const streams: PlaceStream[] = keys.map((range) => new RangeStream(options, range, after));
    if (current.length > 0) streams.push(new CollectedStream(current, question.way, after));
    const [only] = streams;
    if (only !== undefined && streams.length === 1) return only;
    return new MergedStream(streams, question.way, this.#moved(question, ranges));
  }

  /** Of rows between which executions move: another status, another value. */
  #moved({ space, plan, isMeant }: SourceQuestion, ranges: readonly IndexRange[]): Moved {
    const { reader } = this.#options;
    const watched = ranges.map((range) => ({ range, prefix: keysOf(space, range, plan).prefix }));
    const watch = reader.watchDeletions(watched.map(({ prefix }) => prefix));
    const placesOf = (k: Key): string[] =>
      watched
        .filter(({ prefix }) => k.startsWith(prefix) && isMeant(indexedShard(k)))
        .map(({ range, prefix }) => placeIn(range, prefix, k))
        .filter((place) => isWithin(place, plan));
    return { take: () => watch.take().flatMap(placesOf), close: () => watch.close() };
  }

  #all(question: SourceQuestion): PlaceStream {
    const { space, plan, after, whole } = question;
    return new RangeStream(this.#streams(question, 'infos'), everything(whole, space, plan), after);
  }

  #streams({ way, isMeant }: SourceQuestion, holds: StreamOptions['holds']): StreamOptions {
    return { reader: this.#options.reader, way, holds, isMeant };
  }

  // ---------------------------------------------------------------- choice

  async #choose({ space, plan }: SourceQuestion): Promise<Candidate | undefined> {
    const { candidates } = plan;
    const [first] = candidates;
    if (candidates.length === 1 && first !== undefined && isTimed(first.ranges)) return first;
    for (const limit of PROBES) {
      const sizes = await Promise.all(candidates.map(({ ranges }) => this.#size(space, ranges, plan, limit)));
      const least = Math.min(...sizes);
      if (least < limit) return candidates[sizes.indexOf(least)];
    }
    const timed = candidates.find(({ ranges }) => isTimed(ranges));
    if (timed !== undefined) return timed;
    for (const candidate of candidates) {
      if ((await this.#size(space, candidate.ranges, plan, MAX_COLLECTED)) < MAX_COLLECTED) return candidate;
    }
    return undefined;
  }

  /** Rows of a candidate, `limit` when there are more. */
  async #size(space: string, ranges: readonly IndexRange[], window: TimeWindow, limit: number): Promise<number> {
    let size = 0;
    for (const range of ranges) {
      const { from, to } = keysOf(space, range, window);
      let at: Key | undefined = from < to ? from : undefined;
      while (at !== undefined && size < limit) {
        const chunk: Awaited<ReturnType<Reader['chunk']>> = await this.#options.reader.chunk(at, to, limit - size);
        size += chunk.rows.length;
        at = chunk.next;
      }
      if (size >= limit) return limit;
    }
    return size;
  }

  // ---------------------------------------------------------------- rows in another order than that of time

  async #collected(question: SourceQuestion, ranges: readonly IndexRange[]): Promise<PlaceStream> {
    const { space, plan, way, after, isMeant } = question;
    // Before the indexes: a run that is followed meanwhile is in them by then.
    const places = await this.#currentRuns(question, ranges.filter(isTimedRange));
    const moved = this.#moved(question, ranges);
    try {
      for (const range of ranges) {
        const { prefix, from, to } = keysOf(space, range, plan);
        const rows = await this.#options.reader.range(from, to, 2 * MAX_COLLECTED);
        // They have become many since they were counted.
        if (rows.length === 2 * MAX_COLLECTED) return this.#all(question);
        for (const [k] of rows) {
          const place = placeIn(range, prefix, k);
          if (isMeant(indexedShard(k)) && isWithin(place, plan)) places.push(place);
        }
      }
      return new CollectedStream([...places, ...moved.take()], way, after);
    } finally {
      moved.close();
    }
  }

  // ---------------------------------------------------------------- the current runs of workflow ids

  /** Indexes have the earlier runs of a workflow id; the last one is known by the actor's own rows. */
  async #currentRuns({ namespace, plan, isMeant }: SourceQuestion, ranges: readonly TimedRange[]): Promise<string[]> {
    const places: string[] = [];
    for (const range of ranges) {
      if (range.index !== 'workflowId') continue;
      const shard = this.#options.shardOf(namespace, range.value);
      const place = isMeant(shard) ? await this.#currentRun(namespace, range.value, shard) : undefined;
      if (place !== undefined && isWithin(place, plan)) places.push(place);
    }
    return places;
  }

  async #currentRun(namespace: string, workflowId: string, shard: number): Promise<string | undefined> {
    const { reader } = this.#options;
    const actor = base(shard, namespace, workflowId);
    const chainBytes = await reader.get(rowKey(actor, 'chain', '', ''));
    if (chainBytes === undefined) return undefined;
    // The table says what the row is.
    const { currentRunId } = unpackRow('chain', '', decode(chainBytes)) as ChainRow;
    if (currentRunId === '') return undefined;
    const startBytes = await reader.get(rowKey(actor, 'run', currentRunId, START_ROW_ID));
    if (startBytes === undefined) return undefined;
    const { startTime } = unpackRow('run', START_ROW_ID, decode(startBytes)) as StartRow;
    return sortSuffix(startTime, currentRunId, shard);
  }
}

const placeIn = (range: IndexRange, prefix: string, k: Key): string =>
  range.index === 'attributeSpan' ? placeAfterValue(k, prefix, range) : k.slice(prefix.length);

const isTimedRange = (range: IndexRange): range is TimedRange => range.index !== 'attributeSpan';

const isTimed = (ranges: readonly IndexRange[]): ranges is readonly TimedRange[] => ranges.every(isTimedRange);

const keysOf = (namespace: string, range: IndexRange, window: TimeWindow): KeyRange =>
  isTimedRange(range) ? keyRange(namespace, range, window) : spanRange(namespace, range);

/** Places begin with the start time, newest first. */
const isWithin = (place: string, { from, to }: TimeWindow): boolean =>
  place >= inverted(to) && (from <= 0 || place < inverted(from - 1));
