// What the processes of the demo tell their supervisor, over the IPC channel a parent gives its children.

import type { FaultKind } from '../services/faults.ts';

export type ChildMessage =
  /** `port` when the process listens on one. */
  | { kind: 'ready'; port?: number }
  | { kind: 'fault'; fault: FaultKind }
  | { kind: 'replayed' }
  | { kind: 'retry'; activity: string; from: 'start' | 'heartbeat' };

/** Tells the supervisor, if there is one that still listens. */
export function report(message: ChildMessage): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

/** A message of ours, or nothing: other things may use the channel. */
export function asChildMessage(value: unknown): ChildMessage | undefined {
  const known = ['ready', 'fault', 'replayed', 'retry'];
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined;
  // `kind` tells the shape: both ends are this file.
  return known.includes(String(value.kind)) ? (value as ChildMessage) : undefined;
}
