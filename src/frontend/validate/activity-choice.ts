// Shapes of what is done to chosen activities: in messages between nodes, and in the orders of batch jobs.

import type { ActivityChoice, ActivityOptionsChange } from '../../core/workflow/message.ts';
import type { ActivityOptions } from '../../wire/pending-activity.ts';
import { boolean, type Check, integer, list, object, optional, string } from './check.ts';
import * as common from './common.ts';

const choice = object<{ id?: string | undefined; type?: string | undefined; all?: boolean | undefined }>({
  id: optional(string),
  type: optional(string),
  all: optional(boolean),
});

export const activities: Check<ActivityChoice> = (value) => {
  const { id, type, all } = choice(value);
  if (id !== undefined) return { id };
  if (type !== undefined) return { type };
  if (all === true) return { all };
  throw new Error('no activities are chosen');
};

export const jitter = { jitter: integer, jitterSeed: integer };

const options = {
  taskQueue: optional(string),
  scheduleToCloseTimeout: optional(integer),
  scheduleToStartTimeout: optional(integer),
  startToCloseTimeout: optional(integer),
  heartbeatTimeout: optional(integer),
  retryPolicy: optional(common.retryPolicy),
  priority: optional(common.priority),
  startDelay: optional(integer),
};
const changedOptions = object<ActivityOptionsChange>(options);

export const optionsChange: Check<ActivityOptionsChange | 'restoreOriginal'> = (value) =>
  value === 'restoreOriginal' ? value : changedOptions(value);

/** As callers say it. */
export const askedChange = {
  activityOptions: optional(object<ActivityOptions>(options)),
  updateMask: optional(list(string)),
  restoreOriginal: optional(boolean),
};
