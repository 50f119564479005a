// Workflows of the official SDK for the chaos of the second door: what its users write, none of it ours.

import {
  allHandlersFinished,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';

interface Activities {
  echo(text: string): Promise<string>;
}

const { echo } = proxyActivities<Activities>({
  startToCloseTimeout: '10 seconds',
  heartbeatTimeout: '5 seconds',
  retry: { initialInterval: '50 milliseconds' },
});

export const note = defineSignal<[string]>('note');
export const finish = defineSignal('finish');
export const noted = defineQuery<string[]>('noted');
/** Answered with its place among all that was noted, after an activity. */
export const noteNow = defineUpdate<number, [string]>('noteNow');

/** Returns all that was noted, in order, as a child of it says. */
export async function tally(): Promise<string[]> {
  const names: string[] = [];
  let ended = false;
  setHandler(note, (name) => {
    names.push(name);
  });
  setHandler(
    noteNow,
    async (name) => {
      const place = names.push(await echo(name)) - 1;
      return place;
    },
    {
      validator: (name) => {
        if (name === '') throw new Error('a note needs a name');
      },
    },
  );
  setHandler(noted, () => names);
  setHandler(finish, () => {
    ended = true;
  });
  await condition(() => ended && allHandlersFinished());
  return await executeChild(echoed, { args: [names], workflowId: `${workflowInfo().workflowId}/child` });
}

export async function echoed(names: string[]): Promise<string[]> {
  return await Promise.all(names.map((name) => echo(name)));
}

/** What a schedule starts. */
export async function visit(): Promise<string> {
  return await echo('visited');
}
