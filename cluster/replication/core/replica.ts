// One replica of one shard: Raft as a pure state machine. No I/O, clock or randomness: time and random numbers are arguments, what it asks of
// the world is data (output.ts). Keeps I1 (nothing leaves before what it rests on is durable), I2 and I3. One driver calls it, from one thread.

import { chainOf } from '../../../src/ports/chain.ts';
import { type Lsn, lsn, type Term } from '../../../src/ports/ids.ts';
import type { LogEntry } from '../../../src/ports/store.ts';
import { Campaign } from './campaign.ts';
import { type Configuration, type ConfigurationChange, changed, isMember, isVoter, joined } from './configuration.ts';
import { BARRIER_ENTRY, configurationEntry } from './entry.ts';
import { Following } from './following.ts';
import type { DirectoryId } from './ids.ts';
import { Leadership } from './leadership.ts';
import type { LogView } from './log.ts';
import type { Message, SnapshotChunk, SnapshotMeta } from './message.ts';
import type { Output } from './output.ts';
import { type Now, type ReplicaOptions, ReplicaState } from './state.ts';

export type Role = 'follower' | 'candidate' | 'leader';

export type Proposed = { lsn: Lsn } | { refused: 'notLeader' | 'handingOver' | 'full' };

export type ChangeAnswer = { lsn: Lsn } | { refused: string };

export class Replica {
  readonly self: DirectoryId;
  readonly log: LogView;
  readonly #state: ReplicaState;
  readonly #campaign: Campaign;
  readonly #following: Following;
  #leadership: Leadership | undefined;
  #serving = false;
  /** Of a leader: bytes proposed and not committed. */
  #uncommittedBytes = 0;
  /** Committed as of the drain before: whoever applies has had its bytes. */
  #handedOut: Lsn;

  constructor(options: ReplicaOptions) {
    this.#state = new ReplicaState(options);
    this.self = options.self;
    this.log = this.#state.log;
    this.#handedOut = this.#state.commit;
    this.#campaign = new Campaign(this.#state, (now) => this.#lead(now));
    this.#following = new Following(this.#state);
  }

  get term(): Term {
    return this.#state.term;
  }

  get commit(): Lsn {
    return this.#state.commit;
  }

  get role(): Role {
    if (this.#leadership !== undefined) return 'leader';
    return this.#campaign.isStanding ? 'candidate' : 'follower';
  }

  get leader(): DirectoryId | undefined {
    return this.#leadership === undefined ? this.#state.leader : this.self;
  }

  /** It leads, and its barrier is committed. */
  get isServing(): boolean {
    return this.#serving;
  }

  get durable(): Lsn {
    return this.#state.durability.durable;
  }

  get configuration(): Configuration {
    return this.#state.configuration;
  }

  /** Whose directories are needed: while a change of the members is not committed those of before are, since whoever leads next may not know of it. */
  get needed(): Configuration {
    const { log, commit } = this;
    return log.configuration.lsn > commit
      ? joined(log.configurationAt(commit), this.configuration)
      : this.configuration;
  }

  get leadership(): Leadership | undefined {
    return this.#leadership;
  }

  /** A leader has spoken to it within an election timeout. */
  hearsLeader(nowMs: number): boolean {
    return this.leader !== undefined && nowMs < this.#state.refuseVotesUntilMs;
  }

  /** Its log and its leader's differ though they cannot: it takes no entries, and has no vote. */
  get damagedAt(): Lsn | undefined {
    return this.#state.damagedAt;
  }

  /** It has something to do at once: reads wait for a round, or it is the only voter and does not lead. */
  get wantsTick(): boolean {
    if (this.#leadership !== undefined) return this.#leadership.wantsRound;
    return this.#state.isAlone && !this.#campaign.isStanding;
  }

  /** `take` would bring nothing. */
  get isQuiet(): boolean {
    const { messages, notices, durability } = this.#state;
    if (messages.length > 0 || notices.length > 0 || durability.isForming) return false;
    return this.#leadership === undefined || (this.#leadership.isFed && this.#leadership.reads.size === 0);
  }

  /** A tick would do something. A leader looks whether a majority is still there with every beat. */
  isDue(nowMs: number): boolean {
    return this.#leadership?.isDue(nowMs) ?? this.#campaign.isDue(nowMs);
  }

  // ---------------------------------------------------------------- what happens

  /**
   * Time passes. `round` is shared by all shards of the node that beat before the next messages go out, so that one answer confirms the reads of all;
   * it must be greater than that of any tick whose messages are out.
   */
  tick(now: Now & { round: number }): void {
    const leadership = this.#leadership;
    const { nowMs, round } = now;
    if (leadership === undefined) {
      this.#campaign.tick(now);
    } else if (!leadership.hasQuorum(nowMs)) {
      leadership.resign();
      this.#follow(this.term, undefined, now);
    } else {
      leadership.pursueTransfer(nowMs);
      leadership.letGo(nowMs, this.commit);
      if (leadership.beatIsDue(nowMs)) leadership.beat(round, nowMs, this.commit);
    }
  }

  /** Persist steps up to `seq` are durable. */
  persisted(seq: number, now: Now): void {
    this.#state.durability.persisted(seq);
    this.#campaign.persisted(seq, now);
    this.#advanceCommit();
  }

  step(from: DirectoryId, message: Message, now: Now): void {
    const { term } = this;
    const led = this.#leadership !== undefined;
    switch (message.type) {
      case 'preVote':
        // Moves nobody's term.
        if (this.#leadership === undefined) this.#campaign.onPreVote(from, message, now);
        else this.#state.send(from, { type: 'preVoteReply', term, answer: 'refused' });
        return;
      case 'preVoteReply':
        if (message.answer === 'granted' || message.term <= term) this.#campaign.onPreVoteReply(from, message, now);
        else this.#enter(from, message, now);
        return;
      case 'vote': {
        const promised = this.#leadership !== undefined && message.reason === 'timeout';
        if (message.term < term || promised || (message.term > term && this.#campaign.isPromised(from, message, now))) {
          this.#campaign.hear(message.term);
          this.#state.send(from, { type: 'voteReply', term, answer: 'refused' });
          return;
        }
        break;
      }
    }
    if (message.term > term) this.#enter(from, message, now);
    else if (message.term < term) {
      if (isLeaders(message)) this.#state.send(from, { type: 'newerTerm', term });
      return;
    }
    this.#stepInTerm(from, message, now);
    // One that was told to take over, but not in time, has only ended this leader's term: it may lead again, unless the others know better.
    const { leader, votedFor } = this.#state;
    if (led && this.#leadership === undefined && leader === undefined && votedFor === undefined) {
      this.#campaign.standAgain(now);
    }
  }

  /** Answers `termWanted`; undefined: none could be had. A term that is not above all it knows is lifted. */
  campaign(given: Term | undefined): void {
    this.#campaign.termGiven(given);
  }

  /** Adds an entry of the leader's term to its log. Committed when an output's `commit` has reached the lsn while it still leads. */
  propose(entry: Uint8Array): Proposed {
    const leadership = this.#leadership;
    if (leadership === undefined) return { refused: 'notLeader' };
    if (leadership.holdsProposals) return { refused: 'handingOver' };
    if (this.#uncommittedBytes > this.#state.bounds.uncommittedBytes) return { refused: 'full' };
    return { lsn: this.#append(entry) };
  }

  /** A read that comes now needs no round: no other replica can lead before the lease is over. */
  holdsLease(nowMs: number): boolean {
    return this.#serving && this.#leadership?.holdsLease(nowMs) === true;
  }

  /** `read` is confirmed or refused by a notice; at once when the lease holds. */
  read(read: number, nowMs: number): void {
    const leadership = this.#leadership;
    const { notices, bounds } = this.#state;
    if (leadership === undefined || leadership.reads.size >= bounds.waitingReads) {
      notices.push({ type: 'readRefused', read });
    } else if (this.holdsLease(nowMs)) {
      notices.push({ type: 'readConfirmed', read, lsn: this.commit });
    } else leadership.reads.add(read, lsn(Math.max(this.commit, leadership.barrier)));
  }

  /** One member at a time, and only after the change before and an entry of this term are committed. */
  change(change: ConfigurationChange, nowMs: number): ChangeAnswer {
    const leadership = this.#leadership;
    if (leadership === undefined) return { refused: 'this replica does not lead the shard' };
    if (!this.#serving) return { refused: "nothing of the leader's own term is committed yet" };
    if (leadership.transferring) return { refused: 'the shard is being handed over' };
    if (this.log.configuration.lsn > this.commit) return { refused: 'the change before is not committed yet' };
    const next = changed(this.configuration, change);
    if (typeof next === 'string') return { refused: next };
    if (change.type === 'promote' && !this.#hasCaughtUp(leadership, change.id)) {
      return { refused: `${change.id} must catch up first: it is too far behind entry ${this.log.lastLsn}` };
    }
    const { voters } = next;
    // In force once appended: what they cannot commit, nobody could take back.
    if (voters.length !== this.configuration.voters.length && !leadership.majorityKeepsUp(voters, nowMs)) {
      return { refused: `no majority of the voters there would be (${voters.join(', ')}) answers and keeps up` };
    }
    const at = this.#append(configurationEntry(next));
    leadership.configured(nowMs);
    return { lsn: at };
  }

  /** Planned hand-over to another voter: it catches up, then stands at once. Proposals are refused from when it is close, for `handOverMs` at most. */
  transfer(to: DirectoryId, nowMs: number): 'started' | 'refused' {
    const leadership = this.#leadership;
    if (leadership === undefined || !this.#serving || leadership.transferring || to === this.self) return 'refused';
    if (!isVoter(this.configuration, to)) return 'refused';
    leadership.startTransfer(to, nowMs);
    leadership.pursueTransfer(nowMs);
    return 'started';
  }

  /** The store has applied and trimmed the log up to here. */
  trimmed(to: Lsn): void {
    this.log.trimTo(lsn(Math.min(to, this.commit, this.durable)));
  }

  /** Answers `load`; none: they are gone or could not be read, and are asked for again. */
  loaded(to: DirectoryId, entries: readonly LogEntry[]): void {
    this.#leadership?.loaded(to, entries, this.commit);
  }

  /** Answers `snapshotWanted`: the state of one committed lsn can be read chunk by chunk. */
  snapshotReady(to: DirectoryId, meta: SnapshotMeta): void {
    if (this.#leadership === undefined) this.#state.notices.push({ type: 'snapshotDone', to, id: meta.id });
    else this.#leadership.snapshotReady(to, meta);
  }

  snapshotFailed(to: DirectoryId): void {
    this.#leadership?.snapshotFailed(to);
  }

  /** Answers `chunkWanted`. */
  chunkRead(to: DirectoryId, id: string, chunk: SnapshotChunk): void {
    const snapshot = this.#leadership?.snapshotOf(to);
    if (snapshot?.meta.id !== id) return;
    snapshot.reading = false;
    const { meta, next } = snapshot;
    if (chunk.index === next) this.#state.send(to, { type: 'snapshotChunk', term: this.term, meta, chunk });
  }

  /** Everything to do since the last call, once. */
  take(): Output {
    const state = this.#state;
    this.#leadership?.feed(this.commit);
    this.#leadership?.confirmReads(this.commit);
    this.log.evict(state.bounds.cachedBytes, lsn(Math.min(this.#handedOut, this.durable)));
    this.#handedOut = this.commit;
    const { messages, notices } = state;
    state.messages = [];
    state.notices = [];
    return { persist: state.durability.take(), messages, notices, commit: this.commit };
  }

  // ---------------------------------------------------------------- in its term

  #stepInTerm(from: DirectoryId, message: Message, now: Now): void {
    const { nowMs } = now;
    const leadership = this.#leadership;
    switch (message.type) {
      case 'preVote':
      case 'preVoteReply':
      case 'newerTerm':
        return;
      case 'vote':
        this.#campaign.onVote(from, message, now);
        return;
      case 'voteReply':
        this.#campaign.onVoteReply(from, message, now);
        return;
      case 'append':
        if (this.#obey(from, now)) this.#following.onAppend(from, message);
        return;
      case 'heartbeat':
        if (!this.#obey(from, now)) return;
        this.#following.onHeartbeat(message);
        this.#state.send(from, { type: 'heartbeatReply', term: this.term, round: message.round });
        return;
      case 'snapshotChunk':
        if (this.#obey(from, now)) this.#following.onChunk(from, message);
        return;
      case 'timeoutNow':
        if (this.#state.leader === from && this.#state.mayStand) this.#campaign.takeOver();
        return;
      case 'appendReply':
        leadership?.matched(from, message.match, nowMs);
        break;
      case 'appendRefusal':
        leadership?.refused(from, message.rejected, message.hint, nowMs);
        break;
      case 'resend':
        leadership?.resend(from, message.from, nowMs);
        break;
      case 'heartbeatReply':
        leadership?.beatAnswered(from, message.round, nowMs);
        return;
      case 'snapshotReply':
        leadership?.snapshotAnswered(from, message, nowMs);
        break;
    }
    leadership?.pursueTransfer(nowMs);
    this.#advanceCommit();
  }

  /** Its leader speaks. False: that cannot be, there is one leader in a term. */
  #obey(from: DirectoryId, now: Now): boolean {
    const state = this.#state;
    if (this.#leadership !== undefined || (state.leader !== undefined && state.leader !== from)) return false;
    if (state.leader === undefined) {
      this.#campaign.decided();
      state.leader = from;
      state.notices.push({ type: 'following', term: this.term, leader: from });
    }
    state.refuseVotesUntilMs = now.nowMs + state.times.electionMs;
    state.promisedTo = from;
    state.postponeElection(now);
    return true;
  }

  // ---------------------------------------------------------------- roles

  #lead({ nowMs }: Now): void {
    const state = this.#state;
    this.#following.stopReceiving();
    this.#uncommittedBytes = this.log.bytesOf(lsn(this.commit + 1), this.log.lastLsn);
    this.#leadership = new Leadership({
      self: this.self,
      term: this.term,
      log: this.log,
      times: state.times,
      bounds: state.bounds,
      nowMs,
      durable: () => this.durable,
      send: (to, message) => state.send(to, message),
      notice: (notice) => state.notices.push(notice),
    });
    const barrier = this.#append(BARRIER_ENTRY);
    state.notices.push({ type: 'elected', term: this.term, barrier });
  }

  /** A newer term than its own. */
  #enter(from: DirectoryId, message: Message, now: Now): void {
    this.#campaign.hear(message.term);
    const takesOver = isLeaders(message) || (message.type === 'vote' && message.reason === 'transfer');
    this.#follow(message.term, takesOver ? from : undefined, now);
  }

  /** Enters a term as a follower of nobody yet, or stops leading in its own. */
  #follow(inTerm: Term, successor: DirectoryId | undefined, now: Now): void {
    const state = this.#state;
    const led = this.#leadership;
    if (inTerm > state.term) {
      state.term = inTerm;
      state.votedFor = undefined;
    }
    if (led !== undefined || state.leader !== undefined) {
      state.notices.push({ type: 'following', term: state.term, leader: undefined });
    }
    state.verified = lsn(0);
    state.leader = undefined;
    state.postponeElection(now);
    this.#campaign.end();
    this.#leadership = undefined;
    this.#serving = false;
    led?.end(successor);
  }

  #advanceCommit(): void {
    const leadership = this.#leadership;
    if (leadership === undefined) return;
    const before = this.commit;
    const committable = leadership.committable();
    if (committable !== undefined) this.#state.commitTo(committable);
    this.#uncommittedBytes -= this.log.bytesOf(lsn(before + 1), this.commit);
    if (!this.#serving && this.commit >= leadership.barrier) {
      this.#serving = true;
      this.#state.notices.push({ type: 'leading', term: this.term, lsn: this.commit });
    }
    const { lsn: configuredAt, configuration } = this.log.configuration;
    if (isMember(configuration, this.self) || configuredAt > this.commit) return;
    // A leader that is no member any more has done its last duty.
    this.#state.notices.push({ type: 'following', term: this.term, leader: undefined });
    this.#leadership = undefined;
    this.#serving = false;
    leadership.end(undefined);
  }

  /** And holds the entry that made it a learner: a voter whose log names nobody would have no vote after a crash. */
  #hasCaughtUp(leadership: Leadership, id: DirectoryId): boolean {
    const match = leadership.progressOf(id)?.match ?? 0;
    return match >= this.log.configuration.lsn && this.log.lastLsn - match <= this.#state.bounds.promotableLag;
  }

  #append(entry: Uint8Array): Lsn {
    const { last } = this.log;
    const at = lsn(last.lsn + 1);
    this.#state.append({ lsn: at, term: this.term, chain: chainOf(last.chain, this.term, at, entry), entry });
    this.#uncommittedBytes += entry.length;
    return at;
  }
}

/** Only the leader of its term sends it. */
function isLeaders({ type }: Message): boolean {
  return type === 'append' || type === 'heartbeat' || type === 'snapshotChunk';
}
