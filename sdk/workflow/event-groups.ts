// Event groups: markers on commands, and so on the events after them, by which tools show together what belongs together. They say
// nothing to the workflow itself: a replay does not look at them. Shapes, ids and rules are those of `@temporalio/workflow`.

import type { EventGroupMarker as WireMarker } from '../../src/wire/common.ts';
import { defaultPayloadConverter } from '../common/payload-converter.ts';
import { type ActiveGroups, currentContext, runWith } from './async-context.ts';
import { assertInWorkflowContext } from './context.ts';
import { sha1Hex } from './sha1.ts';

/**
 * A group of events. Give it as `eventGroups` to what belongs to it (activities, timers, children …), or run code in its scope.
 *
 * @experimental As with Temporal.
 */
export interface EventGroupMarker {
  /**
   * Runs `fn`, and gives what it gives; every command asked for in it belongs to this group, beside those of scopes around it.
   *
   * @throws IllegalStateError outside of workflow code.
   */
  withScope<T>(fn: () => Promise<T>): Promise<T>;
}

class LabelledGroup implements EventGroupMarker {
  readonly id: string;
  readonly marker: WireMarker;

  constructor(id: string, label: string) {
    this.id = id;
    // Not the workflow's own converter: what shows groups reads plain JSON.
    this.marker = { label: { id, label: defaultPayloadConverter.toPayload(label) } };
  }

  withScope<T>(fn: () => Promise<T>): Promise<T> {
    assertInWorkflowContext('EventGroupMarker.withScope()');
    const active = currentContext()?.groups;
    const labelled = { ...active?.labelled, [this.id]: this.marker };
    return runWith({ groups: { inbound: active?.inbound, labelled } }, fn);
  }
}

/**
 * A group that commands of this workflow can be put into.
 *
 * @param label Shown by tools. JSON whatever the worker's converter is, then through its codecs.
 * @param options.id Groups of one id are one group, and the first label counts. It is not encoded. Default: SHA-1 of the original run's
 * id and the label, so short labels can be guessed from it: give an id where the label is a secret.
 * @throws IllegalStateError outside of workflow code.
 * @experimental As with Temporal.
 */
export function createEventGroup(label: string, options?: { id?: string | undefined }): EventGroupMarker {
  const { info } = assertInWorkflowContext('createEventGroup()');
  return new LabelledGroup(options?.id ?? sha1Hex(`${info.originalExecutionRunId}${label}`), label);
}

/** Runs the handler of the signal whose event this is: what it asks for is marked with it. */
export function inGroupOfEvent<T>(eventId: number, fn: () => Promise<T>): Promise<T> {
  return runWith({ groups: groupsOf({ inboundEvent: { inboundEventId: eventId } }) }, fn);
}

/** What the handler of the update of this id asks for is marked with it. */
export const groupsOfUpdate = (updateId: string): ActiveGroups =>
  groupsOf({ inboundUpdate: { inboundUpdateId: updateId } });

/** A handler begins in no other group than its own, wherever it was set. */
const groupsOf = (inbound: WireMarker): ActiveGroups => ({ inbound, labelled: {} });

/**
 * The groups around the running code and those given directly; undefined when there is none.
 *
 * @throws TypeError for a group that {@link createEventGroup} did not make.
 */
export function markersOf(direct: readonly EventGroupMarker[] | undefined): WireMarker[] | undefined {
  const active = currentContext()?.groups;
  if (active === undefined && (direct === undefined || direct.length === 0)) return undefined;
  const labelled: Record<string, WireMarker> = { ...active?.labelled };
  for (const group of direct ?? []) {
    if (!(group instanceof LabelledGroup)) throw new TypeError('eventGroups takes what createEventGroup() returned');
    labelled[group.id] = group.marker;
  }
  const markers = [...(active?.inbound === undefined ? [] : [active.inbound]), ...Object.values(labelled)];
  return markers.length === 0 ? undefined : markers;
}
