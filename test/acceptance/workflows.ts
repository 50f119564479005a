// Workflows of the acceptance tests.

import {
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSearchAttributeKey,
  defineSignal,
  proxyActivities,
  setHandler,
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
