import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
} from 'tenuto/workflow';

export const add = defineSignal('add');
export const finish = defineSignal('finish');
export const total = defineQuery('total');
export const explode = defineQuery('explode');
export const addUpdate = defineUpdate('addUpdate');
export const failUpdate = defineUpdate('failUpdate');
export const slowUpdate = defineUpdate('slowUpdate');

const { echoAfter } = proxyActivities({ startToCloseTimeout: '10s', retry: { maximumAttempts: 1 } });

/** Collects what signals and updates add; ends on `finish`. */
export async function collector(expected = Infinity) {
  const items = [];
  let finished = false;
  setHandler(add, (item) => void items.push(item));
  setHandler(finish, () => void (finished = true));
  setHandler(total, () => items);
  setHandler(explode, () => {
    throw new Error('the query handler throws');
  });
  setHandler(addUpdate, (item) => items.push(item), { validator: rejectNegative });
  setHandler(failUpdate, (message) => {
    throw ApplicationFailure.create({ message, type: 'UpdateFailed', details: [{ why: 'told to' }] });
  });
  setHandler(slowUpdate, async (ms, value) => {
    items.push(`begun ${value}`);
    const echoed = await echoAfter(ms, value);
    items.push(`done ${echoed}`);
    return echoed;
  });
  await condition(() => (finished || items.length >= expected) && allHandlersFinished());
  return items;
}

function rejectNegative(item) {
  if (typeof item === 'number' && item < 0)
    throw ApplicationFailure.create({ message: `negative: ${item}`, type: 'Negative' });
}

/** Sets its signal handler only after a timer. */
export async function lateHandler(ms) {
  const items = [];
  await sleep(ms);
  setHandler(add, (item) => void items.push(item));
  await condition(() => items.length > 0);
  return items;
}

const local = proxyLocalActivities({ startToCloseTimeout: '5s' });

/** A local activity signals this very workflow, so the signal comes while the workflow task runs. */
export async function signalledWhileRunning() {
  const items = [];
  setHandler(add, (item) => void items.push(item));
  const report = await local.signalOwnWorkflow('add', 'from within');
  const seenInTask = items.length;
  await condition(() => items.length > 0);
  return { report, seenInTask, items };
}

/** The same, but the workflow completes in that task: the completion has to be refused. */
export async function completesOverSignal() {
  const items = [];
  setHandler(add, (item) => void items.push(item));
  await local.signalOwnWorkflow('add', 'just in time');
  return items;
}

/** Returns while an update is still waiting for its (long) activity. */
export async function endsOverUpdate() {
  let accepted = false;
  setHandler(slowUpdate, async (ms, value) => {
    accepted = true;
    return echoAfter(ms, value);
  });
  await condition(() => accepted);
  await sleep(200);
  return 'ended first';
}
