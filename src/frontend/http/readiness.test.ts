// When a node takes connections, and when it asks for no more of them.

import { describe, expect, it } from 'vitest';
import { notReady, notServing, type Standing } from './readiness.ts';

const serving: Standing = { phase: 'serving', failure: undefined, draining: 'no' };

describe('a node', () => {
  it.each<[string, Partial<Standing>, RegExp | undefined, RegExp | undefined]>([
    ['that serves is ready', {}, undefined, undefined],
    ['that starts does neither', { phase: 'starting' }, /is starting/, /is starting/],
    ['that closes does neither', { phase: 'closing' }, /shutting down/, /shutting down/],
    [
      'whose disk failed does neither',
      { failure: 'the store failed: EIO' },
      /the store failed: EIO/,
      /the store failed: EIO/,
    ],
    ['that gives up leading serves, and wants nobody new', { draining: 'leadership' }, undefined, /gives up leading/],
    ['that gives up all serves, and wants nobody new', { draining: 'everything' }, undefined, /gives up all/],
    ['that closes while drained says the former', { phase: 'closing', draining: 'everything' }, /shutting/, /shutting/],
  ])('%s', (_, over, refuses, unready) => {
    const standing = { ...serving, ...over };
    if (refuses === undefined) expect(notServing(standing)).toBeUndefined();
    else expect(notServing(standing)).toMatch(refuses);
    if (unready === undefined) expect(notReady(standing)).toBeUndefined();
    else expect(notReady(standing)).toMatch(unready);
  });
});
