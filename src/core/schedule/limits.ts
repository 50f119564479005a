// Bounds of one schedule (I9), and the reference server's defaults.

/** Changes that are remembered for limits.requestIdTtl, so that none is made twice; beyond it a change is refused. */
export const MAX_REQUESTS = 640_000;
/** Actions that wait; more are dropped and counted, or refused where a caller asked. */
export const MAX_BUFFERED = 1_000;
/** Backfills leave this much of the buffer to what is due. */
export const MAX_BUFFERED_BY_BACKFILLS = MAX_BUFFERED / 2;
export const MAX_BACKFILLS = 100;
/** Starts that are not answered yet: a turn's entry holds no more inputs than that. */
export const MAX_STARTING = 10;
/** Due times that one turn takes up; those beyond the catch-up window cost less. */
export const MAX_DUE_PER_TURN = 100;
export const MAX_MISSED_PER_TURN = 5_000;
export const BACKFILLED_PER_TURN = 10;
export const RECENT_ACTIONS = 10;
export const RECENT_ACTIONS_IN_LIST = 5;
export const FUTURE_ACTIONS = 10;
export const FUTURE_ACTIONS_IN_LIST = 5;
export const MAX_MATCHING_TIMES = 1_000;
const DAY_MS = 86_400_000;
export const DEFAULT_CATCHUP_WINDOW_MS = 365 * DAY_MS;
export const MIN_CATCHUP_WINDOW_MS = 10_000;
/** A schedule that will take no action any more goes so long after the last thing that happened to it. */
export const IDLE_RETENTION_MS = 7 * DAY_MS;
