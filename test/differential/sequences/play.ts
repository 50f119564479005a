// Plays a sequence on both servers until they differ, and makes it shorter while they differ in the same way.

import type { Pair } from '../pair.ts';
import type { Act } from './act.ts';
import { OTHER_STEPS } from './others.ts';
import type { Step } from './step.ts';
import { WORKER_STEPS } from './worker.ts';
import { WORKFLOW_STEPS } from './workflows.ts';
import { type Finding, Parted, World } from './world.ts';

const STEPS: Readonly<Record<string, Act>> = { ...WORKFLOW_STEPS, ...WORKER_STEPS, ...OTHER_STEPS };

/** Not refused, or not by what has the workflow: the reference forgets an update that no worker has accepted when it refuses another call. */
const SAFE = new Set([
  'poll',
  'answer',
  'work',
  'signal',
  'pollActivity',
  'list',
  'update',
  'query',
  'terminate',
  'pollUpdate',
]);

export interface Played {
  readonly compared: number;
  readonly findings: readonly Finding[];
}

export async function play(pair: Pair, steps: readonly Step[]): Promise<Played> {
  const world = new World(pair);
  try {
    for (const { call, on, with: options } of steps) {
      const act = STEPS[call];
      if (act === undefined) throw new Error(`there is no step ${call}`);
      if (SAFE.has(call) || !world.waitsFor('UpdateWorkflowExecution', 'ExecuteMultiOperation')) {
        await act(world, on, options ?? {});
        await world.settle();
      }
      world.step += 1;
    }
    await end(world);
  } catch (error) {
    if (!(error instanceof Parted)) throw error;
  } finally {
    await world.clear();
  }
  return { compared: world.compared, findings: [...world.findings.values()] };
}

/** Ends all that is there, so that what waits is answered, and compares what is listed. */
async function end(world: World): Promise<void> {
  const list = STEPS.list;
  for (const on of world.watched('describe')) await STEPS.terminate?.(world, on, {});
  await world.settle();
  await world.finish();
  if (world.watched('describe').length > 0) await list?.(world, 0, {});
  if (world.watched('activity').length > 0) await STEPS.listStandalone?.(world, 0, {});
  if (world.watched('schedule').length > 0) await STEPS.listSchedules?.(world, 0, {});
}

/** At how many plays a sequence is short enough. */
const MAX_PLAYS = 24;

/** Leaves out what is not needed for the same finding. */
export async function shortened(
  pair: Pair,
  steps: readonly Step[],
  found: Finding,
): Promise<[readonly Step[], Finding]> {
  let best: [readonly Step[], Finding] = [steps.slice(0, found.step + 1), found];
  let plays = 0;
  for (let size = Math.max(1, Math.floor(best[0].length / 2)); ; size = Math.floor(size / 2)) {
    for (let from = best[0].length - size; from >= 0 && plays < MAX_PLAYS; from -= size) {
      const fewer = best[0].filter((_, i) => i < from || i >= from + size);
      plays += 1;
      const again = (await play(pair, fewer)).findings.find(({ key }) => key === found.key);
      if (again !== undefined) best = [fewer.slice(0, again.step + 1), again];
    }
    if (size <= 1 || plays >= MAX_PLAYS) return best;
  }
}
