import { ApplicationFailure, sleep, workflowInfo } from 'tenuto/workflow';

/** Fails its first runs; the run that succeeds returns its attempt. */
export async function failRuns(n, ms = 0, failure = {}) {
  if (ms) await sleep(ms);
  const { attempt: run } = workflowInfo();
  if (run <= n) throw ApplicationFailure.create({ message: `run ${run} fails`, type: 'FlakyRun', ...failure });
  return `run ${run} succeeds`;
}
