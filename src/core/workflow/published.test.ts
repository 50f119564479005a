// What a workflow publishes: which event holds which key's value, and what cannot be published.

import { describe, expect, it } from 'vitest';
import { EventType } from '../../wire/enums.ts';
import { jsonPayloads } from './fields.ts';
import { isStateMarker, MAX_STATE_KEYS, published, stateEvents, stateProblem } from './published.ts';

const values = (...keys: string[]) => Object.fromEntries(keys.map((key) => [key, jsonPayloads(key)]));

describe('the index', () => {
  it('knows by key the event with the latest value, and tells those events in order, once each', () => {
    const first = published(undefined, values('a', 'b'), 5);
    const second = published(first, values('b', 'c'), 9);
    expect(second).toEqual({ a: 5, b: 9, c: 9 });
    expect(first).toEqual({ a: 5, b: 5 });
    expect(stateEvents(second, 1)).toEqual([5, 9]);
    expect(stateEvents(second, 6)).toEqual([9]);
    expect(stateEvents(second, 10)).toEqual([]);
    expect(stateEvents(undefined, 1)).toEqual([]);
  });
});

describe('cannot be published', () => {
  const full = Object.fromEntries(Array.from({ length: MAX_STATE_KEYS }, (_, i) => [`k${i}`, 1]));
  it.each([
    ['an empty key', undefined, values(''), /must have 1 to 128 bytes/],
    ['a long key', undefined, values('é'.repeat(65)), /must have 1 to 128 bytes/],
    ['a prototype', undefined, JSON.parse('{"__proto__": {"payloads": []}}'), /not be __proto__/],
    [
      'a large value',
      undefined,
      { a: jsonPayloads('x'.repeat(9_000)) },
      /of state key 'a' has \d+ bytes, more than 8192/,
    ],
    ['a key too many', full, values('one-more'), /at most 64 state keys; this would be number 65/],
  ])('%s', (_, index, details, problem) => {
    expect(stateProblem(index, details)).toMatch(problem);
  });

  it('but a full run may go on with its keys', () => {
    expect(stateProblem(full, values('k0', 'k63'))).toBeUndefined();
  });
});

it('other markers are none of it', () => {
  const marker = (markerName: string) => ({
    eventId: 5,
    eventTime: 0,
    eventType: EventType.MARKER_RECORDED,
    attributes: { markerName, workflowTaskCompletedEventId: 4 },
  });
  expect(isStateMarker(marker('tenuto_state'))).toBe(true);
  expect(isStateMarker(marker('core_patch'))).toBe(false);
});
