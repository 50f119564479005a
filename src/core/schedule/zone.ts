// Time zones by the runtime's own database (Intl). Asking it costs microseconds, so the offsets of half a year are found once and kept, bounded (I9).
// The rules of what a local time means are here: none in a gap, the second of two in an overlap, as the Temporal server has it.

import { SpecError } from './fields.ts';

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;
/** Offsets are found for so long at a time. */
const STRETCH_MS = 26 * WEEK_MS;
/** Two changes of an offset are further apart than this (Morocco's month of Ramadan is the shortest). */
const SAMPLE_MS = WEEK_MS;
/** All of those in which a calendar can match (fields.ts), and some. */
const MAX_STRETCHES_OF_A_ZONE = 256;
const MAX_ZONES = 600;

interface Span {
  /** Epoch ms, exclusive. */
  until: number;
  /** Local time less UTC, ms. */
  offset: number;
}

export class Zone {
  readonly #format: Intl.DateTimeFormat | undefined;
  readonly #stretches = new Map<number, Span[]>();

  /** @throws SpecError for a name that the database does not have. */
  constructor(name: string) {
    if (name === '' || name === 'UTC') return;
    try {
      this.#format = new Intl.DateTimeFormat('en-US', {
        timeZone: name,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
    } catch {
      throw new SpecError(`there is no time zone '${name.slice(0, 100)}': use a name such as Europe/Berlin`);
    }
  }

  /** Local time less UTC at an instant, ms. */
  offsetAt(at: number): number {
    if (this.#format === undefined) return 0;
    const number = Math.floor(at / STRETCH_MS);
    let spans = this.#stretches.get(number);
    if (spans === undefined) {
      if (this.#stretches.size >= MAX_STRETCHES_OF_A_ZONE) this.#stretches.clear();
      spans = this.#spansFrom(number * STRETCH_MS);
      this.#stretches.set(number, spans);
    }
    for (const { until, offset } of spans) if (at < until) return offset;
    throw new Error(`no offset is known at ${at}`);
  }

  /** The instant at which clocks show `local` (ms as if it were UTC); undefined when they never do; the later of two. */
  instantOf(local: number): number | undefined {
    if (this.#format === undefined) return local;
    const before = this.offsetAt(local - 24 * HOUR_MS);
    const after = this.offsetAt(local + 24 * HOUR_MS);
    // The smaller offset makes the later instant.
    const [small, great] = before < after ? [before, after] : [after, before];
    if (this.offsetAt(local - small) === small) return local - small;
    return this.offsetAt(local - great) === great ? local - great : undefined;
  }

  /** No local time that belongs to an instant after `at` is before this one. */
  localAfter(at: number): number {
    return at + Math.min(this.offsetAt(at), this.offsetAt(at + 24 * HOUR_MS));
  }

  #spansFrom(start: number): Span[] {
    const end = start + STRETCH_MS;
    const spans: Span[] = [];
    let from = start;
    let offset = this.#ask(start);
    while (from < end) {
      const to = Math.min(from + SAMPLE_MS, end);
      const next = this.#ask(to);
      if (next !== offset) spans.push({ until: this.#change(from, to, offset), offset });
      offset = next;
      from = to;
    }
    spans.push({ until: end, offset });
    return spans;
  }

  /** The second in (from, to] from which on the offset is no longer that one. */
  #change(from: number, to: number, offset: number): number {
    let [low, high] = [from / 1000, to / 1000];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#ask(middle * 1000) === offset) low = middle;
      else high = middle;
    }
    return high * 1000;
  }

  #ask(at: number): number {
    const parts: Record<string, number> = {};
    for (const { type, value } of this.#format?.formatToParts(at) ?? []) parts[type] = Number(value);
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
  }
}

const zones = new Map<string, Zone>();

/** @throws SpecError for an unknown name. */
export function zoneNamed(name: string): Zone {
  // The database does not care for case, and there are more ways to write a name than there are zones.
  const key = name.toLowerCase();
  const known = zones.get(key);
  if (known !== undefined) return known;
  const zone = new Zone(name);
  if (zones.size >= MAX_ZONES) zones.clear();
  zones.set(key, zone);
  return zone;
}
