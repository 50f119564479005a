// Named streams of deterministic chance: what an interceptor or a library draws from its own stream does not change what the
// workflow's `Math.random()` and `uuid4()` give, so that adding or removing it breaks no replay.

import { currentContext, runWith } from './async-context.ts';
import { assertInWorkflowContext } from './context.ts';
import { type RandomSource, randomUuid } from './random.ts';

export interface WorkflowRandomStream {
  /** As `Math.random()`: in [0, 1). */
  random(): number;
  uuid4(): string;
  /** Fills `bytes` and returns it. */
  fill(bytes: Uint8Array): Uint8Array;
  /**
   * Runs `fn`, and gives what it gives: `Math.random()` and `uuid4()` draw from this stream in it and in what it awaits. Not in what an interceptor calls
   * with `next`: that draws from where it drew before.
   */
  with<T>(fn: () => T): T;
}

function streamOf(source: () => RandomSource): WorkflowRandomStream {
  return {
    random: () => source()(),
    uuid4: () => randomUuid(source()),
    fill: (bytes) => {
      const random = source();
      for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(random() * 256);
      return bytes;
    },
    with: (fn) => {
      source();
      return runWith({ chance: source }, fn);
    },
  };
}

/** The execution's own stream: what `Math.random()` and `uuid4()` draw from unless code runs `with` another. */
export const workflowRandom: WorkflowRandomStream = streamOf(
  () => assertInWorkflowContext('workflowRandom').chance.random,
);

/**
 * The stream of this name: the same one however often it is asked for, drawn from the run's seed and the name.
 *
 * @param name Of a package or module, so that two libraries share none.
 */
export function getRandomStream(name: string): WorkflowRandomStream {
  return streamOf(() => assertInWorkflowContext('getRandomStream()').chance.stream(name));
}

/** What `Math.random()` and `uuid4()` draw from here. @throws IllegalStateError naming `what` was used outside a workflow. */
export function currentRandom(what: string): RandomSource {
  const { chance } = assertInWorkflowContext(what);
  return currentContext()?.chance?.() ?? chance.random;
}
