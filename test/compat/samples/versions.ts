// Workflows that say how they go on when another version of their workers is current.

import { condition, defineSignal, proxyActivities, setHandler, setWorkflowOptions } from '@temporalio/workflow';

const { version } = proxyActivities<{ version(): Promise<string> }>({ startToCloseTimeout: '10 seconds' });

export const doNext = defineSignal('doNext');

async function steps(): Promise<string[]> {
  let next = false;
  setHandler(doNext, () => {
    next = true;
  });
  const seen = [await version()];
  await condition(() => next);
  return [...seen, await version()];
}

export async function autoUpgrading(): Promise<string[]> {
  return await steps();
}
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, autoUpgrading);

export async function pinned(): Promise<string[]> {
  return await steps();
}
setWorkflowOptions({ versioningBehavior: 'PINNED' }, pinned);
