// A lock that workflows ask for through an activity, which starts the lock's workflow where there is none.

import {
  ApplicationFailure,
  condition,
  continueAsNew,
  defineSignal,
  getExternalWorkflowHandle,
  proxyActivities,
  setHandler,
  sleep,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from './activities.ts';

const { signalWithStartLock } = proxyActivities<Activities>({ startToCloseTimeout: '1 minute' });

export interface LockRequest {
  initiatorId: string;
  lockAcquiredSignalName: string;
  timeoutMs: number;
}
interface LockResponse {
  releaseSignalName: string;
}
const MAX_HISTORY_LENGTH = 2_000;

export const requestLock = defineSignal<[LockRequest]>('requestLock');

export async function lockWorkflow(requests: LockRequest[] = []): Promise<void> {
  setHandler(requestLock, (request) => void requests.push(request));
  while (workflowInfo().historyLength < MAX_HISTORY_LENGTH) {
    if (!(await condition(() => requests.length > 0, '1 second'))) return;
    const request = requests.shift();
    if (request === undefined) continue;
    const releaseSignalName = uuid4();
    let released = false;
    setHandler(defineSignal(releaseSignalName), () => {
      released = true;
    });
    const acquired = defineSignal<[LockResponse]>(request.lockAcquiredSignalName);
    await getExternalWorkflowHandle(request.initiatorId).signal(acquired, { releaseSignalName });
    await condition(() => released, request.timeoutMs);
  }
  await continueAsNew<typeof lockWorkflow>(requests);
}

/** Returns when it had the lock, by its workflow's clock. */
export async function oneAtATime(resourceId: string, forMs: number, timeoutMs: number): Promise<[number, number]> {
  let releaseSignalName: string | undefined;
  const acquired = defineSignal<[LockResponse]>(uuid4());
  setHandler(acquired, (response) => {
    ({ releaseSignalName } = response);
  });
  await signalWithStartLock(resourceId, acquired.name, timeoutMs);
  if (!(await condition(() => releaseSignalName !== undefined, '30 seconds'))) {
    throw ApplicationFailure.nonRetryable('never acquired');
  }
  const from = Date.now();
  await sleep(forMs);
  const until = Date.now();
  await getExternalWorkflowHandle(`lock:${resourceId}`).signal(releaseSignalName ?? '');
  return [from, until];
}
