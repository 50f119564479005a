// Where the rows of a plan's ranges lie (core/visibility/plan.ts): the keys between which an index has them, within a window of start times.

import type { IndexRange, Plan } from '../core/visibility/index.ts';
import { type Key, key } from '../ports/ids.ts';
import { runIdTime } from '../wire/run-id.ts';
import { after, escaped, f64, inverted } from './keys.ts';
import type { KeyRange } from './place-streams.ts';
import {
  attributePart,
  attributeValuePart,
  indexedText,
  indexPrefix,
  isCut,
  statusValue,
  textValue,
  valuePart,
} from './visibility.ts';

export type TimeWindow = Pick<Plan, 'from' | 'to'>;

/** Everything that began then, infos and all. */
export interface WholeRange extends TimeWindow {
  readonly index: 'whole';
}

/** In order of time. */
export type TimedRange = Exclude<IndexRange, { index: 'attributeSpan' }> | WholeRange;
/** In order of values. */
export type SpanRange = Extract<IndexRange, { index: 'attributeSpan' }>;

/** Newest first: the upper bound of time is the lower bound of keys. */
function within(prefix: string, { from, to }: TimeWindow): KeyRange {
  return {
    prefix,
    from: key(prefix + inverted(to)),
    to: from <= 0 ? after(prefix) : key(prefix + inverted(from - 1)),
  };
}

export const everything = (index: 'all' | 'schedules' | 'flowKeys', namespace: string, window: TimeWindow): KeyRange =>
  within(indexPrefix(index, namespace), window);

/** All of these are within both. */
export const overlap = (a: TimeWindow, b: TimeWindow): TimeWindow => ({
  from: Math.max(a.from, b.from),
  to: Math.min(a.to, b.to),
});

export function keyRange(namespace: string, range: TimedRange, window: TimeWindow): KeyRange {
  switch (range.index) {
    case 'whole':
      return within(indexPrefix('all', namespace), overlap(range, window));
    case 'runId': {
      const at = runIdTime(range.value);
      const prefix = indexPrefix('all', namespace);
      if (at === undefined || at < window.from || at > window.to) return { prefix, from: key(prefix), to: key(prefix) };
      const from = key(prefix + inverted(at) + textValue(range.value));
      return { prefix, from, to: after(from) };
    }
    case 'workflowId':
      return within(indexPrefix('workflowId', namespace, textValue(range.value)), window);
    case 'workflowType':
      return within(indexPrefix('workflowType', namespace, textValue(range.value)), window);
    case 'status':
      return within(indexPrefix('status', namespace, statusValue(range.value)), window);
    case 'attribute':
    case 'sparse':
      return within(indexPrefix('attribute', namespace, valuePart(range)), window);
  }
}

/** Whether the index has the values whole. */
export const isWhole = (range: IndexRange): boolean => range.index !== 'attribute' || !isCut(range.value);

/** All rows of values that may be in the span. `prefix` is that of the attribute: values differ in length. */
export function spanRange(namespace: string, { name, type, low, high, prefix }: SpanRange): KeyRange {
  const all = indexPrefix('attribute', namespace, attributePart(name, type));
  let from: Key = key(all);
  let to: Key = after(all);
  if (prefix !== undefined) {
    from = key(all + escaped(indexedText(prefix)));
    to = after(from);
  }
  if (low !== undefined) from = key(all + (typeof low === 'string' ? escaped(indexedText(low)) : f64(Number(low))));
  // What was cut has the same rows as what begins like it.
  if (high !== undefined) to = after(all + attributeValuePart(high));
  return { prefix: all, from, to };
}

/** Where the place begins in a key under `prefix`, behind a value of a length of its own. */
export function placeAfterValue(k: string, prefix: string, span: SpanRange): string {
  const bound = span.low ?? span.high ?? span.prefix;
  if (typeof bound === 'number') return k.slice(prefix.length + 8);
  if (typeof bound === 'boolean') return k.slice(prefix.length + 1);
  let end = k.indexOf('\x00', prefix.length);
  while (k.charCodeAt(end + 1) === 0xff) end = k.indexOf('\x00', end + 1);
  return k.slice(end + 2);
}
