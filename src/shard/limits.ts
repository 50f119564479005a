// Bounds of the shard engine (I9). Past a bound the caller gets RESOURCE_EXHAUSTED, never silence. All can be configured.

export interface ShardLimits {
  /** Messages that wait for one actor while its rows are read. */
  mailbox: number;
  /** Turns decided and not yet durable; starts are refused at half of it, other client requests at three quarters. */
  pendingTurns: number;
  /** Starts under way that are not durable yet; further ones wait for their turn. */
  undurableStarts: number;
  /** Starts that wait for their turn; further ones are refused. */
  waitingStarts: number;
  /** Bytes of rows not yet durable, same shares. */
  pendingBytes: number;
  /** Rough bytes of rows no flush has written; past it everything but completions is refused until flushes catch up. */
  overlayBytes: number;
  /** Actors kept in memory. Those with unfinished business may exceed it. */
  cachedActors: number;
  /** Rough bytes of all actors kept in memory. */
  cachedBytes: number;
  /** ms without a message after which an actor may leave memory. */
  actorIdleMs: number;
  /** Long polls (awaitResult, history with waitNewEvent) of the node, and of one run. */
  waiters: number;
  waitersPerRun: number;
  /** Direct queries that wait for a worker, on the node. */
  waitingQueries: number;
  /** Callers that wait for updates, on the node. */
  waitingUpdates: number;
  /** Waiting tasks of one queue held in memory in order; the others are on disk. */
  backlogWindow: number;
  /** Timer rows of the next minute held in memory, all shards. */
  timerWindow: number;
  /** How far ahead timer rows are loaded, ms. */
  timerHorizonMs: number;
  /** Timers and deletions under way at once. */
  firing: number;
  /** Every so many ms an eighth of the shards with news is flushed: small and even. */
  flushIntervalMs: number;
  /** Below this much free disk space starts and signals are refused, bytes. */
  freeSpaceReserve: number;
  freeSpaceCheckMs: number;
  /** Index rows one page of a list may look at; a page that reaches it ends early, with a token. */
  scannedPerPage: number;
  /** Executions a page in another order than by start time may look at; more are refused. */
  sortedPerPage: number;
  /** Outbox messages of the node under way at once. */
  outboxWindow: number;
  /** Unacknowledged outbox messages of the node held in memory; the others are on disk. */
  outboxKept: number;
  /** ms between two attempts to deliver an outbox message. */
  outboxRetryMs: number;
}

export const DEFAULT_SHARD_LIMITS: ShardLimits = {
  mailbox: 1_000,
  pendingTurns: 20_000,
  undurableStarts: 128,
  waitingStarts: 1_024,
  pendingBytes: 128 * 1024 * 1024,
  overlayBytes: 192 * 1024 * 1024,
  cachedActors: 1_500,
  cachedBytes: 128 * 1024 * 1024,
  actorIdleMs: 60_000,
  waiters: 100_000,
  waitersPerRun: 1_000,
  waitingQueries: 10_000,
  waitingUpdates: 100_000,
  backlogWindow: 1_024,
  timerWindow: 100_000,
  timerHorizonMs: 60_000,
  firing: 512,
  flushIntervalMs: 100,
  freeSpaceReserve: 256 * 1024 * 1024,
  freeSpaceCheckMs: 10_000,
  scannedPerPage: 20_000,
  sortedPerPage: 200_000,
  outboxWindow: 256,
  outboxKept: 10_000,
  outboxRetryMs: 1_000,
};
