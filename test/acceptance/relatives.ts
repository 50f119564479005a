// Workflows of children.test.ts: some start children, some reach workflows that are not theirs.

import {
  ApplicationFailure,
  CancellationScope,
  type ChildWorkflowCancellationType,
  type ChildWorkflowOptions,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  type ParentClosePolicy,
  setHandler,
  sleep,
  startChild,
  workflowInfo,
} from 'tenuto/workflow';

export const release = defineSignal<[string]>('release');
export const heard = defineQuery<string[]>('heard');

interface Place {
  workflowId: string;
  parent: string | undefined;
  root: string | undefined;
}

const place = (): Place => {
  const { workflowId, parent, root } = workflowInfo();
  return { workflowId, parent: parent?.workflowId, root: root?.workflowId };
};

/** As many generations as `depth`, each telling who it takes for its parent and for the root. */
export async function lineage(depth: number): Promise<Place[]> {
  if (depth === 0) return [place()];
  const below = await executeChild(lineage, {
    workflowId: `${workflowInfo().workflowId}/${depth - 1}`,
    args: [depth - 1],
  });
  return [place(), ...below];
}

/** Until it is released or cancelled. */
export async function waits(): Promise<string[]> {
  const words: string[] = [];
  setHandler(release, (word) => void words.push(word));
  setHandler(heard, () => words);
  await condition(() => words.includes('go'));
  return words;
}

/** Takes a while to end when cancelled. */
export async function tidies(): Promise<string> {
  try {
    await waits();
  } catch (error) {
    if (!isCancellation(error)) throw error;
    await CancellationScope.nonCancellable(() => sleep(300));
    return 'tidied';
  }
  return 'released';
}

export async function failsUntil(attempt: number): Promise<number> {
  if (workflowInfo().attempt < attempt) throw ApplicationFailure.create({ message: 'not yet', type: 'NotYet' });
  return workflowInfo().attempt;
}

export async function counts(to: number, from = 0): Promise<{ counted: number; parent: string | undefined }> {
  if (from < to) return await continueAsNew<typeof counts>(to, from + 1);
  return { counted: from, parent: workflowInfo().parent?.workflowId };
}

/** Errors as the code sees them. */
const told = (error: unknown): string[] => {
  const chain: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) chain.push(`${cause.name}: ${cause.message}`);
  return chain;
};

/** Its child's result, or the errors the code catches. */
export async function catches(
  type: string,
  options: ChildWorkflowOptions,
  args: unknown[],
): Promise<{ result: unknown } | { errors: string[] }> {
  try {
    return { result: await executeChild<(...args: unknown[]) => Promise<unknown>>(type, { ...options, args }) };
  } catch (error) {
    return { errors: told(error) };
  }
}

/** Its child's result, or the failure of its child. */
export async function passesOn(type: string, options: ChildWorkflowOptions): Promise<unknown> {
  return await executeChild(type, options);
}

/** Ends its first run in a way the test chooses, with a child running. */
export async function leaves(
  parentClosePolicy: ParentClosePolicy,
  how: 'complete' | 'fail' | 'continue' | 'wait',
): Promise<string> {
  if (workflowInfo().continuedFromExecutionRunId !== undefined) return 'continued';
  const workflowId = `${workflowInfo().workflowId}/child`;
  await startChild(waits, { workflowId, parentClosePolicy });
  if (how === 'fail') throw ApplicationFailure.nonRetryable('on purpose');
  if (how === 'continue') await continueAsNew<typeof leaves>(parentClosePolicy, how);
  if (how === 'wait') await condition(() => false);
  return 'completed';
}

/** Cancels its child, and tells what came of that. */
export async function regrets(cancellationType: ChildWorkflowCancellationType): Promise<unknown> {
  const scope = new CancellationScope();
  const workflowId = `${workflowInfo().workflowId}/child`;
  const child = await scope.run(() =>
    startChild(tidies, { workflowId, cancellationType, parentClosePolicy: 'ABANDON' }),
  );
  scope.cancel();
  try {
    return { result: await child.result() };
  } catch (error) {
    // What a run asks for in the task that closes it never leaves it.
    await sleep(1);
    return { errors: told(error) };
  }
}

/** Signals a child, and gives what it heard. */
export async function converses(): Promise<string[]> {
  const child = await startChild(waits);
  await child.signal(release, 'hello');
  await child.signal('release', 'go');
  return await child.result();
}

interface Request {
  what: 'signal' | 'cancel';
  workflowId: string;
  runId?: string;
}

/** Reaches for a workflow that is not its child, and tells what came of that. */
export async function reaches({ what, workflowId, runId }: Request): Promise<string[]> {
  const other = getExternalWorkflowHandle(workflowId, runId);
  try {
    if (what === 'signal') await other.signal(release, 'go');
    else await other.cancel('enough');
    return ['done'];
  } catch (error) {
    return told(error);
  }
}

export async function one(n: number): Promise<number> {
  return n;
}

/** So many children at once. */
export async function fansOut(width: number): Promise<number> {
  const numbers = await Promise.all(Array.from({ length: width }, (_, n) => executeChild(one, { args: [n] })));
  return numbers.reduce((sum, n) => sum + n, 0);
}

/** Children one after the other, each signalled before it may end. */
export async function leads(rounds: number): Promise<string> {
  const words: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const child = await startChild(waits, { workflowId: `${workflowInfo().workflowId}/${round}` });
    await getExternalWorkflowHandle(child.workflowId).signal(release, 'go');
    words.push(...(await child.result()));
  }
  return words.join(' ');
}

/** Until it is released; cancelled, it still waits for that before it ends. */
export async function lingers(): Promise<void> {
  let goes = false;
  setHandler(release, (word) => {
    goes = word === 'go';
  });
  try {
    await condition(() => goes);
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => condition(() => goes));
    throw error;
  }
}

/** Has a child that lingers, and closes, a moment after it was cancelled, as soon as the child's cancellation type lets it. */
export async function leavesCancelled(
  parentClosePolicy: ParentClosePolicy,
  cancellationType: ChildWorkflowCancellationType,
): Promise<void> {
  const workflowId = `${workflowInfo().workflowId}/child`;
  try {
    await executeChild(lingers, { workflowId, parentClosePolicy, cancellationType });
  } finally {
    // What is asked for in the very task that closes a workflow never leaves it.
    await CancellationScope.nonCancellable(() => sleep(1));
  }
}
