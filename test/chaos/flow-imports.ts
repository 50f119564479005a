// What is started by key while nodes are killed: it takes a while, so that as many as may run at a time do; or it stays until it is told, so that
// the key shows when each was let begin.

import { condition, defineSignal, setHandler, sleep } from '../../sdk/workflow/index.ts';

export async function limited(ms: number): Promise<string> {
  await sleep(ms);
  return 'done';
}

const end = defineSignal('end');

/** Returns its input. */
export async function untilTold(input: number): Promise<number> {
  let told = false;
  setHandler(end, () => {
    told = true;
  });
  await condition(() => told);
  return input;
}
