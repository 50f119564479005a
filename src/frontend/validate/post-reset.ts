// Operations after a reset: as requests have them, and, understood already, as they cross a link or wait in a batch job.

import type { PostResetOperation } from '../../core/workflow/message.ts';
import type * as wire from '../../wire/post-reset.ts';
import { type Check, list, object, optional, string } from './check.ts';
import * as common from './common.ts';
import { executionOptions, executionOptionsChange } from './execution-options.ts';

/** Which of the two is set is the method's to say. */
export const postResetOperation = object<wire.PostResetOperation>({
  signalWorkflow: optional(
    object<NonNullable<wire.PostResetOperation['signalWorkflow']>>({
      signalName: optional(string),
      input: optional(common.payloads),
      header: optional(common.header),
      links: optional(list(common.link)),
    }),
  ),
  updateWorkflowOptions: optional(
    object<NonNullable<wire.PostResetOperation['updateWorkflowOptions']>>({
      workflowExecutionOptions: optional(executionOptions),
      updateMask: optional(list(string)),
    }),
  ),
});

const kind = object<{ type: string }>({ type: string });
const signal = object<Omit<Extract<PostResetOperation, { type: 'signal' }>, 'type'>>({
  signalName: string,
  input: optional(common.payloads),
  header: optional(common.header),
  links: optional(list(common.link)),
});

const understood: Check<PostResetOperation> = (value) => {
  const { type } = kind(value);
  switch (type) {
    case 'signal':
      return { type, ...signal(value) };
    case 'updateOptions':
      return { type, ...executionOptionsChange(value) };
    default:
      throw new Error(`the operation ${type.slice(0, 64)} after a reset is none of this version`);
  }
};

export const afterwards = optional(list(understood));
