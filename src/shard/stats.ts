// What the engine counts: read off its parts when it is asked for. Called by the engine; shown by src/observe.

import type { Actors } from './actors.ts';
import type { Backlog } from './backlog.ts';
import type { Committer } from './committer.ts';
import type { Outgoing } from './delivery.ts';
import type { Flusher } from './flusher.ts';
import type { Gate } from './gate.ts';
import type { Intake } from './intake.ts';
import type { Outbox } from './outbox.ts';
import type { Overlay } from './overlay.ts';
import type { Queries } from './queries.ts';
import type { Retention } from './retention.ts';
import type { Shards } from './shards.ts';
import type { Timers } from './timers.ts';
import type { UpdateCallers } from './update-callers.ts';
import type { Waiters } from './waiters.ts';

/** Counters since open (they only grow) and gauges. */
export interface EngineStats {
  turns: number;
  commits: number;
  flushes: number;
  flushedRows: number;
  activations: number;
  passivations: number;
  timersFired: number;
  tasksDelivered: number;
  startsUndone: number;
  runsDeleted: number;
  refused: number;
  shards: number;
  actors: number;
  actorBytes: number;
  overlayRows: number;
  overlayBytes: number;
  pendingTurns: number;
  pendingBytes: number;
  waitingStarts: number;
  waitingTasks: number;
  timersInMemory: number;
  longPolls: number;
  openQueries: number;
  openUpdates: number;
  outbox: number;
}

/** The parts that count. */
export interface Counting {
  actors: Actors;
  backlog: Backlog;
  committer: Committer;
  flusher: Flusher;
  gate: Gate;
  intake: Intake;
  outbox: Outbox;
  outgoing: Outgoing;
  overlay: Overlay;
  queries: Queries;
  updates: UpdateCallers;
  retention: Retention;
  shards: Shards;
  timers: Timers;
  waiters: Waiters;
}

export function statsOf(parts: Counting): EngineStats {
  const {
    actors,
    backlog,
    committer,
    flusher,
    gate,
    intake,
    outbox,
    outgoing,
    overlay,
    queries,
    updates,
    retention,
    shards,
    timers,
    waiters,
  } = parts;
  return {
    turns: committer.turns,
    commits: committer.commits,
    flushes: flusher.flushes,
    flushedRows: flusher.rows,
    activations: actors.activations,
    passivations: actors.passivations,
    timersFired: timers.fired,
    tasksDelivered: outgoing.delivered,
    startsUndone: outgoing.undone,
    runsDeleted: retention.deleted,
    refused: gate.refused,
    shards: shards.size,
    actors: actors.size,
    actorBytes: actors.bytes,
    overlayRows: overlay.size,
    overlayBytes: overlay.bytes,
    pendingTurns: committer.pendingTurns,
    pendingBytes: committer.pendingBytes,
    waitingStarts: intake.waiting,
    waitingTasks: backlog.waiting,
    timersInMemory: timers.size,
    longPolls: waiters.size,
    openQueries: queries.size,
    openUpdates: updates.size,
    outbox: outbox.size,
  };
}
