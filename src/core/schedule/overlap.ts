// The six overlap policies: what becomes of the actions that are due while a run of the schedule is still going. Pure; as the Temporal server decides it.

import { ScheduleOverlapPolicy } from '../../wire/enums.ts';

export interface Overlapping {
  overlapPolicy: ScheduleOverlapPolicy;
}

export interface Verdict<T> {
  /** To be started now: any number that may overlap, and at most one that may not. */
  starts: { item: T; overlaps: boolean }[];
  /** Wait until the run has ended. */
  waiting: T[];
  /** Whether the run is to be ended for the sake of one that waits. */
  end: 'cancel' | 'terminate' | undefined;
  skipped: number;
}

/**
 * @param due in order
 * @param running a run that may not be overlapped goes on, or is about to
 * @param usual the schedule's own policy, for actions that name none
 */
export function decideOverlap<T extends Overlapping>(
  due: Iterable<T>,
  running: boolean,
  usual: ScheduleOverlapPolicy,
): Verdict<T> {
  const overlapping: T[] = [];
  let one: T | undefined;
  const verdict: Verdict<T> = { starts: [], waiting: [], end: undefined, skipped: 0 };
  for (const item of due) {
    const policy = resolved(item.overlapPolicy, usual);
    if (policy === ScheduleOverlapPolicy.ALLOW_ALL) {
      overlapping.push(item);
      continue;
    }
    if (!running && one === undefined) {
      one = item;
      continue;
    }
    switch (policy) {
      case ScheduleOverlapPolicy.BUFFER_ONE:
        if (verdict.waiting.length === 0) verdict.waiting.push(item);
        else verdict.skipped += 1;
        break;
      case ScheduleOverlapPolicy.BUFFER_ALL:
        verdict.waiting.push(item);
        break;
      case ScheduleOverlapPolicy.CANCEL_OTHER:
      case ScheduleOverlapPolicy.TERMINATE_OTHER:
        if (running) {
          const terminates = verdict.end === 'terminate' || policy === ScheduleOverlapPolicy.TERMINATE_OTHER;
          verdict.end = terminates ? 'terminate' : 'cancel';
          verdict.waiting.push(item);
        } else {
          // The other has not even begun: it gives way, and counts as neither taken nor skipped (there, too).
          one = item;
        }
        break;
      default:
        verdict.skipped += 1;
    }
  }
  // Those would be ended at once, together with the run that goes on.
  if (verdict.end === undefined) for (const item of overlapping) verdict.starts.push({ item, overlaps: true });
  if (one !== undefined) verdict.starts.push({ item: one, overlaps: false });
  return verdict;
}

function resolved(policy: ScheduleOverlapPolicy, usual: ScheduleOverlapPolicy): ScheduleOverlapPolicy {
  if (policy !== ScheduleOverlapPolicy.UNSPECIFIED) return policy;
  return usual === ScheduleOverlapPolicy.UNSPECIFIED ? ScheduleOverlapPolicy.SKIP : usual;
}
