// Who is called back when a workflow has closed, and what must hold of that: nobody is called before the run that closes the chain has durably done so,
// every attempt has the same id, and in the end each has been called with success, however often it took. Calls come to the receiver here, which is away
// now and then, and whose answers get lost.

import type { CallbackAnswer, CallbackRequest, CallbackSender } from '../../../src/ports/callbacks.ts';
import { type Kernel, Violation } from '../kernel.ts';
import type { SeededRandom } from '../random.ts';
import type { TrueRun } from '../truth.ts';

const ORIGIN = 'http://receiver/';
const FAILS_SHARE = 0.3;
const SILENT_SHARE = 0.3;

export const callbackUrl = (workflowId: string): string => ORIGIN + workflowId;

/** As a node's process sends: a network away. Where nothing is heard, it gives up after its own while. */
export function callbacksOf(
  kernel: Kernel,
  inProcess: (work: () => void) => void,
  watch: CallbackWatch,
): CallbackSender {
  const random = watch.random;
  return {
    send: (request, done) => {
      kernel.after(random.between(0.5, 20), 'callback', () => {
        const say = watch.called(request);
        const [ms, answer] =
          say === undefined
            ? [request.timeoutMs, { failure: { message: 'no answer', retryable: true } }]
            : [random.next() ** 3 * 3_000, say];
        kernel.after(ms, 'callback answered', () => inProcess(() => done(answer)));
      });
    },
  };
}

export class CallbackWatch {
  readonly #runsOf: (workflowId: string) => readonly TrueRun[];
  readonly random: SeededRandom;
  /** By workflow: the id of its callback; undefined before the first call. */
  readonly #expected = new Map<string, string | undefined>();
  readonly #told = new Set<string>();
  readonly seen = new Set<string>();
  /** Everything is healed: it answers. */
  calm = false;

  constructor(runsOf: (workflowId: string) => readonly TrueRun[], random: SeededRandom) {
    this.#runsOf = runsOf;
    this.random = random;
  }

  /** A workflow is started that asks for it. */
  expect(workflowId: string): void {
    if (!this.#expected.has(workflowId)) this.#expected.set(workflowId, undefined);
  }

  /** What comes of a call; undefined: nothing is ever heard. */
  called({ url, callbackId, attempt }: CallbackRequest): CallbackAnswer | undefined {
    const workflowId = url.slice(ORIGIN.length);
    const where = `callback ${callbackId} of ${workflowId}, attempt ${attempt},`;
    if (!this.#expected.has(workflowId)) throw new Violation('I5', `${where} is one that nobody asked for`);
    if (this.#runsOf(workflowId).at(-1)?.closed === undefined)
      throw new Violation('I1', `${where} is called, and its workflow has not durably closed`);
    const before = this.#expected.get(workflowId);
    if (before !== undefined && before !== callbackId)
      throw new Violation('I5', `${where} had the id ${before} before`);
    this.#expected.set(workflowId, callbackId);
    if (attempt > 1) this.seen.add('a callback was tried again');
    const draw = this.calm ? 1 : this.random.next();
    if (draw < FAILS_SHARE) return { failure: { message: 'the receiver is away', retryable: true } };
    this.#told.add(workflowId);
    this.seen.add('a callback was made');
    return draw < FAILS_SHARE + SILENT_SHARE ? undefined : {};
  }

  /** Whoever is still to be told. */
  get owed(): string[] {
    return [...this.#expected.keys()].filter((workflowId) => !this.#told.has(workflowId));
  }
}
