// Bounds and times of routing (I9).

export interface RoutingLimits {
  /** How long a request waits in all for an owner that serves it, ms. Longer: rides out slower fail-overs, and holds more. */
  waitMs: number;
  /**
   * How long the node that is said to own a shard may leave a forwarded call unanswered, ms: then whoever asked is told to ask another node, which
   * may reach it. Longer than a node may hold a call. Reads that wait for events are bounded by their callers alone.
   */
  attemptMs: number;
  /** The same for a node's part of a list or count, ms. */
  searchMs: number;
  /** How long the asked node holds a request while the shard is on its way to it, ms. */
  holdMs: number;
  /** Redirects followed at once; after so many in a row a request pauses. */
  redirects: number;
  /** First and longest pause before a shard without an owner is looked at again, ms; a change of the view ends it at once. */
  pauseMs: number;
  pauseMaxMs: number;
  /** Requests that wait for an owner at once. */
  parked: number;
  /** Bytes of one page of a list that crosses a link; a longer one is cut, and its token goes on from there. */
  pageBytes: number;
  /** Groups a merged count may have. */
  groups: number;
}

export const DEFAULT_ROUTING_LIMITS: RoutingLimits = {
  waitMs: 10_000,
  attemptMs: 3_000,
  searchMs: 5_000,
  holdMs: 2_000,
  redirects: 3,
  pauseMs: 10,
  pauseMaxMs: 250,
  parked: 10_000,
  pageBytes: 16 * 1024 * 1024,
  groups: 1_000,
};
