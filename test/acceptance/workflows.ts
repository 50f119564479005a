// Workflows of the acceptance tests.

import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  currentUpdateInfo,
  defineQuery,
  defineSearchAttributeKey,
  defineSignal,
  defineUpdate,
  HandlerUnfinishedPolicy,
  proxyActivities,
  setCurrentDetails,
  setDefaultQueryHandler,
  setDefaultSignalHandler,
  setDefaultUpdateHandler,
  setHandler,
  setState,
  sleep,
  startChild,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from 'tenuto/workflow';

interface Activities {
  greet(name: string): Promise<string>;
  nobodyHasThis(): Promise<void>;
  breakDown(): Promise<void>;
  slowly(): Promise<number>;
  large(bytes: number): Promise<string>;
}

const { greet, slowly } = proxyActivities<Activities>({ startToCloseTimeout: '30s', heartbeatTimeout: '1s' });
const { nobodyHasThis, large, breakDown } = proxyActivities<Activities>({
  startToCloseTimeout: '10s',
  retry: { maximumAttempts: 1 },
});

export async function hello(name: string): Promise<string> {
  return await greet(name);
}

export async function echo<T>(value: T): Promise<T> {
  return value;
}

const approve = defineSignal<[string]>('approve');
const state = defineQuery<string>('state');

export async function approval(): Promise<string> {
  let answer: string | undefined;
  setHandler(approve, (given) => {
    answer = given;
  });
  setHandler(state, () => answer ?? 'waiting');
  await condition(() => answer !== undefined);
  return answer ?? '';
}

const add = defineSignal<[number]>('add');
const finish = defineSignal('finish');

/** The sum of what was signalled, at the end. */
export async function sum(): Promise<number> {
  let total = 0;
  let over = false;
  setHandler(add, (n) => {
    total += n;
  });
  setHandler(finish, () => {
    over = true;
  });
  await condition(() => over);
  return total;
}

export async function fails(message: string): Promise<never> {
  throw ApplicationFailure.nonRetryable(message, 'Refused');
}

export async function breaks(): Promise<void> {
  await breakDown();
}

export async function unregistered(): Promise<void> {
  await nobodyHasThis();
}

export async function tooLarge(bytes: number): Promise<string> {
  return await large(bytes);
}

/** One more than a workflow may have pending at once. */
export async function tooMany(count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => slowly()));
}

export async function beating(): Promise<number> {
  return await slowly();
}

export async function endlessLoop(): Promise<never> {
  for (;;);
}

/** Six events for each greeting. */
export async function manyGreetings(times: number): Promise<string> {
  let last = '';
  for (let i = 0; i < times; i += 1) last = await greet(String(i));
  return last;
}

let counter = 0;

/** What each execution sees of what the others wrote, before and after a task boundary. */
export async function leaks(): Promise<{ counter: number; seen: unknown[]; outcomes: string[] }> {
  counter += 1;
  const world = globalThis as Record<string, unknown>;
  const seen: unknown[] = [world.leaked ?? 'none', ([] as unknown as Record<string, unknown>).leaked ?? 'none'];
  world.leaked = 'global';
  const outcomes = [Array.prototype, Object.prototype, Promise.prototype, String.prototype].map((prototype) => {
    try {
      Object.assign(prototype, { leaked: 'prototype' });
      return 'written';
    } catch {
      return 'refused';
    }
  });
  await sleep(20);
  seen.push(world.leaked);
  return { counter, seen, outcomes };
}

const CITY = defineSearchAttributeKey('City', 'KEYWORD');
const AMOUNT = defineSearchAttributeKey('Amount', 'INT');
const visit = defineSignal<[string]>('visit');
const goOn = defineSignal('goOn');
const seen = defineQuery<Record<string, unknown>>('seen');

/** Found by where it is; its luggage stays in Rome. */
export async function itinerary(leg = 1): Promise<void> {
  let over = false;
  setHandler(visit, (city) => {
    upsertSearchAttributes([
      { key: CITY, value: city },
      { key: AMOUNT, value: null },
    ]);
    upsertSearchAttributes({ Tags: [city] });
    upsertMemo({ gone: null, last: city });
  });
  setHandler(goOn, () => {
    over = true;
  });
  setHandler(seen, () => ({ ...workflowInfo().searchAttributes, memo: workflowInfo().memo }));
  await condition(() => over);
  if (leg > 1) return;
  await startChild(approval, {
    workflowId: `${workflowInfo().workflowId}/luggage`,
    parentClosePolicy: 'ABANDON',
    typedSearchAttributes: [{ key: CITY, value: 'Rome' }],
  });
  await continueAsNew<typeof itinerary>(leg + 1);
}

export async function upsertNobody(): Promise<string> {
  upsertSearchAttributes({ Nobody: ['x'] });
  await sleep(1);
  return 'done';
}

export const addItem = defineUpdate<number, [string]>('addItem');
export const greetItem = defineUpdate<string, [string]>('greetItem');
export const hang = defineUpdate<void>('hang');
export const who = defineUpdate<unknown[]>('who');
export const bug = defineUpdate<void>('bug');
export const items = defineQuery<string[]>('items');
export const checkOut = defineSignal<[string]>('checkOut');

/** Takes items by update until it is checked out: `finished` waits for its handlers, `abandoned` and `again` do not. */
export async function cart(before: string[] = []): Promise<string[]> {
  const list = [...before];
  let how: string | undefined;
  setHandler(items, () => list);
  setHandler(checkOut, (given) => {
    how = given;
  });
  setHandler(addItem, (item) => list.push(item), {
    description: 'puts an item into the cart',
    validator: (item) => {
      if (item === '') throw ApplicationFailure.create({ message: 'an item needs a name', type: 'Nameless' });
      if (item === 'sleeping') void sleep(1);
      if (list.includes(item)) throw ApplicationFailure.create({ message: `${item} is there`, type: 'Twice' });
    },
  });
  setHandler(greetItem, async (item) => {
    const greeting = await greet(item);
    list.push(greeting);
    return greeting;
  });
  setHandler(hang, () => condition(() => false), { unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON });
  setHandler(who, async () => {
    const first = currentUpdateInfo();
    await sleep(1);
    const inScope = await CancellationScope.nonCancellable(async () => currentUpdateInfo());
    return [first, inScope, currentUpdateInfo()];
  });
  setHandler(bug, () => {
    if (workflowInfo().unsafe.isReplaying) return;
    throw new TypeError('a bug of the handler');
  });
  setCurrentDetails(`${list.length} items at first`);
  await condition(() => how !== undefined && (how !== 'finished' || allHandlersFinished()));
  if (how === 'again') await continueAsNew<typeof cart>(list);
  if (currentUpdateInfo() !== undefined) throw new Error('the workflow itself is no update');
  return list;
}

/** Everything that nobody has a handler for. */
export async function anything(): Promise<string[]> {
  const seen: string[] = [];
  setDefaultSignalHandler((name, ...args) => {
    seen.push(`signal ${name} ${args.join()}`);
  });
  setDefaultQueryHandler((name, ...args) => `query ${name} ${args.join()}`);
  setDefaultUpdateHandler(async (name, ...args) => {
    await sleep(1);
    seen.push(`update ${name} ${args.join()}`);
    return seen.length;
  });
  await condition(() => seen.some((line) => line.startsWith('signal stop')));
  return seen;
}

/** A thousand signals, a hundred a run. */
export async function relay(total: number, perRun: number, before: number[]): Promise<number[]> {
  const all = [...before];
  const waiting: number[] = [];
  setHandler(add, (n) => {
    waiting.push(n);
  });
  let taken = 0;
  while (all.length < total && (taken < perRun || waiting.length > 0)) {
    await condition(() => waiting.length > 0);
    all.push(waiting.shift() ?? -1);
    taken += 1;
  }
  if (all.length < total) await continueAsNew<typeof relay>(total, perRun, all);
  return all;
}

/** An activity on a queue of its own. */
export async function elsewhere(taskQueue: string): Promise<string> {
  const acts = proxyActivities<Activities>({ startToCloseTimeout: '30s', taskQueue });
  return await acts.greet('nobody');
}

const ship = defineSignal('ship');

/** Publishes each thing it does, then waits; changes nothing but what others see. */
export async function packing(items: string[]): Promise<string> {
  let shipped = false;
  setHandler(ship, () => {
    shipped = true;
  });
  for (const [n, item] of items.entries()) setState('packed', { done: n + 1, last: item });
  setState('step', 'packed');
  upsertMemo({ note: 'fragile' });
  await condition(() => shipped, '3 days');
  setState('step', 'shipped');
  return 'gone';
}
