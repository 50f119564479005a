// Signs of life of long activities: what a worker was told is kept is what the next attempt begins with, whoever leads by then. Of one attempt they are said one
// after the other, and none after one that brought no answer: it may still be on its way, and would count after the next. Used by worker.ts.

import { jsonPayloads } from '../../../src/core/workflow/fields.ts';
import type { Message } from '../../../src/core/workflow/message.ts';
import type { Delivery } from '../../../src/ports/matching.ts';
import type { Status } from '../../../src/wire/status.ts';
import { Violation } from '../kernel.ts';
import { SeededRandom } from '../random.ts';
import type { WorkerWorld } from './worker.ts';
import { jsonOf } from './workflows.ts';

type ActivityTask = Extract<Delivery, { kind: 'activity' }>;

/** By attempt: how far it is known to be kept, and how far it may be. */
interface Said {
  kept: number;
  said: number;
}

/** ms between two; a third of the timeout. */
const BEAT_MS = 500;
/** ms after which an answer does not come any more. */
const ANSWER_MS = 4_000;
/** Of signs of life: the worker says none after it, and does nothing more. */
const SILENT = 0.08;
const FAILS = 0.05;

export class Heartbeats {
  /** By workflow. */
  readonly #said = new Map<string, Map<number, Said>>();
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(`cluster heartbeats ${seed}`);
  }

  /**
   * An attempt is with a worker.
   *
   * @returns how far the one before has come
   */
  begun({ workflowId, started }: ActivityTask, reached: WorkerWorld['reached']): number {
    const { attempt, heartbeatDetails } = started.task;
    const from = Number(jsonOf(heartbeatDetails) ?? 0);
    const attempts = this.#said.get(workflowId) ?? new Map<number, Said>();
    this.#said.set(workflowId, attempts);
    const own = attempts.get(attempt) ?? { kept: 0, said: 0 };
    attempts.set(attempt, own);
    // A start that came to nothing is undone, and the same attempt begins again: who held it may have said something meanwhile.
    const before = [...attempts].filter(([other]) => other <= attempt);
    const kept = Math.max(0, ...before.map(([other, one]) => (other < attempt ? one.kept : 0)));
    const said = Math.max(0, ...before.map(([, one]) => one.said));
    if (from < kept || from > said)
      throw new Violation(
        'heartbeat',
        `attempt ${attempt} of ${workflowId} begins at ${from}, ${kept} was kept of those before, and ${said} said`,
      );
    if (from > 0) reached('an attempt went on from a heartbeat');
    return from;
  }

  /** Says how far it is until all is done, it fails, or it falls silent. */
  climb(
    world: WorkerWorld,
    task: ActivityTask,
    { from, to, calm }: { from: number; to: number; calm: () => boolean },
    say: (message: Message, done: (error: Status | undefined) => void) => void,
    ends: (how: 'completed' | 'failed' | 'silent') => void,
  ): void {
    const said = this.#said.get(task.workflowId)?.get(task.started.task.attempt);
    if (said === undefined) throw new Error('an attempt begins first');
    const step = (at: number): void => {
      if (at >= to) ends('completed');
      else if (!calm() && this.#random.chance(FAILS)) ends('failed');
      else if (!calm() && this.#random.chance(SILENT)) ends('silent');
      else {
        let isHeard = false;
        said.said = Math.max(said.said, at + 1);
        const heard = (outcome: 'kept' | 'unknown'): void => {
          if (isHeard) return;
          isHeard = true;
          if (outcome === 'unknown') {
            ends('silent');
            return;
          }
          said.kept = Math.max(said.kept, at + 1);
          world.kernel.after(BEAT_MS * this.#random.next(), 'climbs', () => step(at + 1));
        };
        const { ref } = task.started;
        const details = jsonPayloads(at + 1);
        say({ type: 'heartbeatActivityTask', activity: { task: ref }, identity: 'climber', details }, (error) =>
          heard(error === undefined ? 'kept' : 'unknown'),
        );
        world.kernel.after(ANSWER_MS, 'worker waits no longer', () => heard('unknown'));
      }
    };
    step(from);
  }
}
