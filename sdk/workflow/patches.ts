// The patches of one execution: which code runs, and the markers that say so.

import type { SearchAttributePair } from '../common/search-attributes.ts';
import { SeldomMap } from '../common/seldom-map.ts';
import type { Activator } from './activator.ts';
import type { UnsafeWorkflowInfo, WorkflowInfo } from './interfaces.ts';

/** `workflowInfo()` as plain data. */
export type PatchedWorkflowInfo = Omit<WorkflowInfo, 'typedSearchAttributes' | 'unsafe'> & {
  typedSearchAttributes: SearchAttributePair[];
  unsafe: Pick<UnsafeWorkflowInfo, 'isReplaying' | 'isReplayingHistoryEvents'>;
};

/** What the worker says to a patch that the history does not know. */
export type ActivatesPatch = (workflowInfo: PatchedWorkflowInfo, patchId: string) => boolean;

export class Patches {
  /** Of the history that is replayed. */
  readonly inHistory = new Set<string>();
  /** What was said of a patch is said again, whatever the worker would say by then. */
  readonly #decisions = new SeldomMap<string, boolean>();
  readonly #activator: Activator;
  readonly #activates: ActivatesPatch;

  constructor(activator: Activator, activates: ActivatesPatch) {
    this.#activator = activator;
    this.#activates = activates;
  }

  /** Whether the patched code is to run; sends the marker the first time. @throws what the worker's callback throws. */
  decide(id: string, deprecated: boolean): boolean {
    const decided = this.#decisions.get(id);
    if (decided !== undefined) return decided;
    const known = this.inHistory.has(id);
    // Not for good: what is replayed without it may come to it again, live.
    if (!known && this.#activator.info.unsafe.isReplaying) return false;
    const use = known || deprecated || this.#activates(this.#info(), id);
    this.#decisions.set(id, use);
    if (use) this.#activator.push({ kind: 'patch', id, deprecated, site: new Error() });
    return use;
  }

  #info(): PatchedWorkflowInfo {
    const { typedSearchAttributes, unsafe, ...info } = this.#activator.info;
    const { isReplaying, isReplayingHistoryEvents } = unsafe;
    return {
      ...info,
      typedSearchAttributes: typedSearchAttributes.toJSON(),
      unsafe: { isReplaying, isReplayingHistoryEvents },
    };
  }
}
