// Options of an activity without a workflow as its handle changes them, to and from the wire's form with its mask.

import type { ActivityOptions as WireOptions } from '../../src/wire/pending-activity.ts';
import { compilePriority, decodePriority } from '../common/priority.ts';
import { compileRetryPolicy, decompileRetryPolicy } from '../common/retry-policy.ts';
import { durationOption } from '../common/time.ts';
import type { ActivityOptionsUpdate, ActivityOptionsUpdateResult } from './activity-types.ts';

const TIMEOUTS = [
  'scheduleToCloseTimeout',
  'scheduleToStartTimeout',
  'startToCloseTimeout',
  'heartbeatTimeout',
  'startDelay',
] as const;

export function optionsToRaw(options: ActivityOptionsUpdate): { activityOptions: WireOptions; updateMask: string[] } {
  const activityOptions: WireOptions = {};
  const updateMask: string[] = [];
  if (options.taskQueue !== undefined) {
    activityOptions.taskQueue = options.taskQueue;
    updateMask.push('taskQueue.name');
  }
  for (const name of TIMEOUTS) {
    const given = options[name];
    if (given === undefined) continue;
    activityOptions[name] = given === null ? 0 : (durationOption(name, given) ?? 0);
    updateMask.push(name);
  }
  if (options.retry !== undefined) {
    activityOptions.retryPolicy = options.retry === null ? {} : compileRetryPolicy(options.retry);
    updateMask.push('retryPolicy');
  }
  if (options.priority !== undefined) {
    activityOptions.priority = options.priority === null ? {} : compilePriority(options.priority);
    updateMask.push('priority');
  }
  return { activityOptions, updateMask };
}

export function optionsFromRaw(raw: WireOptions): ActivityOptionsUpdateResult {
  const { taskQueue, retryPolicy, priority } = raw;
  return {
    taskQueue,
    scheduleToCloseTimeout: raw.scheduleToCloseTimeout || undefined,
    scheduleToStartTimeout: raw.scheduleToStartTimeout || undefined,
    startToCloseTimeout: raw.startToCloseTimeout || undefined,
    heartbeatTimeout: raw.heartbeatTimeout || undefined,
    startDelay: raw.startDelay || undefined,
    retry: decompileRetryPolicy(retryPolicy),
    priority: priority === undefined ? undefined : decodePriority(priority),
  };
}
