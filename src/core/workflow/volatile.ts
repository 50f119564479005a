// What an actor holds in memory only (I4): waiting queries, updates on their way, the speculative workflow task. A turn sees it through an overlay;
// what it changes is the `volatile` part of its outcome, which evolve applies.

import type { UpdateRequest } from '../../wire/common.ts';
import type { WorkflowExecutionOptionsUpdatedEventAttributesWorkflowUpdateOptionsUpdate } from '../../wire/event-attributes.ts';
import type { WorkflowTaskRow } from './rows.ts';

/** How far a caller waits for an update. */
export type UpdateGoal = 'accepted' | 'completed';

/** An update that is not accepted yet, or callers that wait for one that is. */
export type UpdateAttachment = WorkflowExecutionOptionsUpdatedEventAttributesWorkflowUpdateOptionsUpdate;

export interface PendingUpdate {
  updateId: string;
  runId: string;
  /** `admitted`: for a workflow task to carry; `sent`: on the started one; `accepted`: in the history. */
  stage: 'admitted' | 'sent' | 'accepted';
  request: UpdateRequest;
  /** Of the request, estimated. */
  bytes: number;
  calls: readonly { callId: string; until: UpdateGoal }[];
  /** Callbacks that further requests for it brought, for an event once it is accepted. */
  attached?: readonly UpdateAttachment[] | undefined;
  /** Its Admitted event is in the history, and the request in a row: it stays when nobody waits for it. */
  kept?: true | undefined;
}

export interface MapChanges<Value> {
  set: [string, Value][];
  remove: string[];
}

export interface VolatileChanges<Query> {
  queries?: MapChanges<Query> | undefined;
  updates?: MapChanges<PendingUpdate> | undefined;
  speculative?: { runId: string; task: WorkflowTaskRow | undefined } | undefined;
}

/** A map of the state as of a turn. */
export class MapOverlay<Value> {
  readonly #base: ReadonlyMap<string, Value>;
  #changed: Map<string, Value | undefined> | undefined;

  constructor(base: ReadonlyMap<string, Value>) {
    this.#base = base;
  }

  get isEmpty(): boolean {
    return this.#base.size === 0 && this.#changed === undefined;
  }

  get(id: string): Value | undefined {
    return this.#changed?.has(id) === true ? this.#changed.get(id) : this.#base.get(id);
  }

  /** `undefined` deletes. */
  set(id: string, value: Value | undefined): void {
    this.#changed ??= new Map();
    this.#changed.set(id, value);
  }

  /** Oldest first. */
  values(): Iterable<Value> {
    return this.#changed === undefined ? this.#base.values() : this.#current();
  }

  *#current(): Iterable<Value> {
    for (const id of this.#base.keys()) {
      const value = this.get(id);
      if (value !== undefined) yield value;
    }
    for (const [id, value] of this.#changed ?? []) if (value !== undefined && !this.#base.has(id)) yield value;
  }

  changes(): MapChanges<Value> | undefined {
    if (this.#changed === undefined) return undefined;
    const changes: MapChanges<Value> = { set: [], remove: [] };
    for (const [id, value] of this.#changed) {
      if (value === undefined) changes.remove.push(id);
      else changes.set.push([id, value]);
    }
    return changes;
  }
}
