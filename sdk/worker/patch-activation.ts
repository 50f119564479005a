// A workflow thread asks the main thread whether a patch is to be activated, and waits for the answer: workflow code cannot. The answer is
// in memory both share; the question a message of its own.

import { TypedSearchAttributes } from '../common/search-attributes.ts';
import { errorMessage } from '../common/type-helpers.ts';
import type { WorkflowInfo } from '../workflow/interfaces.ts';
import type { PatchedWorkflowInfo } from '../workflow/patches.ts';

/** @experimental As with Temporal. */
export interface PatchActivationInput {
  /** Of the moment at which the code comes to the patch; a copy. */
  readonly workflowInfo: Readonly<WorkflowInfo>;
  readonly patchId: string;
}

/**
 * Whether a workflow that comes to a patch for the first time takes the new path, and says so in its history. False: it takes the old path and
 * leaves no marker, so a later decision for this workflow is made from its replay anew. Runs on the main thread, which the workflow waits for.
 *
 * @experimental As with Temporal.
 */
export type PatchActivationCallback = (input: PatchActivationInput) => boolean;

/** What the thread sends. */
export interface PatchQuestion {
  patchId: string;
  workflowInfo: PatchedWorkflowInfo;
}

const [PENDING, YES, NO, FAILED] = [0, 1, 2, 3];
/** The answer and the length of an error's text. */
const HEADER_BYTES = 2 * Int32Array.BYTES_PER_ELEMENT;
/** Of an error's text; what is longer is cut. */
const MAX_ERROR_BYTES = 4096;

export const newPatchAnswer = (): SharedArrayBuffer => new SharedArrayBuffer(HEADER_BYTES + MAX_ERROR_BYTES);

/** Arrays, texts and bytes are batches. */
export const isPatchQuestion = (message: object | string): message is PatchQuestion =>
  typeof message === 'object' && 'patchId' in message;

/** The thread's side. @throws Error with what the callback said when it threw. */
export function askWhetherToPatch(
  port: { postMessage(question: PatchQuestion): void },
  shared: SharedArrayBuffer,
  question: PatchQuestion,
): boolean {
  const header = new Int32Array(shared, 0, 2);
  Atomics.store(header, 0, PENDING);
  port.postMessage(question);
  Atomics.wait(header, 0, PENDING);
  const answer = Atomics.load(header, 0);
  if (answer !== FAILED) return answer === YES;
  // A decoder takes no shared memory.
  const text = new Uint8Array(shared, HEADER_BYTES, Atomics.load(header, 1)).slice();
  throw new Error(new TextDecoder().decode(text));
}

/** The main thread's side. */
export function answerWhetherToPatch(
  callback: PatchActivationCallback,
  shared: SharedArrayBuffer,
  question: PatchQuestion,
): void {
  const header = new Int32Array(shared, 0, 2);
  let answer = FAILED;
  try {
    answer = decide(callback, question) ? YES : NO;
  } catch (error) {
    const text = `${error instanceof Error ? `${error.name}: ` : ''}${errorMessage(error) ?? String(error)}`;
    const encoded = new TextEncoder().encode(text).subarray(0, MAX_ERROR_BYTES);
    new Uint8Array(shared, HEADER_BYTES).set(encoded);
    Atomics.store(header, 1, encoded.length);
  }
  Atomics.store(header, 0, answer);
  Atomics.notify(header, 0);
}

/** @throws TypeError for an answer that is neither true nor false. */
function decide(callback: PatchActivationCallback, { workflowInfo, patchId }: PatchQuestion): boolean {
  const info: WorkflowInfo = {
    ...workflowInfo,
    typedSearchAttributes: new TypedSearchAttributes(workflowInfo.typedSearchAttributes),
    unsafe: {
      ...workflowInfo.unsafe,
      now: () => Date.now(),
      random: {
        random: () => Math.random(),
        uuid4: () => crypto.randomUUID(),
        fillRandom: (bytes) => crypto.getRandomValues(bytes),
      },
    },
  };
  const answer: unknown = callback(Object.freeze({ workflowInfo: Object.freeze(info), patchId }));
  if (typeof answer !== 'boolean') {
    throw new TypeError(`patchActivationCallback must return a boolean, got ${typeof answer}`);
  }
  return answer;
}
