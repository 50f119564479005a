// Fans out over all parts at once and adds up what comes back. A worker that dies loses only the parts it was at: the others are in the history.

import { proxyActivities } from 'tenuto/workflow';
import type * as activities from './activities.ts';

const { split, count } = proxyActivities<typeof activities>({ startToCloseTimeout: '1m' });

/** @param parts at most 2,000: as many activities may be pending at once in one run */
export async function countWords(parts: number): Promise<number> {
  const texts = await split(parts);
  const counts = await Promise.all(texts.map((text) => count(text)));
  return counts.reduce((sum, n) => sum + n, 0);
}
