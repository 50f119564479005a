// Whether anything goes on in the engine, and when something will: for a server that skips the time in which nothing does (ports/time-skipping.ts). Looked
// at now and then by a test server alone: it walks all actors in memory.

import { isOpen, taskOf } from '../core/workflow/state.ts';
import type { Outlook } from '../ports/time-skipping.ts';
import type { Actors } from './actors.ts';
import type { EngineStats } from './stats.ts';
import type { Timers } from './timers.ts';

export function outlookOf(actors: Actors, timers: Timers, stats: EngineStats): Outlook {
  const { pendingTurns, waitingTasks, openQueries, outbox } = stats;
  const isQuiet = pendingTurns + waitingTasks + openQueries + outbox + actors.waiting === 0;
  return { isIdle: isQuiet && !hasTasksUnderWay(actors), nextDueMs: timers.nextDue() };
}

/** A worker has a task: how long it takes is real time. */
function hasTasksUnderWay(actors: Actors): boolean {
  for (const { state } of actors.values()) {
    const { run } = state;
    if (run === undefined || !isOpen(run)) continue;
    if (taskOf(run)?.startId !== undefined) return true;
    for (const { startId } of run.activities.values()) if (startId !== undefined) return true;
  }
  return false;
}
