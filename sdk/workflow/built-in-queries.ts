// Queries that every workflow answers by itself, as definitions for clients: `handle.query(stackTraceQuery)`.

import type { QueryDefinition } from '../common/interfaces.ts';
import { ENHANCED_STACK_TRACE_QUERY_NAME, STACK_TRACE_QUERY_NAME } from '../common/reserved.ts';
import { WORKFLOW_METADATA_QUERY_NAME } from './handlers.ts';
import type { EnhancedStackTrace } from './stack-trace.ts';

// Of a definition only type and name exist at run time.
const query = <Ret>(name: string): QueryDefinition<Ret> => ({ type: 'query', name }) as QueryDefinition<Ret>;

/** Where the workflow waits, as text. */
export const stackTraceQuery: QueryDefinition<string> = query(STACK_TRACE_QUERY_NAME);
/** Where the workflow waits, as file, line, column and function. */
export const enhancedStackTraceQuery: QueryDefinition<EnhancedStackTrace> = query(ENHANCED_STACK_TRACE_QUERY_NAME);

export interface WorkflowMetadata {
  definition: {
    type: string;
    queryDefinitions: HandlerDescription[];
    signalDefinitions: HandlerDescription[];
    updateDefinitions: HandlerDescription[];
  };
  /** What `setCurrentDetails` said last. */
  currentDetails: string;
}
interface HandlerDescription {
  name: string;
  description?: string;
}

/** The workflow's handlers, and its current details. */
export const workflowMetadataQuery: QueryDefinition<WorkflowMetadata> = query(WORKFLOW_METADATA_QUERY_NAME);
