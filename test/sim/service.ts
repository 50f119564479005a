// The outside world that activities change: it outlives every crash. How a call goes is decided by the seed and the call's own name, so that it
// does not depend on what happened before; what it did is remembered, and the checkers compare.

import { asyncLocalStorage, type Context } from '../../sdk/activity/context.ts';
import { ApplicationFailure } from '../../sdk/common/failure.ts';
import { activityAddress } from '../../src/wire/activity-address.ts';
import { SeededRandom } from './random.ts';

/** One execution of an activity that came to its end. */
export interface Effect {
  key: string;
  /** Unique among all executions. */
  execution: number;
}

export interface ServiceActivities {
  call(key: string): Promise<Effect>;
  work(key: string, units: number): Promise<Effect>;
  quick(key: string): Promise<string>;
}

export class Service {
  readonly #seed: number;
  #executions = 0;
  /** Begun, by workflow run and key. */
  readonly begun = new Map<string, number>();
  /** Ended well: execution → what and where. */
  readonly done = new Map<number, { workflowId: string; key: string }>();
  /** From here on everything goes well. */
  calm = false;

  constructor(seed: number) {
    this.#seed = seed;
  }

  activities(): ServiceActivities {
    return {
      call: (key) => this.#call(key),
      work: (key, units) => this.#work(key, units),
      quick: (key) => this.#quick(key),
    };
  }

  #begin(context: Context, key: string): SeededRandom {
    const { workflowExecution, attempt } = context.info;
    const id = `${workflowExecution?.workflowId} ${workflowExecution?.runId} ${key}`;
    this.begun.set(id, (this.begun.get(id) ?? 0) + 1);
    return new SeededRandom(`${this.#seed} ${workflowExecution?.workflowId} ${key} ${attempt}`);
  }

  #end(context: Context, key: string): Effect {
    this.#executions += 1;
    const { workflowExecution } = context.info;
    // Without a workflow: where its actor lives.
    const workflowId = workflowExecution?.workflowId ?? activityAddress(context.info.activityId);
    this.done.set(this.#executions, { workflowId, key });
    return { key, execution: this.#executions };
  }

  async #call(key: string): Promise<Effect> {
    const context = current();
    const random = this.#begin(context, key);
    await pause(random.next() ** 4 * 300);
    if (!this.calm && random.chance(0.2)) throw ApplicationFailure.retryable(`the service is busy with ${key}`, 'Busy');
    // Answers when its attempt has long timed out.
    if (!this.calm && random.chance(0.05)) await stall(context, random);
    return this.#end(context, key);
  }

  async #work(key: string, units: number): Promise<Effect> {
    const context = current();
    const random = this.#begin(context, key);
    // Written by this very function in an earlier attempt.
    let unit = (context.info.heartbeatDetails as number | undefined) ?? 0;
    while (unit < units) {
      await context.sleep(100);
      unit += 1;
      context.heartbeat(unit);
      if (!this.calm && random.chance(0.05)) throw ApplicationFailure.retryable(`dropped ${key} at ${unit}`);
      // No heartbeat any more: its timeout decides.
      if (!this.calm && random.chance(0.02)) await stall(context, random);
    }
    return this.#end(context, key);
  }

  async #quick(key: string): Promise<string> {
    const random = this.#begin(current(), key);
    await pause(random.next() * 20);
    if (!this.calm && random.chance(0.2)) throw ApplicationFailure.retryable(`not now: ${key}`);
    return key;
  }
}

function current(): Context {
  const context = asyncLocalStorage.getStore();
  if (context === undefined) throw new Error('called outside of an activity');
  return context;
}

/** Longer than the attempt may take, unless it is told to stop: the end of that attempt may never be heard of here. */
const stall = (context: Context, random: SeededRandom): Promise<void> => context.sleep(random.between(2_500, 9_000));

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
