// Where a flow-control key lives: an actor under an id that no workflow may have. The id says everything that names the key.

import type { FlowControl, FlowKey } from '../../wire/flow-control.ts';

export const FLOW_ADDRESS_PREFIX = 'tenuto-sys-flow:';
const OF_NAMESPACE = 'n:';
const OF_QUEUE = 'q:';

export const isFlowAddress = (workflowId: string): boolean => workflowId.startsWith(FLOW_ADDRESS_PREFIX);

/** The queue's length goes before it: neither of two texts can pass for a part of the other. */
export const flowAddress = ({ key, scope, taskQueue = '' }: FlowKey): string =>
  FLOW_ADDRESS_PREFIX +
  (scope === 'taskQueue' ? `${OF_QUEUE}${taskQueue.length}:${taskQueue}:${key}` : OF_NAMESPACE + key);

/** Of what a start or an activity on this queue asks for. */
export const addressOf = (
  { key, scope = 'namespace' }: Pick<FlowControl, 'key' | 'scope'>,
  taskQueue: string,
): string => flowAddress({ key, scope, taskQueue });

/** What `flowAddress` was given; undefined for an id of another making. */
export function flowKeyOf(address: string): FlowKey | undefined {
  const rest = address.slice(FLOW_ADDRESS_PREFIX.length);
  if (rest.startsWith(OF_NAMESPACE)) return { key: rest.slice(OF_NAMESPACE.length), scope: 'namespace' };
  if (!rest.startsWith(OF_QUEUE)) return undefined;
  const digits = rest.indexOf(':', OF_QUEUE.length);
  const length = Number(rest.slice(OF_QUEUE.length, digits));
  const end = digits + 1 + length;
  if (digits < 0 || !Number.isSafeInteger(length) || rest.charAt(end) !== ':') return undefined;
  return { key: rest.slice(end + 1), scope: 'taskQueue', taskQueue: rest.slice(digits + 1, end) };
}
