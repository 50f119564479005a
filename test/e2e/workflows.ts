// Workflows of the end-to-end tests.

import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  proxyActivities,
  setHandler,
  workflowInfo,
} from 'tenuto/workflow';

interface Activities {
  greet(name: string): Promise<string>;
}

const { greet } = proxyActivities<Activities>({ startToCloseTimeout: '10s' });

export async function hello(name: string): Promise<string> {
  return await greet(name);
}

const approve = defineSignal<[string]>('approve');
const state = defineQuery<string>('state');

export async function approval(): Promise<string> {
  let answer: string | undefined;
  setHandler(approve, (given) => {
    answer = given;
  });
  setHandler(state, () => answer ?? 'waiting');
  await condition(() => answer !== undefined);
  return answer ?? '';
}

const add = defineSignal('add');
const end = defineSignal('end');

/** How many signals came, to this run and those before it. */
export async function counter(before = 0): Promise<number> {
  let signals = before;
  let ended = false;
  setHandler(add, () => {
    signals += 1;
  });
  setHandler(end, () => {
    ended = true;
  });
  await condition(() => ended || workflowInfo().continueAsNewSuggested);
  if (!ended) await continueAsNew<typeof counter>(signals);
  return signals;
}
