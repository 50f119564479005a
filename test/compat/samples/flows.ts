// Flows that people and others take part in: state behind signals and queries, an expense that is decided on, an entity that lives on, a transaction
// that answers early, a sleep of days that can be cut short.

import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from './activities.ts';

const { createExpense, payment, waitForDecision, greet } = proxyActivities<Activities>({
  startToCloseTimeout: '1 minute',
});
const { greet: validate } = proxyLocalActivities<Activities>({ startToCloseTimeout: '5 seconds' });

export const setValue = defineSignal<[string, unknown]>('setValue');
export const getValue = defineQuery<unknown, [string]>('getValue');

export async function state(): Promise<void> {
  const values = new Map<string, unknown>();
  setHandler(setValue, (key, value) => void values.set(key, value));
  setHandler(getValue, (key) => values.get(key));
  await CancellationScope.current().cancelRequested;
}

export type ExpenseStatus = 'CREATED' | 'APPROVED' | 'REJECTED';
export const approve = defineSignal('approve');
export const reject = defineSignal('reject');

/** Somebody signals what is decided, or the time is up. */
export async function expenseBySignal(id: string, timeout: number): Promise<{ status: string; paid?: string }> {
  let status: ExpenseStatus = 'CREATED';
  const decided = (): boolean => status !== 'CREATED';
  setHandler(approve, () => {
    status = 'APPROVED';
  });
  setHandler(reject, () => {
    status = 'REJECTED';
  });
  await createExpense(id);
  if (!(await condition(decided, timeout))) return { status: 'TIMED_OUT' };
  if ((status as ExpenseStatus) !== 'APPROVED') return { status };
  return { status, paid: await payment(id) };
}

/** The same by an activity that is completed from outside. */
export async function expense(id: string): Promise<{ status: string; paid?: string }> {
  await createExpense(id);
  const status = await waitForDecision(id);
  return status === 'APPROVED' ? { status, paid: await payment(id) } : { status };
}

export interface Entity {
  total: number;
  runs: number;
}
export const changeEntity = defineUpdate<number, [number]>('changeEntity');
export const closeEntity = defineSignal('closeEntity');

/** Continues as new after so many changes, and keeps what it knows. */
export async function entity(input: Entity = { total: 0, runs: 1 }): Promise<Entity> {
  let { total } = input;
  let changes = 0;
  let closed = false;
  setHandler(
    changeEntity,
    async (by) => {
      changes += 1;
      await greet(String(by));
      total += by;
      return total;
    },
    {
      validator: (by) => {
        if (!Number.isInteger(by)) throw ApplicationFailure.nonRetryable(`${by} is no whole number`);
      },
    },
  );
  setHandler(closeEntity, () => {
    closed = true;
  });
  await condition(() => closed || changes >= 3 || workflowInfo().continueAsNewSuggested);
  await condition(allHandlersFinished);
  if (closed) return { total, runs: input.runs };
  return await continueAsNew<typeof entity>({ total, runs: input.runs + 1 });
}

export const transactionInitialized = defineUpdate<string>('transactionInitialized');

export async function transaction(amount: number): Promise<string> {
  let begun: string | undefined;
  let problem: unknown;
  setHandler(transactionInitialized, async () => {
    await condition(() => begun !== undefined || problem !== undefined);
    if (problem !== undefined) throw problem;
    return begun ?? '';
  });
  try {
    if (amount <= 0) throw ApplicationFailure.create({ message: 'Invalid amount', nonRetryable: true });
    begun = await validate(`transaction of ${amount}`);
  } catch (error) {
    problem = error;
  }
  await condition(allHandlersFinished);
  if (problem !== undefined) return 'cancelled';
  return `completed: ${await payment(String(amount))}`;
}

export const complete = defineSignal('complete');

export async function sleepForDays(days: number): Promise<number> {
  let completed = false;
  let reports = 0;
  setHandler(complete, () => {
    completed = true;
  });
  while (!completed) {
    await greet(`day ${reports * days}`);
    reports += 1;
    await Promise.race([sleep(`${days} days`), condition(() => completed)]);
  }
  return reports;
}

/** A purchase that can be cancelled for a while. */
export const cancelPurchase = defineSignal('cancelPurchase');
export const purchaseState = defineQuery<string>('purchaseState');
export async function oneClickBuy(itemId: string, forMs: number): Promise<string> {
  let now = 'PENDING';
  setHandler(cancelPurchase, () => {
    now = 'CANCELLED';
  });
  setHandler(purchaseState, () => now);
  if (await condition(() => now === 'CANCELLED', forMs)) return await greet(`${itemId} cancelled`);
  now = 'CONFIRMED';
  return await greet(`${itemId} bought`);
}

export async function shielded(): Promise<string> {
  try {
    await sleep('1 hour');
    return 'slept';
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return await CancellationScope.nonCancellable(() => greet('shielded'));
  }
}
