// kill -9 of the worker at each message of its connection: before it is sent, after it has left, when one has come in. Another worker takes
// over, and the workflow ends as if nothing had been. An even sample of the places by default; all of them with TENUTO_CHAOS=all.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryDir } from '../support/processes.ts';
import { makeBundle } from './kept.ts';
import { everything, inLanes, sample } from './places.ts';
import { liveThrough } from './scenario.ts';

const SAMPLE = 8;
const SEED = 7;
const WHEN = ['before', 'after', 'receive'];
/** About as many messages as a worker sends, and receives, for one reference workflow. */
const MESSAGES = 12;

const directory = temporaryDir(afterAll);
let bundle = '';
beforeAll(async () => {
  bundle = await makeBundle(directory, './reference-workflow.ts');
});

describe('a worker killed with kill -9', () => {
  it('at any message, before it is sent, after, or received: same result, nothing twice, nothing lost', async () => {
    const places = Array.from({ length: MESSAGES }, (_, i) => WHEN.map((when) => `${when}:${i + 1}`)).flat();
    const tried = sample(places, SAMPLE, SEED);
    let killed = 0;
    await inLanes(tried, async (where) => {
      const { kills } = await liveThrough(bundle, { who: 'worker', where: [where] });
      killed += kills;
    });
    console.info(`${places.length} places, ${tried.length} tried, killed at ${killed}`);
    expect(killed).toBeGreaterThanOrEqual(Math.floor(tried.length * 0.75));
    if (!everything) return;
    for (const when of WHEN) {
      for (let at = MESSAGES + 1; ; at += 1) {
        if ((await liveThrough(bundle, { who: 'worker', where: [`${when}:${at}`] })).kills === 0) break;
      }
    }
  }, 600_000);
});
