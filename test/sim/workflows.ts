// Workflows of the simulation: between them they use activities with retries, timeouts and heartbeats, local activities, timers, signals,
// queries, cancellation, continue-as-new and workflow retries. What each comes to, a checker can tell without having run it.

import {
  ActivityFailure,
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
} from 'tenuto/workflow';
import type { Effect, ServiceActivities } from './service.ts';

export * from './relatives.ts';
export * from './shopping.ts';

const retry = { initialInterval: 50, backoffCoefficient: 1.5, maximumInterval: 500 };
const { call } = proxyActivities<ServiceActivities>({ startToCloseTimeout: 3_000, retry });
const once = proxyActivities<ServiceActivities>({ startToCloseTimeout: 3_000, retry: { maximumAttempts: 1 } });
const long = proxyActivities<ServiceActivities>({ startToCloseTimeout: 60_000, heartbeatTimeout: 800, retry });
const local = proxyLocalActivities<ServiceActivities>({ startToCloseTimeout: 2_000, retry });

export const add = defineSignal<[string]>('add');
export const seen = defineQuery<string[]>('seen');

/** Steps one after the other, then some at once. */
export async function pipeline(steps: number): Promise<Effect[]> {
  const effects: Effect[] = [];
  setHandler(seen, () => effects.map(({ key }) => key));
  for (let i = 0; i < steps; i += 1) effects.push(await call(`step-${i}`));
  effects.push(...(await Promise.all([call('left'), call('right'), call('middle')])));
  return effects;
}

/** Takes `total` signals, a few per run; each is applied by an activity. */
export async function collector(total: number, perRun: number, before: string[]): Promise<string[]> {
  const all = [...before];
  const waiting: string[] = [];
  setHandler(add, (id) => {
    waiting.push(id);
  });
  setHandler(seen, () => [...all, ...waiting]);
  let taken = 0;
  while (all.length < total && (taken < perRun || waiting.length > 0)) {
    await condition(() => waiting.length > 0);
    const id = waiting.shift() ?? '';
    await call(`apply-${id}`);
    all.push(id);
    taken += 1;
  }
  if (all.length < total) await continueAsNew<typeof collector>(total, perRun, all);
  return all;
}

export const note = defineUpdate<string, [string]>('note');

/** Takes `total` updates, and refuses those that are bad; some are applied by an activity. */
export async function ledger(total: number): Promise<string[]> {
  const noted: string[] = [];
  const refuseBad = (id: string): void => {
    if (id.startsWith('bad')) throw ApplicationFailure.create({ message: `${id} is bad`, type: 'Bad' });
  };
  setHandler(
    note,
    async (id) => {
      if (id.endsWith('0')) await sleep(100);
      if (id.endsWith('1')) await call(`note-${id}`);
      noted.push(id);
      return id;
    },
    { validator: refuseBad },
  );
  setHandler(seen, () => noted);
  await condition(() => noted.length >= total && allHandlersFinished());
  return noted;
}

/** Timers alone, beside each other, and given up. */
export async function timers(): Promise<string[]> {
  const order: string[] = [];
  await sleep(300);
  order.push('slept');
  await Promise.all([sleep(700).then(() => order.push('second')), sleep(200).then(() => order.push('first'))]);
  const scope = new CancellationScope();
  const cancelled = scope.run(() => sleep(3_600_000));
  await Promise.race([cancelled, sleep(150)]);
  scope.cancel();
  try {
    await cancelled;
  } catch (error) {
    if (isCancellation(error)) order.push('cancelled');
  }
  return order;
}

/** Waits for ever; when cancelled, cleans up. */
export async function cancellable(): Promise<void> {
  try {
    await Promise.all([sleep(3_600_000), long.work('endless', 1_000_000)]);
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => call('clean-up'));
    throw error;
  }
}

/** Waits to be terminated. */
export async function patient(): Promise<void> {
  await condition(() => false);
}

/** An activity that may run once at most. */
export async function careful(): Promise<string> {
  try {
    const { key } = await once.call('charge');
    return key;
  } catch (error) {
    if (error instanceof ActivityFailure) return 'failed';
    throw error;
  }
}

/** A long activity that goes on where its heartbeat left off. */
export async function heartbeats(units: number): Promise<Effect> {
  return long.work('long', units);
}

/** Local activities and ordinary ones in turn. */
export async function locals(): Promise<string[]> {
  const first = await local.quick('one');
  const { key } = await call('two');
  const [third, fourth] = await Promise.all([local.quick('three'), local.quick('four')]);
  await sleep(50);
  return [first, key, third, fourth];
}

/** Fails twice; its retry policy runs it again. */
export async function stubborn(): Promise<number> {
  const { attempt } = workflowInfo();
  await call(`try-${attempt}`);
  if (attempt < 3) throw ApplicationFailure.retryable(`attempt ${attempt} of 3`);
  return attempt;
}

/** What a schedule or cron runs. */
export async function errand(ms: number, how: 'well' | 'badly'): Promise<string> {
  await call('errand');
  await sleep(ms);
  if (how === 'badly') throw ApplicationFailure.nonRetryable('as it must');
  return how;
}

/** Takes notes, each by an activity, until it is told to close. */
export async function diary(perRun: number, before: string[] = []): Promise<string[]> {
  const notes = [...before];
  const waiting: string[] = [];
  setHandler(add, (text) => {
    waiting.push(text);
  });
  setHandler(seen, () => notes);
  for (let taken = 0; taken < perRun || waiting.length > 0; taken += 1) {
    await condition(() => waiting.length > 0);
    const text = waiting.shift() ?? '';
    if (text.startsWith('close')) return notes;
    await call(`apply-${text}`);
    notes.push(text);
  }
  return continueAsNew<typeof diary>(perRun, notes);
}
