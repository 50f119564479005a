// The rest of the workflow API: information, patches, random ids and memo.

import { mapToPayloads } from '../common/payload-converter.ts';
import { assertInWorkflowContext, inWorkflowContext } from './context.ts';
import type { WorkflowInfo } from './interfaces.ts';
import { randomUuid } from './random.ts';
import { currentRandom } from './random-streams.ts';

/** About the running execution, as of its current workflow task. */
export function workflowInfo(): WorkflowInfo {
  return assertInWorkflowContext('workflowInfo()').info;
}

/** Says in what state the execution is, for people: the metadata query shows it. Part of no history. */
export function setCurrentDetails(details: string): void {
  assertInWorkflowContext('setCurrentDetails()').currentDetails = details;
}

/** What {@link setCurrentDetails} said last; empty before. */
export function getCurrentDetails(): string {
  return assertInWorkflowContext('getCurrentDetails()').currentDetails;
}

/** A version 4 UUID that is the same on replay. Not for secrets: it can be predicted from the run id. Outside of workflows it is any. */
export function uuid4(): string {
  return randomUuid(inWorkflowContext() ? currentRandom('uuid4()') : () => Math.random());
}

/**
 * Whether to run changed code: true in new executions and in those that ran it before, false while an execution that ran the old code
 * is replayed. Leaves a marker in the history.
 *
 * @param patchId Names the change; used once.
 */
export function patched(patchId: string): boolean {
  return assertInWorkflowContext('patched()').patches.decide(patchId, false);
}

/**
 * Says that no execution from before the patch is left, and the old code is gone; {@link patched} gives way to this until no execution
 * with the patch's marker is left either.
 */
export function deprecatePatch(patchId: string): void {
  assertInWorkflowContext('deprecatePatch()').patches.decide(patchId, true);
}

/** Sets memo fields of this execution; `null` or `undefined` removes one. `workflowInfo()` shows them at once. */
export function upsertMemo(memo: Record<string, unknown>): void {
  const activator = assertInWorkflowContext('upsertMemo()');
  if (memo === undefined || memo === null) throw new TypeError('memo must be a non-null object');
  // The server takes the payload of undefined for "remove".
  const changes = Object.fromEntries(Object.entries(memo).map(([name, value]) => [name, value ?? undefined]));
  activator.push({
    kind: 'upsertMemo',
    fields: mapToPayloads(activator.payloadConverter, changes),
    site: new Error(),
  });
  const merged: Record<string, unknown> = { ...activator.info.memo, ...changes };
  for (const [name, value] of Object.entries(merged)) if (value === undefined) delete merged[name];
  activator.info = { ...activator.info, memo: merged };
}
