// Bounds of coordination (I9).

/** A call that has no answer by then is `unavailable`, ms. Well below a session's life, so that a renewal can be tried again. */
export const CALL_TIMEOUT_MS = 1_500;
/** Calls under way at once; a further one is `unavailable` at once. Room for a claim on each shard of a big node. */
export const MAX_CALLS = 20_000;
/** A lease's life, ms: how long a name or directory stays taken after a kill. Three renewals fit. */
export const SESSION_TTL_MS = 6_000;
export const SESSION_RENEW_MS = 2_000;
/** Waits between attempts to reach Redis, ms: doubled from the first to the last, each with up to a fifth of jitter. */
export const FIRST_RETRY_MS = 50;
export const LAST_RETRY_MS = 5_000;
export const CONNECT_TIMEOUT_MS = 3_000;
