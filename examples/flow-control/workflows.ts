// What is limited by key: an import for each tenant, an index that is rebuilt when edits have come to rest, and a sync that there is one of.

import { condition, defineSignal, executeChild, proxyActivities, setHandler, sleep } from 'tenuto/workflow';
import type * as activities from './activities.js';

/** The provider takes three calls at a time from all of us, whichever workflow makes them. */
const { call } = proxyActivities<typeof activities>({
  startToCloseTimeout: '1 minute',
  flowControl: { key: 'provider', concurrency: { limit: 3 } },
});

export async function importOf(tenant: string): Promise<string> {
  await sleep(50);
  return tenant;
}

export async function rebuildIndex(edit: number): Promise<number> {
  return edit;
}

export const stop = defineSignal('stop');

export async function sync(name: string): Promise<string> {
  let stopped = false;
  setHandler(stop, () => {
    stopped = true;
  });
  await condition(() => stopped);
  return name;
}

export async function callMany(calls: number): Promise<number> {
  const answers = await Promise.all(Array.from({ length: calls }, (_, n) => call(n)));
  return Math.max(...answers);
}

/** A critical section across workflows is a child with a key of one. */
export async function inTurn(name: string): Promise<string> {
  return await executeChild(importOf, {
    args: [name],
    flowControl: { key: 'ledger', concurrency: { limit: 1 } },
  });
}
