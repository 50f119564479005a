// How much credit a worker has open at a time: what Temporal's workers say as a number of polls (`workflowTaskPollerBehavior` …). A poll there is one
// credit here, without a request under way for it. Used by the session; `CreditWindow` is pure.
//
// The server's hint is in each task: when it was scheduled, and when it was started. One that met credit was started at once; one that was started
// later has waited for it, so more may be waiting.

export interface PollerBehaviorSimpleMaximum {
  type: 'simple-maximum';
  /** At least 1; of workflow tasks at least 2 where executions are kept warm. Default: all free slots, where their number is fixed; else 10. */
  maximum?: number;
}

export interface PollerBehaviorAutoscaling {
  type: 'autoscaling';
  /** Kept open also when nothing comes. Default: 1. */
  minimum?: number;
  /** Default: 100. */
  maximum?: number;
  /** Within `minimum` and `maximum`. Default: 5. */
  initial?: number;
}

export type PollerBehavior = PollerBehaviorSimpleMaximum | PollerBehaviorAutoscaling;

export interface CompiledPollerBehavior {
  readonly minimum: number;
  readonly initial: number;
  readonly maximum: number;
}

/** Slots of a supplier that are reserved ahead, when nothing else is said. */
export const DEFAULT_AHEAD = 10;
/** A task that was started so long after it was scheduled has waited for credit; ms. Less is the way between two nodes. */
const WAITED_MS = 20;

/** @throws TypeError naming the option that cannot be meant. */
export function compilePollers(
  option: string,
  behavior: PollerBehavior | undefined,
  slots: 'fixed' | 'supplied',
): CompiledPollerBehavior {
  const whole = slots === 'fixed' ? Number.POSITIVE_INFINITY : DEFAULT_AHEAD;
  if (behavior?.type !== 'autoscaling') {
    const maximum = behavior?.maximum ?? whole;
    if (maximum !== Number.POSITIVE_INFINITY) count(`${option}.maximum`, maximum, 1);
    return { minimum: maximum, initial: maximum, maximum };
  }
  const minimum = count(`${option}.minimum`, behavior.minimum ?? 1, 1);
  const maximum = count(`${option}.maximum`, behavior.maximum ?? Math.max(100, minimum), minimum);
  const initial = count(`${option}.initial`, behavior.initial ?? Math.min(Math.max(5, minimum), maximum), minimum);
  if (initial > maximum) throw new TypeError(`WorkerOptions.${option}.initial is above its maximum, ${maximum}`);
  return { minimum, initial, maximum };
}

export class CreditWindow {
  /** Credit that may be open now. */
  size: number;
  readonly #behavior: CompiledPollerBehavior;
  /** Least credit open since the last look. */
  #least = Number.POSITIVE_INFINITY;

  constructor(behavior: CompiledPollerBehavior) {
    this.#behavior = behavior;
    this.size = behavior.initial;
  }

  get isScaled(): boolean {
    return this.#behavior.minimum < this.#behavior.maximum;
  }

  /** A task came. @param waitedMs From scheduled to started. @returns Whether more may be open than before. */
  taken(waitedMs: number, outstanding: number): boolean {
    this.#least = Math.min(this.#least, outstanding);
    if (waitedMs < WAITED_MS || this.size >= this.#behavior.maximum) return false;
    this.size += 1;
    return true;
  }

  /** Once in a while: half of the credit that lay unused all the time since the last look is too much. @returns Whether less may be open than before. */
  look(outstanding: number): boolean {
    const unused = Math.min(this.#least, outstanding);
    this.#least = outstanding;
    const size = Math.max(this.#behavior.minimum, this.size - Math.ceil(unused / 2));
    if (size >= this.size) return false;
    this.size = size;
    return true;
  }
}

function count(name: string, value: number, minimum: number): number {
  if (!Number.isInteger(value) || value < minimum) {
    throw new TypeError(`WorkerOptions.${name} must be an integer of at least ${minimum}, got ${value}`);
  }
  return value;
}
