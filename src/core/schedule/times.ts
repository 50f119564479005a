// When a spec is due: its calendars and intervals together, less what is excluded, within start and end, with jitter. Bounded: a search gives up after
// so many excluded times, so a spec that excludes itself costs milliseconds and is over.

import { Calendar } from './calendar.ts';
import type { CanonicalSpec } from './spec.ts';
import { zoneNamed } from './zone.ts';

const SECOND_MS = 1000;
/** Excluded times (or whole excluded minutes, hours, days) that one search passes over. */
export const MAX_EXCLUDED_TRIES = 10_000;
/** Of jitter: 32 bits of hash times 32 bits of milliseconds. */
const MAX_JITTER_MS = 0xffff_ffff;

export interface DueTime {
  /** As the spec says: workflow ids and search attributes name this one. Epoch ms. */
  nominal: number;
  /** With jitter: when the action is due. Epoch ms. */
  due: number;
}

type Source = (after: number) => number | undefined;

export class SpecTimes {
  readonly #spec: CanonicalSpec;
  readonly #sources: readonly Source[];
  readonly #excluded: readonly Calendar[];

  /** @throws SpecError only if the spec is not a canonical one of this runtime's time zones */
  constructor(spec: CanonicalSpec) {
    const zone = zoneNamed(spec.timezoneName ?? '');
    this.#spec = spec;
    const calendars = (spec.structuredCalendar ?? []).map((calendar) => new Calendar(calendar, zone));
    this.#sources = [
      ...calendars.map((calendar) => (after: number) => calendar.next(after)),
      ...(spec.interval ?? []).map(({ interval, phase = 0 }) => intervalSource(interval, phase)),
    ];
    this.#excluded = (spec.excludeStructuredCalendar ?? []).map((calendar) => new Calendar(calendar, zone));
  }

  /** The first time that is due after `after` (epoch ms) by its nominal time. `seed`: which schedule it is, for the jitter. */
  next(after: number, seed: string): DueTime | undefined {
    const nominal = this.nextNominal(after);
    if (nominal === undefined) return undefined;
    const { jitter = 0 } = this.#spec;
    if (jitter <= 0) return { nominal, due: nominal };
    const following = this.#raw(nominal);
    const most = Math.min(jitter, MAX_JITTER_MS, following === undefined ? jitter : following - nominal);
    return { nominal, due: nominal + Math.floor((hash(nominal, seed) / 0x1_0000_0000) * most) };
  }

  nextNominal(after: number): number | undefined {
    const { startTime, endTime } = this.#spec;
    // The start itself may match.
    let from = startTime !== undefined && after < startTime ? startTime - 1 : after;
    const heads = this.#sources.map((source) => source(from));
    for (let tries = 0; tries < MAX_EXCLUDED_TRIES; tries += 1) {
      let nominal: number | undefined;
      for (const head of heads) if (head !== undefined && (nominal === undefined || head < nominal)) nominal = head;
      if (nominal === undefined || (endTime !== undefined && nominal > endTime)) return undefined;
      const until = this.#excludedUntil(nominal);
      if (until === undefined) return nominal;
      from = until - 1;
      for (let i = 0; i < heads.length; i += 1) {
        const head = heads[i];
        if (head !== undefined && head <= from) heads[i] = this.#sources[i]?.(from);
      }
    }
    return undefined;
  }

  /** Times in (after, until], at most `most`; with their jitter. */
  between(after: number, until: number, most: number, seed: string): DueTime[] {
    const found: DueTime[] = [];
    let at = after;
    while (found.length < most) {
      const time = this.next(at, seed);
      if (time === undefined || time.due > until) break;
      found.push(time);
      at = time.nominal;
    }
    return found;
  }

  #raw(after: number): number | undefined {
    let first: number | undefined;
    for (const source of this.#sources) {
      const at = source(after);
      if (at !== undefined && (first === undefined || at < first)) first = at;
    }
    return first;
  }

  #excludedUntil(at: number): number | undefined {
    for (const calendar of this.#excluded) if (calendar.matches(at)) return calendar.excludesUntil(at);
    return undefined;
  }
}

function intervalSource(interval: number, phase: number): Source {
  const [every, beyond] = [Math.floor(interval / SECOND_MS), Math.floor(phase / SECOND_MS)];
  return (after) => {
    const second = Math.floor(after / SECOND_MS);
    return (Math.floor((second - beyond) / every) * every + every + beyond) * SECOND_MS;
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
