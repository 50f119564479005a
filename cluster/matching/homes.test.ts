// Homes of task queues, alone: what is said when there are too many.

import { describe, expect, it } from 'vitest';
import { ManualTime } from '../link/link.test-support.ts';
import { Homes } from './homes.ts';
import { DEFAULT_MATCHING_LIMITS } from './limits.ts';
import type { QueueNews } from './messages.ts';

const news = (name: string): QueueNews => ({
  queue: { namespace: 'n', name, kind: 'workflow' },
  ...{ partition: 0, waiting: undefined, fetched: 0, queries: 0, queriesFetched: 0, workers: 1 },
  ...{ available: 5, queriesAvailable: 5, epoch: 'e', seen: 0, queriesSeen: 0, rate: 0 },
});

describe('a queue for which there is no room', () => {
  it('is named, once a minute at most', () => {
    const time = new ManualTime();
    const full: string[] = [];
    const homes = new Homes({
      ...{ clock: time, scheduler: time, limits: { ...DEFAULT_MATCHING_LIMITS, homes: 1 } },
      send: () => undefined,
      tellRate: () => undefined,
      full: ({ name }, count) => full.push(`${name} beside ${count}`),
    });
    homes.hear('node', news('first'));
    expect(full).toEqual([]);
    for (const name of ['second', 'third']) homes.hear('node', news(name));
    expect(full).toEqual(['second beside 1']);
    time.at += 60_000;
    homes.hear('node', news('second'));
    expect(full).toEqual(['second beside 1', 'second beside 1']);
    homes.hear('node', news('first'));
    expect(homes.size).toBe(1);
    homes.close();
  });
});
