// The pure workflow actor: what src/shard drives. No I/O, clock, randomness, logger or promise below this folder.
//
// state = load(rows) (I4); decide reads a state and says what a message comes to; evolve applies that outcome to the state.

export { decide } from './decide.ts';
export { describe } from './describe.ts';
export { evolve } from './evolve.ts';
export { type FoldedRun, foldEvents } from './fold.ts';
export { DEFAULT_LIMITS, type Limits } from './limits.ts';
export type * from './message.ts';
export type * from './outcome.ts';
export type { StateIndex } from './published.ts';
export { packRow, unpackRow } from './row-codec.ts';
export {
  type ActorState,
  adopt,
  currentRunId,
  emptyState,
  isPassivatable,
  load,
  nextDeadline,
  type StartedTaskRef,
  type StoredRow,
  startedTask,
  startedTasks,
  unwrittenOf,
  volatileDeadline,
  waitingOffers,
} from './state.ts';
export { decodeToken, encodeToken, type TaskToken } from './token.ts';
export type { UpdateGoal } from './volatile.ts';
