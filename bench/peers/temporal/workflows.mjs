// The bench's workflows (lib/model.ts says what each must return) for Temporal's own SDK, the same as those of Tenuto.

import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';

const { advance } = proxyActivities({ startToCloseTimeout: '1 minute' });
const { advance: advanceHere } = proxyLocalActivities({ startToCloseTimeout: '1 minute' });

export async function none({ value }) {
  return { value, n: 0 };
}

export async function sequence({ value, count }) {
  let at = { value, n: 0 };
  for (let i = 0; i < count; i += 1) at = await advance(at);
  return at;
}

export async function parallel({ value, count }) {
  const results = await Promise.all(Array.from({ length: count }, (_, n) => advance({ value, n })));
  return { value, n: results.filter((result, i) => result.value === value && result.n === i + 1).length };
}

export async function local({ value, count }) {
  let at = { value, n: 0 };
  for (let i = 0; i < count; i += 1) at = await advanceHere(at);
  return at;
}

export async function children({ value, count }) {
  const results = await Promise.all(
    Array.from({ length: count }, (_, i) => executeChild(none, { args: [{ value: `${value}/${i}`, count: 0 }] })),
  );
  return { value, n: results.filter((result, i) => result.value === `${value}/${i}`).length };
}

/** `done` is what the runs before this one add up to. */
export async function continued({ value, count }, done = 0) {
  if (done < count) await continueAsNew({ value, count }, done + 1);
  return { value, n: done };
}

export async function timer({ value, count }) {
  await sleep(count);
  return { value, n: count };
}

const add = defineSignal('add');
const end = defineSignal('end');
const seen = defineQuery('seen');
const addNow = defineUpdate('addNow');

/** `before` is what the runs before this one counted. */
export async function collector({ value, count }, before = 0) {
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
  if (!ended) await continueAsNew({ value, count }, n);
  return { value, n };
}
