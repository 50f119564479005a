// When a spec is due: its calendars and intervals together, less what is excluded, within start and end, with jitter. Bounded: a search gives up after
// so many excluded times, so a spec that excludes itself costs milliseconds and is over. What is looked for together has one bound (Effort): a spec may have
// a thousand parts, and a page of a list a thousand specs.

import { Calendar, localTime } from './calendar.ts';
import type { CanonicalSpec } from './spec.ts';
import { type Zone, zoneNamed } from './zone.ts';

const SECOND_MS = 1000;
/** Excluded times (or whole excluded minutes, hours, days) that one search passes over. */
export const MAX_EXCLUDED_TRIES = 10_000;
/** What one search costs at most, and what is looked for together: a tenth of a second or two. Looking at an exclusion is 1. */
const MAX_EFFORT = 1_000_000;
/** Of asking a calendar or an interval for its next time, and of making either. */
const EFFORT_OF_ASKING = 20;
/** The last instant that a Date can say, less what time zones add. */
const LAST_MS = 8.64e15 - 2 * 86_400_000;
/** Of jitter: 32 bits of hash times 32 bits of milliseconds. */
const MAX_JITTER_MS = 0xffff_ffff;

export interface DueTime {
  /** As the spec says: workflow ids and search attributes name this one. Epoch ms. */
  nominal: number;
  /** With jitter: when the action is due. Epoch ms. */
  due: number;
}

type Source = (after: number) => number | undefined;

/** What a source said: nothing of it lies between the two. */
interface Said {
  readonly after: number;
  readonly at: number | undefined;
}

/** What may still be spent. A search that has begun comes to its end, whatever is left. */
export class Effort {
  left = MAX_EFFORT;

  get isOver(): boolean {
    return this.left <= 0;
  }
}

/** Of making the times of this spec. */
export const effortOf = ({
  structuredCalendar = [],
  interval = [],
  excludeStructuredCalendar = [],
}: CanonicalSpec): number =>
  EFFORT_OF_ASKING * (structuredCalendar.length + interval.length + excludeStructuredCalendar.length);

export class SpecTimes {
  readonly #spec: CanonicalSpec;
  readonly #zone: Zone;
  readonly #sources: readonly Source[];
  /** By source: most of them need not be asked again for the time after. */
  readonly #said: Said[] = [];
  readonly #excluded: readonly Calendar[];

  /** @throws SpecError only if the spec is not a canonical one of this runtime's time zones */
  constructor(spec: CanonicalSpec) {
    const zone = zoneNamed(spec.timezoneName ?? '');
    this.#spec = spec;
    this.#zone = zone;
    const calendars = (spec.structuredCalendar ?? []).map((calendar) => new Calendar(calendar, zone));
    this.#sources = [
      ...calendars.map((calendar) => (after: number) => calendar.next(after)),
      ...(spec.interval ?? []).map(({ interval, phase = 0 }) => intervalSource(interval, phase)),
    ];
    this.#excluded = (spec.excludeStructuredCalendar ?? []).map((calendar) => new Calendar(calendar, zone));
  }

  /** The first time that is due after `after` (epoch ms) by its nominal time. `seed`: which schedule it is, for the jitter. */
  next(after: number, seed: string, effort = new Effort()): DueTime | undefined {
    const nominal = this.nextNominal(after, effort);
    if (nominal === undefined) return undefined;
    const { jitter = 0 } = this.#spec;
    if (jitter <= 0) return { nominal, due: nominal };
    const following = earliest(this.#heads(nominal, effort));
    const most = Math.min(jitter, MAX_JITTER_MS, following === undefined ? jitter : following - nominal);
    return { nominal, due: nominal + Math.floor((hash(nominal, seed) / 0x1_0000_0000) * most) };
  }

  nextNominal(after: number, effort = new Effort()): number | undefined {
    const { startTime, endTime } = this.#spec;
    // The start itself may match.
    let from = startTime !== undefined && after < startTime ? startTime - 1 : after;
    const least = effort.left - MAX_EFFORT;
    const heads = this.#heads(from, effort);
    for (let tries = 0; tries < MAX_EXCLUDED_TRIES && effort.left > least; tries += 1) {
      const nominal = earliest(heads);
      if (nominal === undefined || (endTime !== undefined && nominal > endTime)) return undefined;
      const until = this.#excludedUntil(nominal, effort);
      if (until === undefined) return nominal;
      from = until - 1;
      for (let i = 0; i < heads.length; i += 1) {
        const head = heads[i];
        if (head !== undefined && head <= from) heads[i] = this.#head(i, from, effort);
      }
    }
    return undefined;
  }

  /** Times in (after, until], at most `most`, and as many as the effort finds; with their jitter. */
  between(after: number, until: number, most: number, seed: string, effort = new Effort()): DueTime[] {
    const found: DueTime[] = [];
    let at = after;
    while (found.length < most && !effort.isOver) {
      const time = this.next(at, seed, effort);
      if (time === undefined || time.due > until) break;
      found.push(time);
      at = time.nominal;
    }
    return found;
  }

  #heads(after: number, effort: Effort): (number | undefined)[] {
    return this.#sources.map((_, i) => this.#head(i, after, effort));
  }

  /** The first time of a source after `after`. */
  #head(i: number, after: number, effort: Effort): number | undefined {
    const said = this.#said[i];
    effort.left -= 1;
    if (said !== undefined && said.after <= after && (said.at === undefined || said.at > after)) return said.at;
    effort.left -= EFFORT_OF_ASKING;
    const at = this.#sources[i]?.(after);
    this.#said[i] = { after, at };
    return at;
  }

  #excludedUntil(at: number, effort: Effort): number | undefined {
    if (this.#excluded.length === 0) return undefined;
    effort.left -= this.#excluded.length;
    const local = localTime(this.#zone, at);
    if (local === undefined) return undefined;
    for (const calendar of this.#excluded) if (calendar.matchesLocal(local)) return calendar.excludesUntil(at);
    return undefined;
  }
}

function earliest(heads: readonly (number | undefined)[]): number | undefined {
  let first: number | undefined;
  for (const head of heads) if (head !== undefined && (first === undefined || head < first)) first = head;
  return first;
}

function intervalSource(interval: number, phase: number): Source {
  const [every, beyond] = [Math.floor(interval / SECOND_MS), Math.floor(phase / SECOND_MS)];
  return (after) => {
    const second = Math.floor(after / SECOND_MS);
    const at = (Math.floor((second - beyond) / every) * every + every + beyond) * SECOND_MS;
    return at > LAST_MS ? undefined : at;
  };
}

/** 32 bits of a time and a seed: FNV-1a, mixed. */
function hash(at: number, seed: string): number {
  let h = 0x811c9dc5;
  const text = `${at}/${seed}`;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
