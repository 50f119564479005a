// Cron of a workflow: each run that ends by itself or its run timeout is followed by another at the next time of its schedule. Arithmetic only;
// closing.ts begins the runs. The strings are those of workflows (src/core/schedule/workflow-cron.ts): five fields, words with @, a zone in front.

import { SpecError, type WorkflowCron, workflowCron } from '../schedule/index.ts';
import type { StartRow } from './rows.ts';

const FIELDS = 5;

/** @throws SpecError */
function parse(text: string): WorkflowCron {
  const words = text.trim().split(/\s+/);
  const fields = words.filter((word, i) => i > 0 || !/^(CRON_)?TZ=/.test(word));
  if (!fields[0]?.startsWith('@') && fields.length !== FIELDS) {
    throw new SpecError(`a cron schedule of a workflow has ${FIELDS} fields, not ${fields.length}`);
  }
  return workflowCron(text);
}

/**
 * ms until the next run, in whole seconds; `scheduled`: when the one before was due, epoch ms. Undefined: there is no next time, or the string is not
 * understood.
 */
export function cronBackoff(text: string, scheduled: number, now: number): number | undefined {
  let cron: WorkflowCron;
  try {
    cron = parse(text);
  } catch (error) {
    if (error instanceof SpecError) return undefined;
    throw error;
  }
  const next = now < scheduled ? scheduled : nextTime(cron, scheduled, now);
  return next === undefined ? undefined : Math.ceil((next - now) / 1000) * 1000;
}

/** The first time after `now`; `@every` counts from the full second of the run before. */
function nextTime(cron: WorkflowCron, scheduled: number, now: number): number | undefined {
  if (cron.kind === 'calendar') return cron.next(now);
  const base = Math.floor(scheduled / 1000) * 1000;
  return base + (Math.floor((now - base) / cron.interval) + 1) * cron.interval;
}

/** What is wrong with a cron string, or undefined. */
export const cronProblem = (text: string | undefined, now: number): string | undefined =>
  text && cronBackoff(text, now, now) === undefined ? 'invalid CronSchedule.' : undefined;

/** ms until the run after this one; undefined: none follows. */
export function nextCronRun({ attributes, startTime }: StartRow, now: number): number | undefined {
  const { cronSchedule, firstWorkflowTaskBackoff = 0 } = attributes;
  return cronSchedule ? cronBackoff(cronSchedule, startTime + firstWorkflowTaskBackoff, now) : undefined;
}
