import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  setHandler,
  sleep,
  workflowInfo,
} from 'tenuto/workflow';

export const release = defineSignal('release');
export const state = defineQuery('state');

export async function hello(name) {
  return `Hello, ${name}!`;
}

export async function identity(value) {
  return value;
}

export async function returnNothing() {}

export async function echoAll(...args) {
  return args.map((arg) => (arg === undefined ? 'undefined' : arg));
}

export async function argumentTypes(...args) {
  return args.map((arg) => (arg instanceof Uint8Array ? `bytes(${arg.length})` : arg === null ? 'null' : typeof arg));
}

/** Waits for the signal `release`, returns what it brings. Released or cancelled, it rests for a while before it ends. */
export async function blocked(restMs = 0) {
  let released;
  setHandler(release, (value) => void (released = { value }));
  setHandler(state, () => (released ? 'released' : 'waiting'));
  try {
    await condition(() => released !== undefined);
  } finally {
    if (restMs > 0) await CancellationScope.nonCancellable(() => sleep(restMs));
  }
  return released.value;
}

/** Ends after `ms` in the given way: complete, fail, or never. */
export async function endAfter(ms, how = 'complete') {
  await sleep(ms);
  if (how === 'fail') throw ApplicationFailure.create({ message: 'as told', type: 'AsTold', nonRetryable: true });
  return `${how} after ${ms}`;
}

/** What the worker was told about the execution. */
export async function info() {
  const {
    attempt,
    cronSchedule,
    executionTimeoutMs,
    memo,
    parent,
    priority,
    retryPolicy,
    root,
    runTimeoutMs,
    taskTimeoutMs,
    searchAttributes,
    workflowId,
    workflowType,
    firstExecutionRunId,
    originalExecutionRunId,
    continuedFromExecutionRunId,
    runId,
    historyLength,
    continueAsNewSuggested,
  } = workflowInfo();
  return {
    attempt,
    cronSchedule,
    executionTimeoutMs,
    memo,
    parent,
    priority,
    retryPolicy,
    root,
    runTimeoutMs,
    taskTimeoutMs,
    searchAttributes,
    workflowId,
    workflowType,
    firstExecutionRunId,
    originalExecutionRunId,
    continuedFromExecutionRunId,
    runId,
    historyLength,
    continueAsNewSuggested,
  };
}
