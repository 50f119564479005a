// Hello in its variants: activities, local ones, children, cancellation, patches, ids drawn in workflow code, attributes to be found by.

import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import {
  ActivityCancellationType,
  ActivityFailure,
  CancellationScope,
  CancelledFailure,
  ChildWorkflowCancellationType,
  condition,
  continueAsNew,
  defineQuery,
  deprecatePatch,
  executeChild,
  isCancellation,
  log,
  ParentClosePolicy,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  startChild,
  upsertMemo,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from './activities.ts';

const { greet, greetFromDatabase } = proxyActivities<Activities>({ startToCloseTimeout: '1 minute' });
const { greet: greetHere } = proxyLocalActivities<Activities>({ startToCloseTimeout: '5 seconds' });
const { slowly } = proxyActivities<Activities>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '30 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

export async function helloWorld(name: string): Promise<string> {
  return await greet(name);
}

export async function injected(): Promise<string> {
  return await greetFromDatabase('greeting');
}

export async function local(name: string): Promise<string> {
  return await greetHere(name);
}

export async function parent(...names: string[]): Promise<string> {
  const said = await Promise.all(
    names.map((name) => executeChild(child, { args: [name], parentClosePolicy: ParentClosePolicy.TERMINATE })),
  );
  return said.join('\n');
}

export async function child(name: string): Promise<string> {
  return `I am a child named ${name}`;
}

/** Waits for its child's own cancellation before it ends with it. */
export async function cancellingParent(): Promise<string> {
  const scope = new CancellationScope();
  const result = scope.run(async () => {
    const { result: ended } = await startChild(waiter, {
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    });
    return ended();
  });
  await sleep(20);
  scope.cancel();
  try {
    return await result;
  } catch (error) {
    return isCancellation(error) ? 'the child was cancelled' : 'something else';
  }
}

export async function waiter(): Promise<string> {
  await condition(() => false);
  return 'never';
}

/** Cleans up after its activity was cancelled and has said so. */
export async function cancellable(): Promise<string> {
  try {
    return await slowly();
  } catch (error) {
    if (!(error instanceof ActivityFailure && error.cause instanceof CancelledFailure)) throw error;
    log.info('cancelled');
    await CancellationScope.nonCancellable(() => greet('clean-up'));
    throw error;
  }
}

export async function patchedOne(): Promise<string> {
  deprecatePatch('old-change');
  return patched('new-change') ? 'new' : 'old';
}

/** Sees the same in every replay: that is what it returns. */
export async function drawn(): Promise<{ id: string; random: number; now: number }> {
  const before = { id: uuid4(), random: Math.random(), now: Date.now() };
  await sleep(1);
  return before;
}

export const CITY = defineSearchAttributeKey('City', SearchAttributeType.KEYWORD);

export async function found(city: string): Promise<string> {
  upsertSearchAttributes([{ key: CITY, value: city }]);
  upsertMemo({ visited: city });
  return String(workflowInfo().typedSearchAttributes.get(CITY));
}

export async function loop(iteration = 0): Promise<number> {
  if (iteration === 3) return iteration;
  await sleep(1);
  return await continueAsNew<typeof loop>(iteration + 1);
}

export const daysLeft = defineQuery<number>('daysLeft');

/** Its progress by a query, while it works and after. */
export async function countdown(days: number): Promise<void> {
  let left = days;
  setHandler(daysLeft, () => left);
  for (; left > 0; left -= 1) await sleep('10 milliseconds');
}
