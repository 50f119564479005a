// Workflows of the simulation that start others, or reach for them: children that come to every kind of end, parents that leave theirs, and
// couriers whose letters must arrive once.

import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  continueAsNew,
  executeChild,
  getExternalWorkflowHandle,
  type ParentClosePolicy,
  sleep,
  startChild,
  workflowInfo,
} from 'tenuto/workflow';
import { type FAMILY, kidOf } from './kin.ts';

/** What a child came to, as its parent sees it. */
async function fate(end: Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify(await end);
  } catch (error) {
    if (!(error instanceof ChildWorkflowFailure)) throw error;
    return error.cause?.name ?? 'no cause';
  }
}

/** Children at once: with a result, with retries, with continue-as-new and signals, failing, timing out, and cancelled. */
export async function family(): Promise<Record<string, string>> {
  const { workflowId } = workflowInfo();
  const kid = (name: keyof typeof FAMILY): string => kidOf(workflowId, name);
  const scope = new CancellationScope();
  const signalled = async (): Promise<unknown> => {
    const child = await startChild('collector', { workflowId: kid('collector'), args: [3, 2, []] });
    await Promise.all(['one', 'two'].map((word) => child.signal('add', word)));
    await getExternalWorkflowHandle(child.workflowId).signal('add', 'three');
    // Letters on the same way to the same place keep their order.
    return child.result();
  };
  const ends = {
    pipeline: executeChild('pipeline', { workflowId: kid('pipeline'), args: [0] }).then(() => 'well'),
    stubborn: executeChild('stubborn', {
      workflowId: kid('stubborn'),
      retry: { initialInterval: 200, maximumAttempts: 5 },
    }),
    collector: signalled(),
    failing: executeChild('failing', { workflowId: kid('failing') }),
    patient: executeChild('patient', { workflowId: kid('patient'), workflowExecutionTimeout: 1_500 }),
    cancellable: scope.run(() => executeChild('cancellable', { workflowId: kid('cancellable') })),
  };
  const fates = Object.entries(ends).map(async ([name, end]) => [name, await fate(end)] as const);
  await sleep(300);
  scope.cancel();
  return Object.fromEntries(await Promise.all(fates));
}

export async function failing(): Promise<never> {
  throw ApplicationFailure.nonRetryable('as it must');
}

/** Leaves a child behind, which it may not even know to have started. */
export async function leaver(
  type: string,
  parentClosePolicy: ParentClosePolicy,
  how: 'complete' | 'fail' | 'continue' | 'wait',
  patient: boolean,
): Promise<void> {
  const { workflowId, continuedFromExecutionRunId } = workflowInfo();
  if (continuedFromExecutionRunId !== undefined) return;
  const started = startChild(type, { workflowId: kidOf(workflowId, type), parentClosePolicy, args: [0] });
  if (patient) await started;
  else await sleep(1);
  if (how === 'wait') await sleep(3_600_000);
  if (how === 'fail') throw ApplicationFailure.nonRetryable('as it must');
  if (how === 'continue') await continueAsNew<typeof leaver>(type, parentClosePolicy, how, patient);
}

/** Again until there is such a workflow. */
async function insist(ask: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      if (!(error instanceof ApplicationFailure) || error.type !== 'ExternalWorkflowExecutionNotFound') throw error;
    }
    await sleep(200);
  }
}

/** Brings letters to a collector, some at once, and asks another workflow to end. */
export async function courier(to: string, letters: string[], atOnce: number, cancels?: string): Promise<number> {
  for (let i = 0; i < letters.length; i += atOnce) {
    const some = letters.slice(i, i + atOnce);
    await Promise.all(some.map((letter) => insist(() => getExternalWorkflowHandle(to).signal('add', letter))));
  }
  if (cancels !== undefined) await insist(() => getExternalWorkflowHandle(cancels).cancel('no more letters'));
  return letters.length;
}
