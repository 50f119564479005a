// kill -9 of the node just before and just after each synced batch of the reference workflow; restarted on the same directory, it goes on
// as if nothing had been. An even sample of the places by default; all of them with TENUTO_CHAOS=all.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryDir } from '../support/processes.ts';
import { makeBundle } from './kept.ts';
import { everything, inLanes, sample } from './places.ts';
import { liveThrough } from './scenario.ts';

/** How many lives the sample is; each costs about a second of a core. */
const SAMPLE = 11;
const SEED = 7;

const directory = temporaryDir(afterAll);
let bundle = '';
beforeAll(async () => {
  bundle = await makeBundle(directory, './reference-workflow.ts');
});

describe('a node killed with kill -9', () => {
  it('at any synced batch, before or after it: same result, nothing twice, nothing lost', async () => {
    const undisturbed = await liveThrough(bundle, { who: 'node', where: [] });
    expect(undisturbed.kills).toBe(0);
    // Batches form as time allows, so another life may have a few more or less.
    const places = Array.from({ length: undisturbed.syncs }, (_, i) => [`before:${i + 1}`, `after:${i + 1}`]).flat();
    const tried = sample(places, SAMPLE, SEED);
    let killed = 0;
    await inLanes(tried, async (where) => {
      const { kills } = await liveThrough(bundle, { who: 'node', where: [where] });
      killed += kills;
    });
    console.info(`${places.length} places, ${tried.length} tried, killed at ${killed}`);
    expect(killed).toBeGreaterThanOrEqual(Math.floor(tried.length * 0.75));
    if (!everything) return;
    for (const when of ['before', 'after']) {
      for (let at = undisturbed.syncs + 1; ; at += 1) {
        if ((await liveThrough(bundle, { who: 'node', where: [`${when}:${at}`] })).kills === 0) break;
      }
    }
  }, 600_000);

  it('and killed again while it recovers: the same', async () => {
    const places = [1, 2, 3, 4].flatMap((at) => [`before:${at}`, `after:${at}`]);
    await inLanes(sample(places, 4, SEED), async (again) => {
      expect((await liveThrough(bundle, { who: 'node', where: ['after:14', again, 'before:2'] })).kills).toBe(3);
    });
  }, 600_000);
});
