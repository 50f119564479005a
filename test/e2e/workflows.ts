// Workflows of the end-to-end tests.

import { condition, defineQuery, defineSignal, proxyActivities, setHandler } from 'tenuto/workflow';

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
