// kill -9 of the node around each step of each message between workflows: the batch with its outbox row, with its application at the target, and
// with the end of its row. And of the worker at its messages. An even sample by default; all of it with TENUTO_CHAOS=all.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryDir } from '../support/processes.ts';
import { liveAsFamily } from './family.ts';
import { makeBundle } from './kept.ts';
import { inLanes, sample } from './places.ts';

const SAMPLE = { node: 10, worker: 4 };
const SEED = 11;
/** Messages between workflows in one life: twelve to start children and to answer, as many for signals, eight for ends and cancellations. */
const SENT = 32;
/** About as many messages as a worker sends, and receives, for one family. */
const MESSAGES = 12;

const directory = temporaryDir(afterAll);
let bundle = '';
beforeAll(async () => {
  bundle = await makeBundle(directory, './family-workflow.ts');
});

describe('a family whose process is killed with kill -9', () => {
  it('the node, around any message’s row, application or end: every child, signal and cancellation once', async () => {
    const places = Array.from({ length: SENT }, (_, i) =>
      ['sent', 'applied', 'gone'].flatMap((what) => [`before:${what}:${i + 1}`, `after:${what}:${i + 1}`]),
    ).flat();
    const tried = sample(places, SAMPLE.node, SEED);
    let killed = 0;
    await inLanes(tried, async (where) => {
      const { kills } = await liveAsFamily(bundle, { who: 'node', where: [where] });
      killed += kills;
    });
    console.info(`${places.length} places, ${tried.length} tried, killed at ${killed}`);
    expect(killed).toBeGreaterThanOrEqual(Math.floor(tried.length * 0.75));
  }, 900_000);

  it('the node, and again while it delivers what was not acknowledged: the same', async () => {
    const places = ['before', 'after'].flatMap((when) =>
      ['applied:1', 'applied:2', 'gone:1', 'sent:1'].map((what) => `${when}:${what}`),
    );
    await inLanes(sample(places, 4, SEED), async (again) => {
      expect(
        (await liveAsFamily(bundle, { who: 'node', where: ['after:sent:14', again, 'before:gone:1'] })).kills,
      ).toBe(3);
    });
  }, 600_000);

  it('the worker, at any message: the same', async () => {
    const places = Array.from({ length: MESSAGES }, (_, i) =>
      ['before', 'after', 'receive'].map((when) => `${when}:${i + 1}`),
    );
    const tried = sample(places.flat(), SAMPLE.worker, SEED);
    let killed = 0;
    await inLanes(tried, async (where) => {
      const { kills } = await liveAsFamily(bundle, { who: 'worker', where: [where] });
      killed += kills;
    });
    console.info(`${places.flat().length} places, ${tried.length} tried, killed at ${killed}`);
    expect(killed).toBeGreaterThanOrEqual(Math.floor(tried.length * 0.75));
  }, 600_000);
});
