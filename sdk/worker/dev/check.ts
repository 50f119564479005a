// Whether executions that are under way can go on with new code: each history is replayed with it, and nothing is written.

import type { Client } from '../../client/client.ts';
import type { DataConverter } from '../../common/data-converter.ts';
import type { HistoryAndWorkflowId } from '../../common/interfaces.ts';
import { errorMessage } from '../../common/type-helpers.ts';
import { replayHistories } from '../replay.ts';
import type { WorkflowBundle } from '../runtime/bundle.ts';
import type { Generations, PinnedRun } from './generations.ts';

/** An execution that goes on with the code it had. */
export interface KeptRun extends PinnedRun {
  /** Its first event that the new code does not make, and where in the source that is. */
  readonly why: string;
}

export interface CheckOptions {
  readonly client: Client;
  readonly generations: Generations;
  readonly bundle: WorkflowBundle;
  readonly dataConverter: DataConverter | undefined;
}

/** Times a run is looked at again because it went on meanwhile. */
const MOST_LOOKS = 5;
const AGAIN_MS = 50;

/** Moves what can go on with the new code to it. Returns what cannot. */
export async function moveWhatFits(runs: readonly PinnedRun[], options: CheckOptions): Promise<KeptRun[]> {
  const kept: KeptRun[] = [];
  let left = runs;
  for (let look = 0; look < MOST_LOOKS && left.length > 0; look += 1) {
    if (look > 0) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    const again: PinnedRun[] = [];
    const before = new Map(left.map(({ runId }) => [runId, options.generations.tasksOf(runId)]));
    const replayed = await replay(left, options);
    for (const run of left) {
      const why = replayed.get(run.runId);
      if (why !== undefined) kept.push({ ...run, why });
      // What it did since its history was read is not known to fit.
      else if (options.generations.tasksOf(run.runId) !== before.get(run.runId)) again.push(run);
      else if (options.generations.move(run.runId) === 'busy') again.push(run);
    }
    left = again;
  }
  const busy = 'It was at work all the time: it goes on with its code until the next change';
  return [...kept, ...left.map((run) => ({ ...run, why: busy }))];
}

/** Why not, by run; those that are not in the result fit, or are over. */
async function replay(
  runs: readonly PinnedRun[],
  { client, bundle, dataConverter }: CheckOptions,
): Promise<Map<string, string>> {
  const asked: PinnedRun[] = [];
  async function* histories(): AsyncIterable<HistoryAndWorkflowId> {
    for (const { workflowId, runId } of runs) {
      const history = await client.workflow
        .getHandle(workflowId, runId)
        .fetchHistory()
        .catch(() => undefined);
      if (history === undefined) continue;
      asked.push({ workflowId, runId });
      yield { workflowId, history };
    }
  }
  const why = new Map<string, string>();
  const options = { workflowBundle: bundle, ...(dataConverter && { dataConverter }) };
  for await (const { error } of replayHistories(options, histories())) {
    const run = asked.at(-1);
    if (error !== undefined && run !== undefined) why.set(run.runId, errorMessage(error) ?? 'it cannot be replayed');
  }
  return why;
}
