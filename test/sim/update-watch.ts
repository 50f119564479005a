// What callers are told of updates, against what is durable (I1, I5): accepted and completed ones are in the history, rejected ones never are.

import type { Methods } from '../../src/wire/api.ts';
import { UpdateWorkflowExecutionLifecycleStage as Stage } from '../../src/wire/enums.ts';
import { Violation } from './kernel.ts';
import { outcomeText } from './relations.ts';
import type { Truth } from './truth.ts';

type Update = Methods['updateWorkflowExecution'];

export class UpdateWatch {
  readonly #truth: Truth;
  /** By workflow and update id. */
  readonly #rejected = new Set<string>();
  /** What was told first. */
  readonly #outcomes = new Map<string, string>();

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  answered(
    { workflowId, updateId }: Pick<Update['request'], 'workflowId' | 'updateId'>,
    { stage, outcome }: Update['response'],
  ): void {
    const unique = `${workflowId} ${updateId}`;
    const durable = this.#truth.updates.get(unique);
    const told = `update ${unique} was answered ${JSON.stringify({ stage, outcome }).slice(0, 300)}`;
    // No worker has seen it: it may yet be forgotten.
    if (outcome === undefined && stage === Stage.ADMITTED) return;
    if (outcome !== undefined) this.#same(unique, outcomeText(outcome));
    if (outcome?.failure !== undefined) {
      this.#rejected.add(unique);
      if (durable !== undefined) throw new Violation('I5', `${told} and is ${durable}`);
    } else if (durable === undefined || (outcome !== undefined && durable !== 'completed')) {
      throw new Violation('I1', `${told}, durable is: ${durable}`);
    }
  }

  /** Whoever asks, by whatever door, is told the same, and what the history says. */
  #same(unique: string, outcome: string): void {
    const before = this.#truth.outcomes.get(unique) ?? this.#outcomes.get(unique);
    if (before !== undefined && before !== outcome)
      throw new Violation('I5', `update ${unique} came to ${before}, and now is said to have come to ${outcome}`);
    this.#outcomes.set(unique, outcome);
  }

  /** When everything is over. */
  checkEnd(): void {
    for (const unique of this.#rejected) {
      if (this.#truth.updates.has(unique)) {
        throw new Violation('I5', `update ${unique} was rejected and is in the history`);
      }
    }
  }
}
