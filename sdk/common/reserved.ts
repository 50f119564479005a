// Names that users' workflows, signals, queries, updates, activities and task queues may not have.

export const TEMPORAL_RESERVED_PREFIX = '__temporal_';
export const STACK_TRACE_QUERY_NAME = '__stack_trace';
export const ENHANCED_STACK_TRACE_QUERY_NAME = '__enhanced_stack_trace';

export type ReservedNameEntity = 'workflow' | 'activity' | 'query' | 'signal' | 'update' | 'task queue' | 'sink';

/** @throws TypeError, saying which name of what kind is reserved. */
export function throwIfReservedName(type: ReservedNameEntity, name: string): void {
  if (name.startsWith(TEMPORAL_RESERVED_PREFIX)) {
    throw new TypeError(`Cannot use ${type} name: '${name}', with reserved prefix: '${TEMPORAL_RESERVED_PREFIX}'`);
  }
  if (name === STACK_TRACE_QUERY_NAME || name === ENHANCED_STACK_TRACE_QUERY_NAME) {
    throw new TypeError(`Cannot use ${type} name: '${name}', which is a reserved name`);
  }
}
