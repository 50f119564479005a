// A payment of several steps, each with what takes it back: when one fails for good, those before it are undone, last first.

import { ApplicationFailure, CancellationScope, proxyActivities, workflowInfo } from 'tenuto/workflow';
import type * as activities from './activities.ts';

const { charge, refund, reserve, release, ship } = proxyActivities<typeof activities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '100ms', maximumAttempts: 5 },
});

export async function pay(payment: activities.Payment): Promise<string> {
  // The same at every attempt and replay: a step that is repeated is known by it.
  const key = workflowInfo().workflowId;
  const undo: (() => Promise<void>)[] = [];
  try {
    // Before the step: it may have happened although nobody heard of it.
    undo.push(() => refund(key));
    await charge(key, payment);
    undo.push(() => release(key));
    await reserve(key, payment);
    return await ship(key, payment);
  } catch (error) {
    // Also when the workflow was cancelled: taking back is never cut off.
    await CancellationScope.nonCancellable(async () => {
      for (const step of undo.reverse()) await step();
    });
    throw ApplicationFailure.create({
      message: `payment ${key} was taken back`,
      type: 'TakenBack',
      nonRetryable: true,
      cause: error instanceof Error ? error : undefined,
    });
  }
}
