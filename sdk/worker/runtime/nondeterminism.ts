// Names for commands and events as people read them in non-determinism errors, and that error.

import type { Command } from '../../../src/wire/command.ts';
import { CommandType, EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import { isRecord } from '../../common/type-helpers.ts';
import type { SourcePosition } from './source-map.ts';

/** 'ACTIVITY_TASK_SCHEDULED' → 'ActivityTaskScheduled' */
function pascalCase(name: string): string {
  return name
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('');
}

const EVENT_NAMES = new Map<number, string>(
  Object.entries(EventType).map(([name, number]) => [number, pascalCase(name)]),
);
const COMMAND_NAMES = new Map<number, string>(
  Object.entries(CommandType).map(([name, number]) => [number, pascalCase(name)]),
);

/** The attributes that tell one timer, activity, child or marker from another. */
function identityOf(attributes: unknown): string {
  if (!isRecord(attributes)) return '';
  const { timerId, activityId, activityType, workflowType, markerName, signalName } = attributes;
  // Events and commands about another workflow name it differently.
  const { workflowExecution, execution } = attributes;
  const other = isRecord(workflowExecution) ? workflowExecution : isRecord(execution) ? execution : attributes;
  const { workflowId } = other;
  const parts: string[] = [];
  if (timerId !== undefined) parts.push(`timer '${String(timerId)}'`);
  if (activityId !== undefined) parts.push(`activity '${String(activityId)}'`);
  if (isRecord(activityType)) parts.push(`type '${String(activityType.name)}'`);
  if (workflowId !== undefined) parts.push(`workflow '${String(workflowId)}'`);
  if (isRecord(workflowType)) parts.push(`type '${String(workflowType.name)}'`);
  if (markerName !== undefined) parts.push(`marker '${String(markerName)}'`);
  if (signalName !== undefined) parts.push(`signal '${String(signalName)}'`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

export function describeEvent(event: HistoryEvent): string {
  return `${EVENT_NAMES.get(event.eventType) ?? `event type ${event.eventType}`}${identityOf(event.attributes)}`;
}

export function describeCommand(command: Command): string {
  return `${COMMAND_NAMES.get(command.commandType) ?? `command ${command.commandType}`}${identityOf(command.attributes)}`;
}

export function describePosition(position: SourcePosition | undefined): string {
  return position === undefined ? '' : ` at ${position.source}:${position.line}:${position.column}`;
}

/**
 * On replay the workflow's code asked for something else than the history says it did: the code was changed without a patch, or it is
 * not deterministic.
 */
export class NonDeterminismError extends Error {
  override readonly name = 'NonDeterminismError';
  /** Of the event that has no counterpart; undefined when the history has none for a command. */
  readonly eventId: number | undefined;

  constructor(what: string, eventId: number | undefined) {
    // Temporal's documentation lists this code: people search for it.
    super(`[TMPRL1100] Nondeterminism error: ${what}`);
    this.eventId = eventId;
  }
}
