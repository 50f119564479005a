// Bounds and times of matching across nodes (I9).

export interface MatchingLimits {
  /** What changes is announced at most this often, ms. Longer: fewer messages, later matches. */
  announceMs: number;
  /** Everything is announced again this often, ms: a new home knows all after so long, a lost message heals. */
  refreshMs: number;
  /** Entries of one announcement. */
  entries: number;
  /** An assignment that finds no credit here is forgotten after this long, ms: its home makes another. */
  holdMs: number;
  /** Queues whose home is here. */
  homes: number;
  /** Credits lent to other nodes at once. */
  lent: number;
  /** A lent credit is given back so long after its link ended, or its pull was answered without it, ms. */
  lentMs: number;
  /** … and at the latest so long after it was lent, ms. */
  lentMaxMs: number;
  /** Credits and resumes whose task was taken, remembered to answer a repeat. */
  remembered: number;
  rememberedMs: number;
  /** Claims of one other node that wait for a task here. */
  claims: number;
  /** Tasks on their way to other nodes at once; beyond it a start is undone. */
  underWay: number;
  /** One attempt to deliver a task, ms. */
  deliverMs: number;
  /** Pause before the next attempt, ms. */
  retryMs: number;
  /** A delivery that nobody has answered for so long never is, ms; longer than `lentMaxMs`, so that most are answered. */
  giveUpMs: number;
  /** Tasks and credits named in one pull. */
  pull: number;
  /** Sessions of which is remembered which node took their last task. */
  sessions: number;
  /** Registrations of which other nodes may still send what they are owed, and for how long, ms. */
  resumes: number;
  resumeMs: number;
  /** Tokens one registration may hold. */
  heldTokens: number;
  /** A partition's home that makes more assignments a second than this has the queue split. */
  splitAbove: number;
  /** One that makes fewer for `joinAfterMs` has it joined. */
  joinBelow: number;
  joinAfterMs: number;
  partitions: number;
}

export const DEFAULT_MATCHING_LIMITS: MatchingLimits = {
  announceMs: 50,
  refreshMs: 5_000,
  entries: 1_000,
  holdMs: 1_000,
  homes: 100_000,
  lent: 20_000,
  lentMs: 10_000,
  lentMaxMs: 60_000,
  remembered: 100_000,
  rememberedMs: 600_000,
  claims: 20_000,
  underWay: 20_000,
  deliverMs: 5_000,
  retryMs: 250,
  giveUpMs: 120_000,
  pull: 256,
  sessions: 50_000,
  resumes: 10_000,
  resumeMs: 60_000,
  heldTokens: 20_000,
  splitAbove: 1_000,
  joinBelow: 300,
  joinAfterMs: 60_000,
  partitions: 32,
};
