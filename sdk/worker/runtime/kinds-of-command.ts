// What a command or event is beside its type: a patch's marker or search attribute, or published state. These are compared less strictly on replay.

import type { Command } from '../../../src/wire/command.ts';
import { CommandType, EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import { STATE_MARKER } from '../../../src/wire/markers.ts';
import type { Draft } from './drafts.ts';
import { decodePatchMarker, PATCHES_SEARCH_ATTRIBUTE } from './markers.ts';

export function isPatch(draft: Draft | undefined, id: string): boolean {
  return (
    draft?.command.commandType === CommandType.RECORD_MARKER && decodePatchMarker(draft.command.attributes)?.id === id
  );
}

export function isStateCommand({ commandType, attributes }: Command): boolean {
  return commandType === CommandType.RECORD_MARKER && attributes.markerName === STATE_MARKER;
}

export function isStateEvent(event: HistoryEvent): boolean {
  return event.eventType === EventType.MARKER_RECORDED && event.attributes.markerName === STATE_MARKER;
}

export function isPatchesCommand({ commandType, attributes }: Command): boolean {
  return commandType === CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES && hasOnlyPatches(attributes);
}

export function isPatchesUpsert(event: HistoryEvent): boolean {
  return event.eventType === EventType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES && hasOnlyPatches(event.attributes);
}

function hasOnlyPatches({
  searchAttributes,
}: {
  searchAttributes?: { indexedFields?: object | undefined } | undefined;
}): boolean {
  const names = Object.keys(searchAttributes?.indexedFields ?? {});
  return names.length === 1 && names[0] === PATCHES_SEARCH_ATTRIBUTE;
}
