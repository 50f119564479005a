// Options of a run that can be changed: as requests have them, and, understood already, as they cross a link or wait in a batch job.

import type { ExecutionOptionsChange } from '../../core/workflow/message.ts';
import type { WorkflowExecutionOptions } from '../../wire/execution.ts';
import { type Check, object, optional } from './check.ts';
import * as common from './common.ts';

export const executionOptions = object<WorkflowExecutionOptions>({
  versioningOverride: optional(common.versioningOverride),
  priority: optional(common.priority),
});

const orUnset =
  <T>(check: Check<T>): Check<T | 'unset' | undefined> =>
  (value) =>
    value === 'unset' ? value : optional(check)(value);

export const changeFields = {
  versioningOverride: orUnset(common.versioningOverride),
  priority: orUnset(common.priority),
};

export const executionOptionsChange = object<ExecutionOptionsChange>(changeFields);
