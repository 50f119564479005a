import { CancellationScope, condition, defineSignal, isCancellation, setHandler, sleep } from 'tenuto/workflow';
import { attempt } from './failures.js';

export const nudge = defineSignal('nudge');

export async function timer(ms, options) {
  await sleep(ms, options);
  return 'fired';
}

export async function timersTogether(ms, n) {
  const fired = [];
  await Promise.all(Array.from({ length: n }, (_, i) => sleep(ms).then(() => fired.push(i))));
  return fired;
}

export async function timersInTurn(delays) {
  const fired = [];
  await Promise.all(delays.map((ms) => sleep(ms).then(() => fired.push(ms))));
  return fired;
}

/** Cancels a long timer on the signal `nudge`. */
export async function cancelTimer() {
  const scope = new CancellationScope();
  let nudged = false;
  setHandler(nudge, () => void (nudged = true));
  const outcome = scope.run(() => attempt(() => sleep('1 hour')));
  await condition(() => nudged);
  scope.cancel();
  return outcome;
}

export async function cancelTimerAtOnce() {
  const scope = new CancellationScope();
  const pending = scope.run(() => sleep('1 hour')).catch((err) => isCancellation(err));
  scope.cancel();
  return pending;
}

/** Cancels a timer only after another has fired, so the commands lie in different workflow tasks. */
export async function raceTimers(shortMs, longMs) {
  const scope = new CancellationScope();
  const long = scope.run(() => attempt(() => sleep(longMs)));
  await sleep(shortMs);
  scope.cancel();
  return long;
}

export async function conditionWithTimeout(ms) {
  let nudged = false;
  setHandler(nudge, () => void (nudged = true));
  return condition(() => nudged, ms);
}
