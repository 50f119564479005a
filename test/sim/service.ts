// The outside world that activities change: it outlives every crash. How a call goes is decided by the seed and the call's own name, so that it
// does not depend on what happened before; what it did is remembered, and the checkers compare.

import { asyncLocalStorage } from '../../sdk/activity/context.ts';
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

/** One attempt at an activity, whoever runs it. */
export interface Attempt {
  /** Undefined: of no workflow. */
  readonly workflow: { readonly workflowId: string; readonly runId: string } | undefined;
  readonly activityId: string;
  readonly attempt: number;
  /** Of an earlier attempt. */
  readonly heartbeatDetails: unknown;
  /** Rejects when the attempt is told to stop. */
  sleep(ms: number): Promise<void>;
  heartbeat(details: unknown): void;
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
      call: (key) => this.call(current(), key),
      work: (key, units) => this.work(current(), key, units),
      quick: (key) => this.#quick(key),
    };
  }

  #begin({ workflow, attempt }: Attempt, key: string): SeededRandom {
    const id = `${workflow?.workflowId} ${workflow?.runId} ${key}`;
    this.begun.set(id, (this.begun.get(id) ?? 0) + 1);
    return new SeededRandom(`${this.#seed} ${workflow?.workflowId} ${key} ${attempt}`);
  }

  #end({ workflow, activityId }: Attempt, key: string): Effect {
    this.#executions += 1;
    // Without a workflow: where its actor lives.
    const workflowId = workflow?.workflowId ?? activityAddress(activityId);
    this.done.set(this.#executions, { workflowId, key });
    return { key, execution: this.#executions };
  }

  async call(attempt: Attempt, key: string): Promise<Effect> {
    const random = this.#begin(attempt, key);
    await pause(random.next() ** 4 * 300);
    if (!this.calm && random.chance(0.2)) throw ApplicationFailure.retryable(`the service is busy with ${key}`, 'Busy');
    // Answers when its attempt has long timed out.
    if (!this.calm && random.chance(0.05)) await stall(attempt, random);
    return this.#end(attempt, key);
  }

  async work(attempt: Attempt, key: string, units: number): Promise<Effect> {
    const random = this.#begin(attempt, key);
    // Written by this very function in an earlier attempt.
    let unit = (attempt.heartbeatDetails as number | undefined) ?? 0;
    while (unit < units) {
      await attempt.sleep(100);
      unit += 1;
      attempt.heartbeat(unit);
      if (!this.calm && random.chance(0.05)) throw ApplicationFailure.retryable(`dropped ${key} at ${unit}`);
      // No heartbeat any more: its timeout decides.
      if (!this.calm && random.chance(0.02)) await stall(attempt, random);
    }
    return this.#end(attempt, key);
  }

  async #quick(key: string): Promise<string> {
    const random = this.#begin(current(), key);
    await pause(random.next() * 20);
    if (!this.calm && random.chance(0.2)) throw ApplicationFailure.retryable(`not now: ${key}`);
    return key;
  }
}

function current(): Attempt {
  const context = asyncLocalStorage.getStore();
  if (context === undefined) throw new Error('called outside of an activity');
  const { workflowExecution: workflow, activityId, attempt, heartbeatDetails } = context.info;
  return {
    ...{ workflow, activityId, attempt, heartbeatDetails },
    sleep: (ms) => context.sleep(ms),
    heartbeat: (details) => context.heartbeat(details),
  };
}

/** Longer than the attempt may take, unless it is told to stop: the end of that attempt may never be heard of here. */
const stall = (attempt: Attempt, random: SeededRandom): Promise<void> => attempt.sleep(random.between(2_500, 9_000));

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
