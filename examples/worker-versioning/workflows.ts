// Workflows of a shop whose workers are deployed anew every day: each says what becomes of it when another version is current.

import { condition, defineSignal, proxyActivities, setHandler, setWorkflowOptions } from 'tenuto/workflow';

const { version } = proxyActivities<{ version(): Promise<string> }>({ startToCloseTimeout: '10 seconds' });

export const next = defineSignal('next');

/** The versions whose workers ran each of three steps, with a signal between them. */
async function steps(): Promise<string[]> {
  const seen = [await version()];
  let signals = 0;
  setHandler(next, () => {
    signals += 1;
  });
  while (seen.length < 3) {
    const due = seen.length;
    await condition(() => signals >= due);
    seen.push(await version());
  }
  return seen;
}

/** An order of a few minutes: it ends on the version that began it, so its code never has to replay another's. */
export async function order(): Promise<string[]> {
  return await steps();
}
setWorkflowOptions({ versioningBehavior: 'PINNED' }, order);

/** A subscription of years: no version lives so long, so it moves with every deploy (and uses `patched` where its code changes). */
export async function subscription(): Promise<string[]> {
  return await steps();
}
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, subscription);

/** Which version a new workflow begins on. */
export async function visit(): Promise<string> {
  return await version();
}
