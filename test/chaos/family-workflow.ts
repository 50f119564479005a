// A family whose every step goes through the outbox: children with a result, a failure, retries, continue-as-new and signals, one that is
// cancelled, two that are left, and a neighbour that is signalled and cancelled.

import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  condition,
  continueAsNew,
  defineSignal,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  setHandler,
  sleep,
  startChild,
  workflowInfo,
} from 'tenuto/workflow';

const note = defineSignal<[string]>('note');

/** What a neighbour has heard by the time it is asked to end. */
export async function neighbour(): Promise<string[]> {
  const heard: string[] = [];
  setHandler(note, (text) => void heard.push(text));
  try {
    await condition(() => false);
  } catch (error) {
    if (!isCancellation(error)) throw error;
  }
  return heard;
}

/** Ends when it has heard so many notes, in a run of its own for each. */
export async function listener(notes: number, heard: string[]): Promise<string[]> {
  const waiting: string[] = [];
  setHandler(note, (text) => void waiting.push(text));
  await condition(() => waiting.length > 0);
  const all = [...heard, ...waiting];
  if (all.length < notes) await continueAsNew<typeof listener>(notes, all);
  return all;
}

export async function stubborn(): Promise<number> {
  const { attempt } = workflowInfo();
  if (attempt < 2) throw ApplicationFailure.retryable('not at the first attempt');
  return attempt;
}

export async function failing(): Promise<never> {
  throw ApplicationFailure.nonRetryable('as it must');
}

/** Until it is cancelled or terminated. */
export async function waiting(): Promise<void> {
  await condition(() => false);
}

export interface FamilyResult {
  listener: string[];
  stubborn: number;
  failing: string | undefined;
  cancelled: string | undefined;
}

export const NOTES = ['one', 'two', 'three'];

export async function family(neighbourId: string): Promise<FamilyResult> {
  const { workflowId } = workflowInfo();
  const kid = (name: string) => ({ workflowId: `${workflowId}/${name}` });
  const why = async (end: Promise<unknown>): Promise<string | undefined> => {
    try {
      await end;
    } catch (error) {
      if (error instanceof ChildWorkflowFailure) return error.cause?.name;
      throw error;
    }
    return 'nothing';
  };

  await startChild(waiting, { ...kid('left'), parentClosePolicy: 'REQUEST_CANCEL' });
  await startChild(waiting, { ...kid('ended'), parentClosePolicy: 'TERMINATE' });
  const listening = await startChild(listener, { ...kid('listener'), args: [NOTES.length, []] });
  for (const text of NOTES) await listening.signal(note, text);
  const neighbour = getExternalWorkflowHandle(neighbourId);
  await Promise.all(NOTES.map((text) => neighbour.signal(note, text)));
  await neighbour.cancel();

  const scope = new CancellationScope();
  const cancelled = scope.run(() => why(executeChild(waiting, kid('cancelled'))));
  const failed = why(executeChild(failing, kid('failing')));
  const tried = executeChild(stubborn, { ...kid('stubborn'), retry: { initialInterval: 20, maximumAttempts: 3 } });
  await sleep(20);
  scope.cancel();
  return {
    listener: await listening.result(),
    stubborn: await tried,
    failing: await failed,
    cancelled: await cancelled,
  };
}
