// What runs while its workers are deployed anew: the workflows of the guide's example, and a shift of work for workers that are killed in it.

import { condition, defineSignal, proxyActivities, setHandler } from '../../../sdk/workflow/index.ts';

export { order, subscription, visit } from '../../../examples/worker-versioning/workflows.ts';

/** Of a killed worker, an attempt is lost only after this. */
const PATIENCE_MS = 3_000;
const { work } = proxyActivities<{ work(): Promise<number> }>({ startToCloseTimeout: PATIENCE_MS });

const goOn = defineSignal('goOn');

/** So many pieces of work, one after the other; the last one once it is told to go on. Returns how many were done. */
export async function shift(pieces: number): Promise<number> {
  let last = false;
  setHandler(goOn, () => {
    last = true;
  });
  let done = 0;
  while (done < pieces) {
    if (done === pieces - 1) await condition(() => last);
    done += await work();
  }
  return done;
}
