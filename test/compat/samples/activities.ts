// Activities of the samples, made with what they depend on.

import { activityInfo, CompleteAsyncError, Context, getClient, heartbeat, log, sleep } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { lockWorkflow, requestLock } from './mutex.ts';

export interface Database {
  get(key: string): Promise<string>;
}

/** What is done, by the id of what it is done for. */
const counts = new Map<string, number>();
const count = (id: string): number => {
  const now = (counts.get(id) ?? 0) + 1;
  counts.set(id, now);
  return now;
};

export const createActivities = (database: Database) => ({
  async greet(name: string): Promise<string> {
    return `Hello, ${name}!`;
  },

  async greetFromDatabase(key: string): Promise<string> {
    log.info('greeting', { key });
    return `${await database.get(key)}, ${activityInfo().activityType}!`;
  },

  /** Until it is cancelled; says so before it ends. */
  async slowly(): Promise<string> {
    try {
      for (let progress = 1; ; progress += 1) {
        heartbeat(progress);
        await sleep(20);
      }
    } catch (error) {
      if (error instanceof CancelledFailure) Context.current().heartbeat('stopping');
      throw error;
    }
  },

  async activityA(name: string): Promise<string> {
    return `Result_A(${name})`;
  },
  async activityB(name: string): Promise<string> {
    return `Result_B(${name})`;
  },
  async activityC(a: string, b: string): Promise<string> {
    return `Result_C(${a}, ${b})`;
  },

  async createExpense(id: string): Promise<void> {
    if (id === '') throw ApplicationFailure.nonRetryable('an expense has an id', 'NoId');
  },
  /** Somebody decides, some time, and completes it from outside. */
  async waitForDecision(_id: string): Promise<string> {
    throw new CompleteAsyncError();
  },
  async payment(id: string): Promise<string> {
    return `paid ${id}`;
  },

  async signalWithStartLock(resourceId: string, lockAcquiredSignalName: string, timeoutMs: number): Promise<void> {
    const { taskQueue, workflowExecution } = activityInfo();
    await getClient().workflow.signalWithStart(lockWorkflow, {
      taskQueue,
      workflowId: `lock:${resourceId}`,
      signal: requestLock,
      signalArgs: [{ initiatorId: workflowExecution?.workflowId ?? '', lockAcquiredSignalName, timeoutMs }],
    });
  },

  /** Asks again and again, and says that it lives. */
  async pollFrequently(id: string): Promise<string> {
    while (count(id) < 4) {
      heartbeat();
      await sleep(10);
    }
    return 'OK';
  },
  /** Asked again by its retry policy. */
  async pollOnce(id: string): Promise<string> {
    if (count(id) < 3) throw ApplicationFailure.create({ message: 'not yet', nextRetryDelay: '10 milliseconds' });
    return `OK at attempt ${activityInfo().attempt}`;
  },

  async slowStep(ms: number): Promise<string> {
    await sleep(ms);
    return 'done';
  },
  async notify(what: string): Promise<number> {
    return count(what);
  },
});

export type Activities = ReturnType<typeof createActivities>;
