// The workflows of the bench (lib/model.ts says what each must return): a number goes through their steps, so that a step that was skipped or
// ran on a wrong input shows in the result.

import {
  condition,
  continueAsNew,
  defineQuery,
  defineSearchAttributeKey,
  defineSignal,
  defineUpdate,
  executeChild,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  setState,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from 'tenuto/workflow';
import { STAGE_ATTRIBUTE, type WorkInput, type WorkResult } from '../lib/model.ts';
import type { Activities } from './activities.ts';

const { advance, grow } = proxyActivities<Activities>({ startToCloseTimeout: '1 minute' });
const { advance: advanceHere } = proxyLocalActivities<Activities>({ startToCloseTimeout: '1 minute' });

export const add = defineSignal('add');
export const end = defineSignal('end');
export const seen = defineQuery<number>('seen');
export const addNow = defineUpdate<number>('addNow');
const STAGE = defineSearchAttributeKey(STAGE_ATTRIBUTE, 'KEYWORD');

/** What the activity made goes through the workflow's code to its result. */
export async function grown(bytes: number): Promise<string> {
  return await grow(bytes);
}

export async function none({ value }: WorkInput): Promise<WorkResult> {
  return { value, n: 0 };
}

export async function sequence({ value, count }: WorkInput): Promise<WorkResult> {
  let at: WorkResult = { value, n: 0 };
  for (let i = 0; i < count; i += 1) at = await advance(at);
  return at;
}

export async function parallel({ value, count }: WorkInput): Promise<WorkResult> {
  const results = await Promise.all(Array.from({ length: count }, (_, n) => advance({ value, n })));
  return { value, n: results.filter((result, i) => result.value === value && result.n === i + 1).length };
}

export async function local({ value, count }: WorkInput): Promise<WorkResult> {
  let at: WorkResult = { value, n: 0 };
  for (let i = 0; i < count; i += 1) at = await advanceHere(at);
  return at;
}

export async function children({ value, count }: WorkInput): Promise<WorkResult> {
  const results = await Promise.all(
    Array.from({ length: count }, (_, i) => executeChild(none, { args: [{ value: `${value}/${i}`, count: 0 }] })),
  );
  return { value, n: results.filter((result, i) => result.value === `${value}/${i}`).length };
}

/** `done` is what the runs before this one add up to. */
export async function continued({ value, count }: WorkInput, done = 0): Promise<WorkResult> {
  if (done < count) await continueAsNew<typeof continued>({ value, count }, done + 1);
  return { value, n: done };
}

export async function timer({ value, count }: WorkInput): Promise<WorkResult> {
  await sleep(count);
  return { value, n: count };
}

export const sleeper = timer;

/** Sleeps until that instant, which must be to come. */
export async function due({ value, count }: WorkInput): Promise<WorkResult> {
  await sleep(Math.max(1, count - Date.now()));
  return { value, n: count };
}

/** Counts until it is told to end. `before` is what the runs before this one counted: a history does not grow without end. */
export async function collector({ value, count }: WorkInput, before = 0): Promise<WorkResult> {
  let n = before;
  let ended = false;
  setHandler(add, () => {
    n += 1;
  });
  setHandler(addNow, () => {
    n += 1;
    return n;
  });
  setHandler(end, () => {
    ended = true;
  });
  setHandler(seen, () => n);
  await condition(() => ended || workflowInfo().continueAsNewSuggested);
  if (!ended) await continueAsNew<typeof collector>({ value, count }, n);
  return { value, n };
}

/** Each upsert in a workflow task of its own. */
export async function searched({ value, count }: WorkInput): Promise<WorkResult> {
  let at: WorkResult = { value, n: 0 };
  while (at.n < count) {
    at = await advance(at);
    upsertSearchAttributes([{ key: STAGE, value: `stage-${at.n}` }]);
  }
  return at;
}

const publish = defineSignal('publish');

/** Publishes 0, and the next number with each signal, until it is told to end. */
export async function publisher(): Promise<void> {
  let n = 0;
  let ended = false;
  setState('n', n);
  setHandler(publish, () => {
    n += 1;
    setState('n', n);
  });
  setHandler(end, () => {
    ended = true;
  });
  await condition(() => ended);
}

export async function long(input: WorkInput): Promise<WorkResult> {
  let ended = false;
  let n = 0;
  setHandler(end, () => {
    ended = true;
  });
  setHandler(seen, () => n);
  let at: WorkResult = { value: input.value, n: 0 };
  for (; n < input.count; n += 1) at = await advance(at);
  await condition(() => ended);
  return at;
}
