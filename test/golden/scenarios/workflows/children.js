import {
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  executeChild,
  getExternalWorkflowHandle,
  setHandler,
  sleep,
  startChild,
  workflowInfo,
} from 'tenuto/workflow';
import { attempt } from './failures.js';

export const go = defineSignal('go');

/** Returns the child's result or the description of its failure. */
export async function parent({ type, args = [], options }) {
  return attempt(() => executeChild(type, { args, ...options }));
}

/** Starts a child and, on `go`, returns without waiting for it. */
export async function leavingParent({ type, args = [], options }) {
  let told = false;
  setHandler(go, () => void (told = true));
  await startChild(type, { args, ...options });
  await condition(() => told);
  return 'left';
}

/** Cancels the child on `go`. */
export async function cancellingParent({ type, args = [], options }) {
  const scope = new CancellationScope();
  let told = false;
  setHandler(go, () => void (told = true));
  const outcome = scope.run(() => attempt(() => executeChild(type, { args, ...options })));
  await condition(() => told);
  scope.cancel();
  return outcome;
}

/** Fails its first runs; the run that succeeds returns its attempt. */
export async function failRuns(n, ms = 0, failure = {}) {
  if (ms) await sleep(ms);
  const { attempt: run } = workflowInfo();
  if (run <= n) throw ApplicationFailure.create({ message: `run ${run} fails`, type: 'FlakyRun', ...failure });
  return `run ${run} succeeds`;
}

/** Continues as new until `n` reaches `limit`, slowly enough for the parent to see each step alone. */
export async function countSlowly(n, limit) {
  await sleep(300);
  if (n < limit) await continueAsNew(n + 1, limit);
  return n;
}

export async function signalOther({ workflowId, runId, signal, args = [] }) {
  return attempt(() => getExternalWorkflowHandle(workflowId, runId).signal(signal, ...args));
}

export async function cancelOther({ workflowId, runId }) {
  return attempt(() => getExternalWorkflowHandle(workflowId, runId).cancel());
}

/** Signals its child once it has started. */
export async function signallingParent({ type, args = [], options, signal, signalArgs = [] }) {
  const child = await startChild(type, { args, ...options });
  await child.signal(signal, ...signalArgs);
  return child.result();
}
