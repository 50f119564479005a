// Bounds of flow control (I9).

/** A key is a part of its actor's id. */
export const MAX_KEY_BYTES = 256;
export const MAX_CONCURRENCY = 100_000;
/** Each start of the last period is remembered. */
export const MAX_THROTTLE = 10_000;
export const MIN_PERIOD_MS = 10;
const DAY_MS = 86_400_000;
export const MAX_PERIOD_MS = 31 * DAY_MS;
/** Waiting for a permit of one key; the next one is refused. */
export const MAX_WAITING = 20_000;
/** Messages that one turn sends: an entry stays small, the timer fires again for the rest. */
export const SENT_PER_TURN = 100;
/** A permit that a door has reserved for a start which nobody confirms goes back after so long. */
export const RESERVATION_MS = 30_000;
/**
 * A message that was on its way for longer was held up, by a node that went, and others may have overtaken it. Clocks of nodes differ by less: what
 * comes sooner came in its order.
 */
export const HELD_UP_MS = 100;
/**
 * A key whose shard was led by nobody when a quiet period ended listens for so long before it lets the start begin: what was held up meanwhile is sent
 * again every second.
 */
export const LISTEN_MS = 1_200;
/** A key that nothing happens to is forgotten after so long. */
export const IDLE_MS = 600_000;
/** Holders and waiters that are shown. */
export const SHOWN = 100;
export const DEFAULT_PRIORITY = 3;
export const LOWEST_PRIORITY = 5;
