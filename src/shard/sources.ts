// Which index a search reads. Each of a plan's candidates holds all matches, so the one with the fewest rows is best: their sizes are looked at, up to
// a bound, and none is trusted to be small by its name. Without a small one the likely smaller is read in order of time, or everything. Where rows of
// values may be lacking (gaps.ts), everything of that time is read with them.

import type { Candidate, IndexRange, Plan } from '../core/visibility/index.ts';
import { unpackRow } from '../core/workflow/row-codec.ts';
import type { ChainRow, StartRow } from '../core/workflow/rows.ts';
import { START_ROW_ID } from '../core/workflow/rows.ts';
import type { Key } from '../ports/ids.ts';
import { decode } from '../wire/codec.ts';
import { IndexedValueType } from '../wire/enums.ts';
import { runIdTime } from '../wire/run-id.ts';
import { type Gaps, joined } from './gaps.ts';
import {
  everything,
  isWhole,
  keyRange,
  overlap,
  placeAfterValue,
  type SpanRange,
  spanRange,
  type TimedRange,
  type TimeWindow,
} from './index-ranges.ts';
import { base, inverted, part, rowKey } from './keys.ts';
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
import { indexedShard, sortSuffix, valuePart } from './visibility.ts';

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
  gaps: Pick<Gaps, 'of'>;
  shardOf(namespace: string, workflowId: string): number;
}

type SourceRange = TimedRange | SpanRange;

/** All of these together hold every match. */
type Source = readonly SourceRange[];

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
    const ranges = await this.#choose(question);
    if (ranges === undefined) return this.#all(question);
    if (!isTimed(ranges)) return this.#collected(question, ranges);
    // Before the indexes: a run that is followed meanwhile is in them by then.
    const current = await this.#currentRuns(question, ranges);
    const streams: PlaceStream[] = ranges.map((range) => {
      const holds = range.index === 'whole' || range.index === 'runId' ? 'infos' : 'nothing';
      return new RangeStream(this.#streams(question, holds), keyRange(space, range, plan), after);
    });
    if (current.length > 0) streams.push(new CollectedStream(current, question.way, after));
    const [only] = streams;
    if (only !== undefined && streams.length === 1) return only;
    return new MergedStream(streams, question.way, this.#moved(question, ranges));
  }

  /** Of rows between which executions move: another status, another value. */
  #moved({ space, plan, isMeant }: SourceQuestion, ranges: Source): Moved {
    const { reader } = this.#options;
    const watched = ranges.map((range) => ({ range, prefix: keysOf(space, range, plan).prefix }));
    const watch = reader.watchDeletions(watched.map(({ prefix }) => prefix));
    const placesOf = (k: Key): string[] =>
      watched
        .filter(({ prefix }) => k.startsWith(prefix) && isMeant(indexedShard(k)))
        .map(({ range, prefix }) => placeIn(range, prefix, k))
        .filter((place) => isWithin(place, plan));
    return { take: () => watch.take().flatMap(([k]) => placesOf(k)), close: () => watch.close() };
  }

  #all(question: SourceQuestion): PlaceStream {
    const { space, plan, after, whole } = question;
    return new RangeStream(this.#streams(question, 'infos'), everything(whole, space, plan), after);
  }

  #streams({ way, isMeant }: SourceQuestion, holds: StreamOptions['holds']): StreamOptions {
    return { reader: this.#options.reader, way, holds, isMeant };
  }

  // ---------------------------------------------------------------- choice

  async #choose(question: SourceQuestion): Promise<Source | undefined> {
    const { space, plan } = question;
    const sources = plan.candidates.flatMap((candidate) => {
      const source = this.#withGaps(question, candidate.ranges);
      return source === undefined ? [] : [source];
    });
    const [first] = sources;
    if (sources.length === 1 && first !== undefined && isTimed(first)) return first;
    for (const limit of PROBES) {
      const sizes = await Promise.all(sources.map((ranges) => this.#size(space, ranges, plan, limit)));
      const least = Math.min(...sizes);
      if (least < limit) return sources[sizes.indexOf(least)];
    }
    const timed = sources.find(isTimed);
    if (timed !== undefined) return timed;
    for (const source of sources) {
      if ((await this.#size(space, source, plan, MAX_COLLECTED)) < MAX_COLLECTED) return source;
    }
    return undefined;
  }

  /** The ranges of a candidate, and the times of which they may lack rows; undefined: all the times there are. */
  #withGaps({ space, plan, isMeant }: SourceQuestion, ranges: readonly IndexRange[]): Source | undefined {
    const source: SourceRange[] = [];
    const gaps: TimeWindow[] = [];
    const gapsOf = (range: Parameters<typeof valuePart>[0]): TimeWindow[] =>
      this.#options.gaps.of(part(space) + valuePart(range), isMeant);
    for (const range of ranges) {
      source.push(range);
      if (range.index === 'sparse') gaps.push(...gapsOf(range));
      if (range.index !== 'runId') continue;
      const { value } = range;
      const row = { index: 'sparse', name: 'RunId', type: IndexedValueType.KEYWORD, value } as const;
      source.push(row);
      // Builds that wrote no rows named no run by its time.
      if (runIdTime(value) === undefined) gaps.push(...gapsOf(row));
    }
    const within = gaps.map((gap) => overlap(gap, plan)).filter(({ from, to }) => from <= to);
    const windows = joined(within);
    if (windows.some(({ from, to }) => from <= plan.from && to >= plan.to)) return undefined;
    return [...source, ...windows.map((window) => ({ index: 'whole' as const, ...window }))];
  }

  /** Rows of a candidate, `limit` when there are more. */
  async #size(space: string, ranges: Source, window: TimeWindow, limit: number): Promise<number> {
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

  async #collected(question: SourceQuestion, ranges: Source): Promise<PlaceStream> {
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

const placeIn = (range: SourceRange, prefix: string, k: Key): string =>
  range.index === 'attributeSpan' ? placeAfterValue(k, prefix, range) : k.slice(prefix.length);

const isTimedRange = (range: SourceRange): range is TimedRange => range.index !== 'attributeSpan';

const isTimed = (ranges: Source): ranges is readonly TimedRange[] => ranges.every(isTimedRange);

const keysOf = (namespace: string, range: SourceRange, window: TimeWindow): KeyRange =>
  isTimedRange(range) ? keyRange(namespace, range, window) : spanRange(namespace, range);

/** Places begin with the start time, newest first. */
const isWithin = (place: string, { from, to }: TimeWindow): boolean =>
  place >= inverted(to) && (from <= 0 || place < inverted(from - 1));
