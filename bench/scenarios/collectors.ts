// Workflows that wait for signals, as several scenarios need them: started, and in the end asked for how many signals came.

import type { Driver, Target } from '../lib/model.ts';
import { same, targetId } from '../lib/plan.ts';
import { inLanes, withDriver } from '../lib/scenario.ts';

const AT_A_TIME = 64;

export interface Collectors {
  /** Makes the ids that signals and queries go to. */
  readonly prefix: string;
  /** Ends them. Returns how many signals came in all. */
  end(): Promise<number>;
}

export async function startCollectors(target: Target, prefix: string, count: number): Promise<Collectors> {
  await withDriver(target, async (driver) => {
    await inLanes(count, AT_A_TIME, async (i) => {
      const id = targetId(prefix, i);
      await driver.call({ call: 'start', work: { kind: 'collector', id, input: { value: id, count: 0 } } });
      // It has set its handlers when it answers.
      same(id, await driver.call({ call: 'query', id, name: 'seen' }), 0);
    });
  });
  return { prefix, end: () => withDriver(target, (driver) => endAll(driver, prefix, count)) };
}

async function endAll(driver: Required<Driver>, prefix: string, count: number): Promise<number> {
  let signals = 0;
  await inLanes(count, AT_A_TIME, async (i) => {
    const id = targetId(prefix, i);
    await driver.call({ call: 'signal', id, name: 'end' });
    const result = await driver.call({ call: 'result', id });
    const n = typeof result === 'object' && result !== null && 'n' in result ? Number(result.n) : Number.NaN;
    same(id, result, { value: id, n });
    signals += n;
  });
  return signals;
}
