// Workflows about the life of runs: continue-as-new, cancellation, failure, retry, cron, workflow-task failures, patches.
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  deprecatePatch,
  isCancellation,
  makeContinueAsNewFunc,
  patched,
  proxyActivities,
  setHandler,
  sleep,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from 'tenuto/workflow';

export const proceed = defineSignal('proceed');

const { echo } = proxyActivities({ startToCloseTimeout: '5s' });

export async function count(n, limit) {
  if (n < limit) await continueAsNew(n + 1, limit);
  return { n, memo: workflowInfo().memo, continued: workflowInfo().continuedFromExecutionRunId !== undefined };
}

/** Continues as another type with other options. */
export async function changeOnContinue(options, ...args) {
  await makeContinueAsNewFunc(options)(...args);
}

export async function afterChange(...args) {
  const { memo, searchAttributes, runTimeoutMs, executionTimeoutMs, taskTimeoutMs, workflowType, retryPolicy } =
    workflowInfo();
  return { args, memo, searchAttributes, runTimeoutMs, executionTimeoutMs, taskTimeoutMs, workflowType, retryPolicy };
}

/** On cancellation runs an activity in a scope of its own, then ends cancelled. */
export async function cleanUpOnCancel() {
  try {
    await sleep('1 hour');
  } catch (err) {
    if (isCancellation(err)) await CancellationScope.nonCancellable(() => echo('cleaned up'));
    throw err;
  }
}

/** Takes note of the cancellation and goes on until `proceed`. */
export async function ignoreCancel() {
  let told = false;
  setHandler(proceed, () => void (told = true));
  let cancelled = false;
  CancellationScope.current().cancelRequested.catch(() => void (cancelled = true));
  await CancellationScope.nonCancellable(() => condition(() => told));
  return { cancelled };
}

export async function failWith(failure) {
  throw ApplicationFailure.create(failure);
}

export async function failWithCauses() {
  const root = ApplicationFailure.create({ message: 'root', type: 'Root', details: ['deep', { level: 2 }] });
  const middle = ApplicationFailure.create({ message: 'middle', type: 'Middle', cause: root, nonRetryable: true });
  throw ApplicationFailure.create({ message: 'top', type: 'Top', cause: middle, details: [1, null, 'x'] });
}

export async function cronRun() {
  return `result of attempt ${workflowInfo().attempt}, last ${JSON.stringify(workflowInfo().lastResult ?? null)}`;
}

/** Breaks its first workflow task; a later one, seeing the failure's event, goes well. */
export async function breakFirstTask() {
  if (workflowInfo().historyLength < 4) throw new Error('the first workflow task breaks');
  return 'recovered';
}

/** Breaks the task that a signal caused, once. */
export async function breakLaterTask() {
  let told = false;
  setHandler(proceed, () => void (told = true));
  await condition(() => told);
  if (workflowInfo().historyLength < 9) throw new Error('the second workflow task breaks');
  return echo('recovered');
}

/** Runs other commands when it is replayed. */
export async function changeOnReplay() {
  if (workflowInfo().unsafe.isReplaying) await echo('not a timer');
  else await sleep(100);
  return 'done';
}

export async function withPatches() {
  const taken = [];
  if (patched('first-patch')) taken.push('first-patch');
  await sleep(50);
  if (patched('second-patch')) taken.push('second-patch');
  return taken;
}

export async function withDeprecatedPatch() {
  deprecatePatch('old-patch');
  await sleep(50);
  return 'done';
}

export async function upsertAttributes(...steps) {
  for (const step of steps) {
    upsertSearchAttributes(step);
    await sleep(50);
  }
  return workflowInfo().searchAttributes;
}

export async function upsertMemos(...steps) {
  for (const step of steps) {
    upsertMemo(step);
    await sleep(50);
  }
  return workflowInfo().memo;
}
