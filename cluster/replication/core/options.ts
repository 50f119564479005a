// Times and bounds of replication. Every replica of a shard must use the same times: a lease rests on all of them waiting as long.

export interface ReplicaTimes {
  /**
   * ms without a leader after which a replica stands for election, at least; also how long it refuses other candidates after it heard
   * one, and how long a leader leads without a majority's answer. Lower: quicker fail-over, more elections when a node stalls.
   */
  electionMs: number;
  /** The election timeout is drawn from electionMs .. electionMs + this, so that two replicas seldom stand at once. */
  electionSpreadMs: number;
  /** ms between heartbeats: a fifth of electionMs or less, so that a few lost ones make no election. */
  heartbeatMs: number;
  /** ms to wait for a term from outside before the candidate takes the next one it knows. */
  termWaitMs: number;
  /** ms a leader holds proposals for a hand-over, at most: past it it goes on leading. Lower: slower disks never take over; higher: a longer pause when one cannot. */
  handOverMs: number;
  /** Clocks of two replicas run apart by at most this part of the time elapsed; a lease is shortened by twice as much. */
  clockDrift: number;
}

export const DEFAULT_TIMES: ReplicaTimes = {
  electionMs: 1_500,
  electionSpreadMs: 1_000,
  heartbeatMs: 300,
  termWaitMs: 200,
  handOverMs: 1_000,
  clockDrift: 0.02,
};

export interface ReplicaBounds {
  /** Bytes of entries in one append message; one entry may be larger. */
  messageBytes: number;
  /** Append messages to one follower without an answer: flow control to a slow one. */
  inFlightMessages: number;
  /** Bytes in them. */
  inFlightBytes: number;
  /** Bytes of entries proposed and not committed: over it a proposal is refused (I9). */
  uncommittedBytes: number;
  /** Bytes of recent entries kept in memory, so that followers that keep up cost no reading. */
  cachedBytes: number;
  /** Reads waiting for a round (I9). */
  waitingReads: number;
  /** A learner this many entries behind, or fewer, may be promoted, and a voter be handed the shard. */
  promotableLag: number;
}

export const DEFAULT_BOUNDS: ReplicaBounds = {
  messageBytes: 1024 * 1024,
  inFlightMessages: 64,
  inFlightBytes: 8 * 1024 * 1024,
  uncommittedBytes: 64 * 1024 * 1024,
  cachedBytes: 1024 * 1024,
  waitingReads: 10_000,
  promotableLag: 64,
};

/** Members of one shard at most, learners included: a decoder refuses more. */
export const MAX_MEMBERS = 32;
/** A directory's id in bytes of UTF-8, at most. */
export const MAX_DIRECTORY_ID_BYTES = 128;
