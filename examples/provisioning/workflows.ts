// A machine that somebody has to approve: waits for a decision as long as it takes, up to a bound, and says at any time where it stands.

import { condition, defineQuery, defineUpdate, proxyActivities, setHandler } from 'tenuto/workflow';
import type * as activities from './activities.ts';

const { createMachine, tell } = proxyActivities<typeof activities>({ startToCloseTimeout: '1m' });

export type Stage = 'waiting' | 'creating' | 'refused' | 'expired' | { ready: string };

/** Answered with what the decision led to; refused when there was one before. */
export const decide = defineUpdate<string, [{ by: string; approve: boolean }]>('decide');
export const stage = defineQuery<Stage>('stage');

export async function provision(request: { name: string; requester: string; patienceMs: number }): Promise<Stage> {
  let now: Stage = 'waiting';
  let decision: { by: string; approve: boolean } | undefined;
  setHandler(stage, () => now);
  setHandler(
    decide,
    (made) => {
      decision = made;
      return made.approve ? `approved by ${made.by}` : `refused by ${made.by}`;
    },
    {
      // Runs before anything is written: what it refuses leaves no trace in the history.
      validator: ({ by }) => {
        if (decision !== undefined) throw new Error(`it was decided by ${decision.by}`);
        if (by === request.requester) throw new Error('somebody else has to decide');
      },
    },
  );
  await tell('operations', `${request.requester} asks for ${request.name}`);
  const decided = await condition(() => decision !== undefined, request.patienceMs);
  if (!decided) now = 'expired';
  else if (decision?.approve !== true) now = 'refused';
  else {
    now = 'creating';
    now = { ready: await createMachine(request.name) };
  }
  await tell(request.requester, typeof now === 'string' ? now : now.ready);
  return now;
}
