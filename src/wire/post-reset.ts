// What a reset does to the run that it begins, at once: part of requests for resets of one workflow and of many. Named as in the Temporal API.

import type { Header, Link, Payloads } from './common.ts';
import type { WorkflowExecutionOptions } from './execution.ts';

/** Exactly one of the two is set. */
export interface PostResetOperation {
  signalWorkflow?:
    | {
        signalName?: string | undefined;
        input?: Payloads | undefined;
        header?: Header | undefined;
        links?: Link[] | undefined;
      }
    | undefined;
  updateWorkflowOptions?:
    | {
        workflowExecutionOptions?: WorkflowExecutionOptions | undefined;
        /** `versioningOverride`. */
        updateMask?: string[] | undefined;
      }
    | undefined;
}
