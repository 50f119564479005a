// Workflows of the official SDK that say how they go on when another version of their workers is current.

import * as wf from '@temporalio/workflow';

interface Activities {
  version(): Promise<string>;
}

const { version } = wf.proxyActivities<Activities>({ startToCloseTimeout: '10 seconds' });

export const next = wf.defineSignal('next');

/** The versions whose workers ran its activity: before each of two signals, and at the end. */
async function steps(): Promise<string[]> {
  const seen = [await version()];
  let signals = 0;
  wf.setHandler(next, () => {
    signals += 1;
  });
  for (let n = 1; n <= 2; n += 1) {
    await wf.condition(() => signals >= n);
    seen.push(await version());
  }
  return seen;
}

export async function pinned(): Promise<string[]> {
  return await steps();
}
wf.setWorkflowOptions({ versioningBehavior: 'PINNED' }, pinned);

export async function upgrading(): Promise<string[]> {
  return await steps();
}
wf.setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, upgrading);

export async function once(): Promise<string> {
  return await version();
}
wf.setWorkflowOptions({ versioningBehavior: 'PINNED' }, once);
