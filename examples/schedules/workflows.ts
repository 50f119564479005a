// What the schedule starts: the report of a day. It knows when it was due, and what the report before it said.

import { workflowInfo } from 'tenuto/workflow';

export interface Report {
  /** RFC 3339: the time of the schedule, however late the run began. */
  due: string;
  number: number;
}

export async function dailyReport(shop: string): Promise<Report> {
  const { searchAttributes, lastResult } = workflowInfo();
  const due = searchAttributes.TemporalScheduledStartTime?.[0];
  if (!(due instanceof Date)) throw new Error(`the report of ${shop} was not started by a schedule`);
  // Only the schedule's own runs are here before.
  const before = lastResult as Report | undefined;
  return { due: due.toISOString(), number: (before?.number ?? 0) + 1 };
}
