// What is started by key while nodes are killed: it takes a while, so that as many as may run at a time do.

import { sleep } from '../../sdk/workflow/index.ts';

export async function limited(ms: number): Promise<string> {
  await sleep(ms);
  return 'done';
}
