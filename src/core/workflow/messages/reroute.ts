// Where tasks go that are not pinned has changed since they were offered, or what a run is pinned to, or its priority: what waits is offered again where
// it belongs now. What a worker has already begun stays with it. An activity that waits keeps its place among those of the old priority, as on the
// reference server; its next attempt has the new one.

import { offerActivity, withdrawActivity } from '../activity-task.ts';
import { isSame } from '../execution-options.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import type { RunDraft } from '../run-draft.ts';
import { type ActorState, isOpen } from '../state.ts';
import { isOffered, optionsOf } from '../timeouts.ts';
import { nothing, Turn } from '../turn.ts';
import { fitsSticky, routeOfActivity, routeOfRun } from '../versioning.ts';
import { offerTask, withdrawTask } from '../workflow-task.ts';

export function reroute(state: ActorState, context: TurnContext): Decision {
  const { run } = state;
  if (run === undefined || !isOpen(run)) return nothing({ type: 'accepted' });
  const turn = new Turn(state, context);
  rerouteTasks(turn.open(run));
  return turn.outcome({ type: 'accepted' });
}

export function rerouteTasks(run: RunDraft): void {
  const { task } = run.row;
  if (task !== undefined && task.startId === undefined && task.notBefore === undefined) {
    const version = routeOfRun(run);
    if (version !== task.version || !isSame(task.runPriority, run.facts.priority)) {
      withdrawTask(run, task);
      const { stickyQueue, stickyUntil, ...rest } = task;
      // Whoever keeps it warm may be of the wrong version.
      const moved = fitsSticky(run, version) ? { ...rest, stickyQueue, stickyUntil } : rest;
      run.setTask({ ...moved, version });
      offerTask(run, { ...moved, version });
    }
  }
  for (const activity of [...run.activities()]) {
    if (!isOffered(activity) || routeOfActivity(run, optionsOf(activity).taskQueue) === activity.version) continue;
    withdrawActivity(run, activity);
    offerActivity(run, activity);
  }
}
