// Workflows of the official SDK that the tests of the gRPC door run: what its users write, none of it ours.

import * as wf from '@temporalio/workflow';

export * from './kinds.ts';

interface Activities {
  greet(name: string): Promise<string>;
  flaky(succeedOn: number): Promise<number>;
}

const { greet, flaky } = wf.proxyActivities<Activities>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '20 milliseconds' },
});

export async function hello(name: string): Promise<string> {
  return await greet(name);
}

export async function retried(): Promise<number> {
  return await flaky(3);
}

export const add = wf.defineSignal<[number]>('add');
export const sum = wf.defineQuery<number>('sum');
export const addUpdate = wf.defineUpdate<number, [number]>('addUpdate');
export const finish = wf.defineSignal('finish');

/** Adds what it is signalled and what it is updated with, until it is told to finish. */
export async function counter(): Promise<number> {
  let total = 0;
  let done = false;
  wf.setHandler(add, (n) => {
    total += n;
  });
  wf.setHandler(sum, () => total);
  wf.setHandler(
    addUpdate,
    (n) => {
      total += n;
      return total;
    },
    {
      validator: (n) => {
        if (n < 0) throw new Error('only what is not negative');
      },
    },
  );
  wf.setHandler(finish, () => {
    done = true;
  });
  await wf.condition(() => done);
  return total;
}

export async function parent(name: string): Promise<string> {
  return await wf.executeChild(hello, { args: [name], workflowId: `${wf.workflowInfo().workflowId}/child` });
}

/** Runs itself `times` more. */
export async function again(times: number): Promise<string> {
  if (times > 0) await wf.continueAsNew<typeof again>(times - 1);
  return wf.workflowInfo().runId;
}

export async function sleeper(): Promise<string> {
  try {
    await wf.sleep('1 hour');
    return 'slept';
  } catch (error) {
    if (!wf.isCancellation(error)) throw error;
    return await wf.CancellationScope.nonCancellable(() => greet('cancelled'));
  }
}

/** Patches, markers of local activities, and timers that race. */
export async function marked(): Promise<string> {
  const { greet: here } = wf.proxyLocalActivities<Activities>({ startToCloseTimeout: '5 seconds' });
  const said = wf.patched('second-edition') ? await here('marked') : await greet('marked');
  await Promise.race([wf.sleep('10 milliseconds'), wf.sleep('1 hour')]);
  wf.upsertMemo({ said });
  return said;
}

/** Its own retry policy gives it a second run. */
export async function failsOnce(): Promise<number> {
  const { attempt } = wf.workflowInfo();
  if (attempt < 2) throw wf.ApplicationFailure.retryable('not at the first attempt');
  return attempt;
}

export async function failing(): Promise<void> {
  throw wf.ApplicationFailure.create({ message: 'no', type: 'Refused', nonRetryable: true, details: [7] });
}
