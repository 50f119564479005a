// Operations after a reset, as requests have them: checked like the method for each. Used by resets of one workflow and by batch jobs.

import type { PostResetOperation } from '../../core/workflow/message.ts';
import type * as wire from '../../wire/post-reset.ts';
import type { Services } from '../door.ts';
import { invalid } from '../validate/check.ts';
import * as rules from '../validate/rules.ts';
import { changeOf } from './execution-options.ts';

/** Of one reset: they are one turn (I9). */
const MAX_OPERATIONS = 100;

/** Throws Refused. */
export function understoodAfterwards(
  services: Services,
  asked: readonly wire.PostResetOperation[] = [],
): { afterwards?: PostResetOperation[] } {
  if (asked.length === 0) return {};
  if (asked.length > MAX_OPERATIONS)
    throw invalid(`A reset takes ${MAX_OPERATIONS} operations after it, not ${asked.length}.`);
  return { afterwards: asked.map((one) => understood(services, one)) };
}

function understood(
  { limits }: Services,
  { signalWorkflow, updateWorkflowOptions }: wire.PostResetOperation,
): PostResetOperation {
  if (signalWorkflow !== undefined && updateWorkflowOptions === undefined) {
    const { signalName = '', input, header, links } = signalWorkflow;
    rules.present(limits, 'SignalName', signalName);
    rules.blob(limits, input);
    rules.blob(limits, header);
    return { type: 'signal', signalName, input, header, links };
  }
  if (updateWorkflowOptions !== undefined && signalWorkflow === undefined) {
    const { workflowExecutionOptions, updateMask } = updateWorkflowOptions;
    return { type: 'updateOptions', ...changeOf(workflowExecutionOptions, updateMask) };
  }
  throw invalid('unsupported post reset operation: it is one of signal_workflow and update_workflow_options.');
}
