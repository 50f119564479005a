// Bounds of one execution (I9), Temporal's defaults; every one can be configured.

export interface Limits {
  /** Events per run; beyond it the run is terminated. Warned at a fifth. */
  historyEvents: number;
  /** Bytes per run. */
  historyBytes: number;
  /** Bytes of one blob: input, result, details, memo. */
  blobBytes: number;
  /** Search attributes of one run: how many, bytes of one value, bytes of all. */
  searchAttributes: number;
  searchAttributeValueBytes: number;
  searchAttributesBytes: number;
  /** Bytes (UTF-8) of ids, names and types. */
  idBytes: number;
  pendingActivities: number;
  pendingTimers: number;
  pendingChildren: number;
  pendingSignals: number;
  pendingCancels: number;
  signalsPerRun: number;
  /** Updates of a run that are not completed, and bytes of those not accepted yet. */
  updatesInFlight: number;
  updatesInFlightBytes: number;
  /** Bytes of one update's request. More than a blob, as on Temporal's server; an answer with it is still a request of 4 MiB. */
  updateRequestBytes: number;
  /** Updates of a run, completed ones too. The worker is advised to continue as new at nine tenths. */
  updatesPerRun: number;
  /** Callers waiting at once for updates of one execution. */
  updateCalls: number;
  /** Nexus operations of a run that have not ended; how long a handler may take to answer, ms. */
  pendingNexusOperations: number;
  nexusRequestTimeout: number;
  callbacksPerRun: number;
  /** How often a callback is called at most, and how long one call may take, ms. */
  callbackAttempts: number;
  callbackTimeout: number;
  bufferedEvents: number;
  bufferedBytes: number;
  /** Queries waiting at once on one execution. */
  bufferedQueries: number;
  suggestContinueAsNewEvents: number;
  suggestContinueAsNewBytes: number;
  /** ms */
  workflowTaskTimeout: number;
  /** ms, upper bound of what a start may ask for. */
  maxWorkflowTaskTimeout: number;
  /** How long a client's request id is remembered at least, ms. */
  requestIdTtl: number;
  /**
   * How many a workflow id may have to remember at once, and how many more evenly over each requestIdTtl: together the most that it remembers, but for what
   * is kept free for control. A request past that is refused for now. What a row costs is in ids, too (request-pace.ts).
   */
  requestIdsAtOnce: number;
  requestIdsPerTtl: number;
  /** ms: the next run of continue-as-new starts no sooner after its predecessor's start. */
  continueAsNewMinInterval: number;
  /** ms a reset point of an earlier run is shown as valid: the namespace's retention. */
  resetPointTtl: number;
}

export const DEFAULT_LIMITS: Limits = {
  historyEvents: 51_200,
  historyBytes: 50 * 1024 * 1024,
  blobBytes: 2 * 1024 * 1024,
  searchAttributes: 100,
  searchAttributeValueBytes: 2_048,
  searchAttributesBytes: 40 * 1024,
  idBytes: 1_000,
  pendingActivities: 2_000,
  pendingTimers: 2_000,
  pendingChildren: 2_000,
  pendingSignals: 2_000,
  pendingCancels: 2_000,
  signalsPerRun: 10_000,
  updatesInFlight: 10,
  updatesInFlightBytes: 20 * 1024 * 1024,
  updateRequestBytes: 3 * 1024 * 1024,
  updatesPerRun: 2_000,
  updateCalls: 1_000,
  pendingNexusOperations: 2_000,
  nexusRequestTimeout: 10_000,
  callbacksPerRun: 32,
  // A day, with the last two dozen an hour apart.
  callbackAttempts: 36,
  callbackTimeout: 10_000,
  bufferedEvents: 2_000,
  bufferedBytes: 2 * 1024 * 1024,
  bufferedQueries: 100,
  suggestContinueAsNewEvents: 4_096,
  suggestContinueAsNewBytes: 4 * 1024 * 1024,
  workflowTaskTimeout: 10_000,
  maxWorkflowTaskTimeout: 120_000,
  requestIdTtl: 10 * 60_000,
  // In full rows 333,000 at once, then 1,111 a second. In memory while the actor is: at most about 40 MiB.
  requestIdsAtOnce: 500_000,
  requestIdsPerTtl: 1_000_000,
  continueAsNewMinInterval: 1_000,
  resetPointTtl: 72 * 3_600_000,
};
