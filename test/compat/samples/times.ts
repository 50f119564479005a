// Timers and polling: a timer that is told of progress, one whose deadline moves, asking often, seldom, and in rounds that are children.

import {
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  executeChild,
  proxyActivities,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import type { Activities } from './activities.ts';

const { slowStep, notify, greet } = proxyActivities<Activities>({ startToCloseTimeout: '1 minute' });
const { pollFrequently } = proxyActivities<Activities>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '2 seconds',
});
const { pollOnce } = proxyActivities<Activities>({
  startToCloseTimeout: '2 seconds',
  retry: { backoffCoefficient: 1, initialInterval: '1 minute' },
});

/** Somebody is told when it takes long. */
export async function progressTimer(workMs: number, patienceMs: number): Promise<string> {
  const scope = new CancellationScope();
  let late = false;
  const processing = slowStep(workMs);
  const told = scope.run(async () => {
    await sleep(patienceMs);
    late = true;
    await notify('late');
  });
  const result = await processing;
  scope.cancel();
  await told.catch(() => {});
  return late ? `${result}, late` : result;
}

/** Can be awaited; moves with its deadline. */
export class UpdatableTimer implements PromiseLike<void> {
  #updated = false;
  #deadline: number;
  readonly #done: Promise<void>;

  constructor(deadline: number) {
    this.#deadline = deadline;
    this.#done = this.#run();
    this.#done.catch(() => {});
  }

  async #run(): Promise<void> {
    do this.#updated = false;
    while (await condition(() => this.#updated, this.#deadline - Date.now()));
  }

  // biome-ignore lint/suspicious/noThenProperty: what makes it a promise
  then<A = void, B = never>(
    // biome-ignore lint/suspicious/noConfusingVoidType: of PromiseLike<void>
    onfulfilled?: ((value: void) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): PromiseLike<A | B> {
    return this.#done.then(onfulfilled, onrejected);
  }

  get deadline(): number {
    return this.#deadline;
  }
  set deadline(value: number) {
    this.#deadline = value;
    this.#updated = true;
  }
}

export const setDeadline = defineSignal<[number]>('setDeadline');
export const timeLeft = defineQuery<number>('timeLeft');

export async function countdownTimer(initialMs: number): Promise<string> {
  const timer = new UpdatableTimer(Date.now() + initialMs);
  setHandler(setDeadline, (ms) => {
    timer.deadline = Date.now() + ms;
  });
  setHandler(timeLeft, () => timer.deadline - Date.now());
  await timer;
  return 'countdown done';
}

export async function pollingFrequently(id: string): Promise<string> {
  return await pollFrequently(id);
}

export async function pollingSeldom(id: string): Promise<string> {
  return await pollOnce(id);
}

export async function pollingPeriodically(id: string): Promise<string> {
  return await executeChild(pollingRound, { args: [id, 0] });
}

/** Continues as new after each round, so its history stays small. */
export async function pollingRound(id: string, round: number): Promise<string> {
  if ((await notify(id)) >= 3) return `there in round ${round}`;
  await sleep('10 milliseconds');
  return await continueAsNew<typeof pollingRound>(id, round + 1);
}

export async function scheduled(said: string): Promise<string> {
  return await greet(said);
}
