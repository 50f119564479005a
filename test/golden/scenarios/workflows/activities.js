import {
  CancellationScope,
  condition,
  defineSignal,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
} from 'tenuto/workflow';
import { attempt } from './failures.js';

export const cancelIt = defineSignal('cancelIt');

/** @typedef {{ name: string, args?: unknown[], options: object }} Call */

const call = ({ name, args = [], options }) => proxyActivities(options)[name](...args);
const callLocally = ({ name, args = [], options }) => proxyLocalActivities(options)[name](...args);

/** Returns the activity's result or the description of its failure. */
export async function runActivity(activity) {
  return attempt(() => call(activity));
}

/** Lets a failure of the activity fail the workflow. */
export async function requireActivity(activity) {
  return call(activity);
}

export async function runActivities(activities) {
  return Promise.all(activities.map((activity) => attempt(() => call(activity))));
}

export async function runInSequence(activities) {
  const outcomes = [];
  for (const activity of activities) outcomes.push(await attempt(() => call(activity)));
  return outcomes;
}

/** Cancels the activity on the signal `cancelIt`. */
export async function cancelActivity(activity) {
  const scope = new CancellationScope();
  let told = false;
  setHandler(cancelIt, () => void (told = true));
  const outcome = scope.run(() => attempt(() => call(activity)));
  await condition(() => told);
  scope.cancel();
  return outcome;
}

/** Schedules and cancels within one workflow task. */
export async function cancelActivityAtOnce(activity) {
  const scope = new CancellationScope();
  const outcome = scope.run(() => attempt(() => call(activity)));
  scope.cancel();
  return outcome;
}

export async function runLocalActivity(activity) {
  return attempt(() => callLocally(activity));
}

export async function runLocalActivitiesAroundTimer(activity) {
  const before = await callLocally(activity);
  await sleep(100);
  return [before, await callLocally(activity)];
}
