// The leader's side of one term: feeds the followers, counts what is durable, commits only through an entry of its own term (Raft §5.4.2),
// confirms reads, and steps down when a majority has not answered for one election timeout. Keeps I1 to I3. Made by Replica on election.

import { type Lsn, lsn, type Term } from '../../../src/ports/ids.ts';
import type { LogEntry } from '../../../src/ports/store.ts';
import { type Configuration, isMember } from './configuration.ts';
import type { DirectoryId } from './ids.ts';
import { Lease } from './lease.ts';
import type { LogView } from './log.ts';
import type { Message, SnapshotMeta } from './message.ts';
import type { ReplicaBounds, ReplicaTimes } from './options.ts';
import type { Notice } from './output.ts';
import { Progress } from './progress.ts';
import { majorityLsn, majorityOf, reachedByMajority } from './quorum.ts';
import { Reads } from './reads.ts';
import { SnapshotSend } from './snapshot-transfer.ts';

export interface LeadershipOptions {
  self: DirectoryId;
  term: Term;
  log: LogView;
  times: ReplicaTimes;
  bounds: ReplicaBounds;
  nowMs: number;
  /** Up to here its own disk has the log. */
  durable(): Lsn;
  send(to: DirectoryId, message: Message): void;
  notice(notice: Notice): void;
}

/** Hand-over under way: proposals are taken while the target catches up, held for what it then still lacks, and until it stands. */
interface Transfer {
  readonly to: DirectoryId;
  stage: 'catching up' | 'holding' | 'told';
  /** Of the stage; the last two share theirs. */
  untilMs: number;
}

/** Beats within which a member must have answered: a target of a hand-over would not get what it lacks by then, a voter not decide. */
const ANSWER_BEATS = 2;

export class Leadership {
  readonly term: Term;
  /** Its first entry. */
  readonly barrier: Lsn;
  readonly reads: Reads;
  readonly #options: LeadershipOptions;
  readonly #log: LogView;
  readonly #lease: Lease;
  readonly #progress = new Map<DirectoryId, Progress>();
  readonly #snapshots = new Map<DirectoryId, SnapshotSend>();
  /** Removed, but still to be told so: until when. */
  readonly #leaving = new Map<DirectoryId, { lsn: Lsn; untilMs: number }>();
  readonly #electedAtMs: number;
  #transfer: Transfer | undefined;
  #beatDueAtMs = 0;
  /** Where its log ended at the last heartbeat, and at the one before: what was appended until then is taken by whoever keeps up. */
  #lastAtBeat: Lsn;
  #dueLsn: Lsn;
  /** The last change of the members, or else the barrier, and when it was appended, ms: who has it answered what was said then. */
  #dated: { lsn: Lsn; atMs: number };

  constructor(options: LeadershipOptions) {
    this.#options = options;
    this.term = options.term;
    this.#log = options.log;
    this.barrier = lsn(options.log.lastLsn + 1);
    this.#lastAtBeat = options.log.lastLsn;
    this.#dueLsn = options.log.lastLsn;
    this.#dated = { lsn: this.barrier, atMs: options.nowMs };
    this.reads = new Reads(options.times.electionMs);
    this.#lease = new Lease(options.times);
    this.#electedAtMs = options.nowMs;
    this.#admit(options.nowMs);
  }

  get transferring(): boolean {
    return this.#transfer !== undefined;
  }

  /** Nothing may be added to the log: what the target has must be all. */
  get holdsProposals(): boolean {
    return this.#transfer !== undefined && this.#transfer.stage !== 'catching up';
  }

  get #configuration(): Configuration {
    return this.#log.configuration.configuration;
  }

  progressOf(id: DirectoryId): Progress | undefined {
    return this.#progress.get(id);
  }

  /** Up to here every member has the log, or will have by its snapshot: what is above may still be asked for. */
  slowestMatch(): Lsn {
    let slowest: number = this.#log.lastLsn;
    for (const [id, { match }] of this.#progress) {
      slowest = Math.min(slowest, Math.max(match, this.#snapshots.get(id)?.meta.lsn ?? 0));
    }
    return lsn(slowest);
  }

  /** The configuration may have changed: new members are fed, removed ones are told and let go. */
  configured(nowMs: number): void {
    this.#dated = { lsn: this.#log.configuration.lsn, atMs: nowMs };
    this.#admit(nowMs);
    for (const id of this.#progress.keys()) {
      if (isMember(this.#configuration, id)) this.#leaving.delete(id);
      else if (!this.#leaving.has(id)) {
        const untilMs = nowMs + 4 * this.#options.times.electionMs;
        this.#leaving.set(id, { lsn: this.#log.configuration.lsn, untilMs });
      }
    }
    if (this.#transfer !== undefined && !this.#configuration.voters.includes(this.#transfer.to)) this.#endTransfer();
  }

  // ---------------------------------------------------------------- commit

  /** The highest lsn this leader may call committed: held by a majority, and of its own term. */
  committable(): Lsn | undefined {
    const reached = this.majorityReached((id) => this.#matchOf(id));
    return this.mayCommit(reached) ? reached : undefined;
  }

  #matchOf(id: DirectoryId): Lsn {
    const { self, durable } = this.#options;
    return id === self ? durable() : (this.#progress.get(id)?.match ?? lsn(0));
  }

  /** Over the voters of the log's own configuration. */
  majorityReached(matchOf: (id: DirectoryId) => Lsn): Lsn {
    return majorityLsn(this.#configuration.voters, matchOf);
  }

  /** What a majority holds of an earlier term can still be overwritten. */
  mayCommit(at: Lsn): boolean {
    return this.#log.positionAt(at)?.term === this.term;
  }

  /** When a majority was last heard, or the election was won. */
  hasQuorum(nowMs: number): boolean {
    const { self, times } = this.#options;
    const heard = (id: DirectoryId) => (id === self ? nowMs : (this.#progress.get(id)?.heardAtMs ?? 0));
    const heardAtMs = Math.max(this.#electedAtMs, reachedByMajority(this.#configuration.voters, heard));
    return nowMs - heardAtMs < times.electionMs;
  }

  // ---------------------------------------------------------------- feeding

  /** Sends what each follower can take. Called at the end of every drain. */
  feed(commit: Lsn): void {
    for (const to of this.#members()) this.#feed(to, commit);
  }

  /** Nobody can be sent anything now. */
  get isFed(): boolean {
    const { lastLsn } = this.#log;
    for (const progress of this.#progress.values()) {
      if (progress.canSend && (progress.next <= lastLsn || progress.state === 'probe')) return false;
    }
    return true;
  }

  #feed(to: DirectoryId, commit: Lsn): void {
    const progress = this.#progress.get(to);
    if (progress === undefined) return;
    while (progress.canSend && (progress.next <= this.#log.lastLsn || progress.state === 'probe')) {
      const previous = this.#log.positionAt(lsn(progress.next - 1));
      if (previous === undefined) {
        progress.awaitSnapshot();
        this.#options.notice({ type: 'snapshotWanted', to, atLeast: this.#log.base.lsn });
        return;
      }
      const { messageBytes } = this.#options.bounds;
      const entries = this.#log.entries(progress.next, this.#log.lastLsn, messageBytes);
      if (entries === 'stored') {
        progress.paused = true;
        this.#options.notice({ type: 'load', to, from: progress.next, maxBytes: messageBytes });
        return;
      }
      this.#append(to, progress, entries, commit);
    }
  }

  #append(to: DirectoryId, progress: Progress, entries: readonly LogEntry[], commit: Lsn): void {
    const previous = this.#log.positionAt(lsn(progress.next - 1));
    if (previous === undefined) return;
    this.#options.send(to, { type: 'append', term: this.term, previous, entries, commit });
    const last = lsn(previous.lsn + entries.length);
    progress.sent(
      last,
      entries.reduce((sum, { entry }) => sum + entry.length, 0),
    );
  }

  /** Entries that were read for a follower. Those that no longer fit are dropped: it is fed again. */
  loaded(to: DirectoryId, entries: readonly LogEntry[], commit: Lsn): void {
    const progress = this.#progress.get(to);
    if (progress === undefined || progress.state === 'snapshot') return;
    progress.paused = false;
    const [first] = entries;
    if (first === undefined || first.lsn !== progress.next || !progress.canSend) return;
    const known = entries.filter((entry) => this.#log.positionAt(entry.lsn)?.chain === entry.chain);
    if (known.length === entries.length) this.#append(to, progress, entries, commit);
  }

  matched(from: DirectoryId, match: Lsn, nowMs: number): void {
    const progress = this.#heard(from, nowMs);
    if (progress === undefined || match > this.#log.lastLsn) return;
    progress.matched(match);
    // Changes that follow an election, or each other, wait for no beat.
    if (match >= this.#dated.lsn) progress.answered(this.#dated.atMs);
    if (progress.state === 'snapshot' && match >= this.#log.base.lsn) this.#endSnapshot(from, progress);
  }

  refused(from: DirectoryId, rejected: Lsn, hint: { term: Term; lsn: Lsn }, nowMs: number): void {
    const best = this.#log.lastOfTermAtMost(hint.lsn, hint.term).lsn;
    // Below the base nothing is known, so what it says is what it may hold.
    this.#heard(from, nowMs)?.rejected(rejected, hint.lsn < this.#log.base.lsn ? hint.lsn : best);
  }

  resend(from: DirectoryId, at: Lsn, nowMs: number): void {
    const progress = this.#heard(from, nowMs);
    if (progress === undefined || progress.state === 'snapshot') return;
    progress.probe(lsn(Math.max(progress.match + 1, Math.min(at, this.#log.lastLsn + 1))));
  }

  // ---------------------------------------------------------------- heartbeats and reads

  /** A tick has something to do: a beat, or what waits for time to pass. */
  isDue(nowMs: number): boolean {
    return this.beatIsDue(nowMs) || this.#transfer !== undefined || this.#leaving.size > 0;
  }

  /** Whether a round goes out now: it is time, or reads wait for one. Who is alone has nobody to beat for. */
  beatIsDue(nowMs: number): boolean {
    return this.#progress.size > 0 && (nowMs >= this.#beatDueAtMs || this.reads.wantsRound);
  }

  /** Reads wait for a round that has not gone out. */
  get wantsRound(): boolean {
    return this.#progress.size > 0 && this.reads.wantsRound;
  }

  beat(round: number, nowMs: number, commit: Lsn): void {
    // On the node's beat, so that all its shards share a round; a round for reads in between is extra.
    const { heartbeatMs } = this.#options.times;
    if (nowMs >= this.#beatDueAtMs) {
      this.#dueLsn = this.#lastAtBeat;
      this.#lastAtBeat = this.#log.lastLsn;
    }
    this.#beatDueAtMs = (Math.floor(nowMs / heartbeatMs) + 1) * heartbeatMs;
    this.reads.began(round, nowMs);
    for (const to of this.#members()) {
      const match = this.#progress.get(to)?.match ?? 0;
      this.#options.send(to, { type: 'heartbeat', term: this.term, commit: lsn(Math.min(commit, match)), round });
    }
  }

  beatAnswered(from: DirectoryId, round: number, nowMs: number): void {
    const progress = this.#heard(from, nowMs);
    if (progress === undefined) return;
    const beganAtMs = this.reads.answered(from, round);
    if (beganAtMs !== undefined) {
      this.#lease.promised(from, beganAtMs);
      progress.answered(beganAtMs);
    }
    const snapshot = this.#snapshots.get(from);
    if (snapshot?.stalled()) this.#wantChunk(from, snapshot);
    if (progress.stalled(this.#log.lastLsn) && progress.state !== 'snapshot') progress.probe(lsn(progress.match + 1));
  }

  /**
   * What is appended now, it would soon have: it answered what was said lately, and what was in the log a heartbeat before the last is on its disk.
   * That a link is up says of neither: not for seconds, longest to who stood still; and beats are answered by who waits for a disk that hangs.
   */
  keepsUp(id: DirectoryId, nowMs: number): boolean {
    return this.#answers(id, nowMs) && this.#matchOf(id) >= this.#dueLsn;
  }

  majorityKeepsUp(voters: readonly DirectoryId[], nowMs: number): boolean {
    return voters.filter((id) => this.keepsUp(id, nowMs)).length >= majorityOf(voters.length);
  }

  #answers(id: DirectoryId, nowMs: number): boolean {
    const { self, times } = this.#options;
    if (id === self) return true;
    const { answeredAtMs = Number.NEGATIVE_INFINITY } = this.#progress.get(id) ?? {};
    return nowMs - answeredAtMs < ANSWER_BEATS * times.heartbeatMs;
  }

  holdsLease(nowMs: number): boolean {
    return this.#lease.holds(nowMs, this.#configuration.voters, this.#options.self);
  }

  confirmReads(commit: Lsn): void {
    if (commit < this.barrier || !this.#configuration.voters.includes(this.#options.self)) return;
    for (const { read, lsn: at } of this.reads.confirmed(this.#configuration.voters, this.#options.self)) {
      this.#options.notice({ type: 'readConfirmed', read, lsn: at });
    }
  }

  // ---------------------------------------------------------------- snapshots

  snapshotReady(to: DirectoryId, meta: SnapshotMeta): void {
    const progress = this.#progress.get(to);
    if (progress?.state !== 'snapshot' || meta.lsn < this.#log.base.lsn) {
      this.#options.notice({ type: 'snapshotDone', to, id: meta.id });
      return;
    }
    const snapshot = new SnapshotSend(meta);
    this.#snapshots.set(to, snapshot);
    this.#wantChunk(to, snapshot);
  }

  /** The follower is probed again, and may then want one anew. */
  snapshotFailed(to: DirectoryId): void {
    const progress = this.#progress.get(to);
    if (progress?.state !== 'snapshot') return;
    this.#endSnapshot(to, progress);
    progress.paused = true;
  }

  snapshotOf(to: DirectoryId): SnapshotSend | undefined {
    return this.#snapshots.get(to);
  }

  snapshotAnswered(from: DirectoryId, answer: { id: string; next: number; state: string }, nowMs: number): void {
    const progress = this.#heard(from, nowMs);
    const snapshot = this.#snapshots.get(from);
    if (progress === undefined || snapshot?.meta.id !== answer.id) return;
    if (answer.state === 'installed') {
      this.installed(progress, snapshot.meta);
      this.#endSnapshot(from, progress);
    } else if (snapshot.wants(answer.next)) this.#wantChunk(from, snapshot);
  }

  /** The follower holds exactly what the snapshot holds; the tail is still to come. */
  installed(progress: Progress, meta: SnapshotMeta): void {
    progress.matched(meta.lsn);
  }

  #wantChunk(to: DirectoryId, snapshot: SnapshotSend): void {
    snapshot.reading = true;
    this.#options.notice({ type: 'chunkWanted', to, id: snapshot.meta.id, index: snapshot.next });
  }

  #endSnapshot(to: DirectoryId, progress: Progress): void {
    const snapshot = this.#snapshots.get(to);
    this.#snapshots.delete(to);
    if (snapshot !== undefined) this.#options.notice({ type: 'snapshotDone', to, id: snapshot.meta.id });
    progress.probe(lsn(progress.match + 1));
  }

  // ---------------------------------------------------------------- hand-over

  startTransfer(to: DirectoryId, nowMs: number): void {
    this.#transfer = { to, stage: 'catching up', untilMs: nowMs + this.#options.times.electionMs };
  }

  /** Goes on with a hand-over: tells the target as soon as it has everything, and gives up when a stage takes too long. */
  pursueTransfer(nowMs: number): void {
    const transfer = this.#transfer;
    if (transfer === undefined) return;
    if (transfer.stage === 'catching up' && this.#isClose(transfer.to, nowMs)) {
      transfer.stage = 'holding';
      transfer.untilMs = nowMs + this.#options.times.handOverMs;
    }
    if (nowMs >= transfer.untilMs) {
      this.#endTransfer();
      return;
    }
    if (transfer.stage !== 'holding' || (this.#progress.get(transfer.to)?.match ?? 0) < this.#log.lastLsn) return;
    transfer.stage = 'told';
    this.#lease.revoke();
    this.#options.send(transfer.to, { type: 'timeoutNow', term: this.term });
  }

  /** It is there, takes what is sent as it comes, and lacks no more than a moment's worth. */
  #isClose(to: DirectoryId, nowMs: number): boolean {
    const progress = this.#progress.get(to);
    const { bounds } = this.#options;
    if (progress?.state !== 'replicate' || !this.#answers(to, nowMs)) return false;
    const { lastLsn } = this.#log;
    if (lastLsn - progress.match > bounds.promotableLag) return false;
    return this.#log.bytesOf(lsn(progress.match + 1), lastLsn) <= bounds.messageBytes;
  }

  #endTransfer(): void {
    const to = this.#transfer?.to;
    this.#transfer = undefined;
    if (to !== undefined) this.#options.notice({ type: 'transferEnded', to, outcome: 'abandoned' });
  }

  // ---------------------------------------------------------------- end

  /** It hears no majority, but may be heard: then whoever has most of the log need not wait for its silence. */
  resign(): void {
    const { self, send } = this.#options;
    let heir: { id: DirectoryId; match: Lsn } | undefined;
    for (const id of this.#configuration.voters) {
      const match = this.#progress.get(id)?.match;
      if (id !== self && match !== undefined && match > (heir?.match ?? 0)) heir = { id, match };
    }
    if (heir !== undefined) send(heir.id, { type: 'timeoutNow', term: this.term });
  }

  /** Another leads, or nobody. */
  end(successor: DirectoryId | undefined): void {
    for (const { read } of this.reads.takeAll()) this.#options.notice({ type: 'readRefused', read });
    for (const [to, { meta }] of this.#snapshots) this.#options.notice({ type: 'snapshotDone', to, id: meta.id });
    const to = this.#transfer?.to;
    if (to === undefined) return;
    this.#options.notice({
      type: 'transferEnded',
      to,
      outcome: successor === to ? 'handedOver' : 'abandoned',
    });
  }

  /** Those removed are fed until they know it, or for a while. */
  letGo(nowMs: number, commit: Lsn): void {
    for (const [id, leaving] of this.#leaving) {
      if ((this.#progress.get(id)?.match ?? 0) >= leaving.lsn && commit >= leaving.lsn) {
        // The next heartbeats say that it is committed.
        leaving.untilMs = Math.min(leaving.untilMs, nowMs + 2 * this.#options.times.heartbeatMs);
      }
      if (nowMs < leaving.untilMs) continue;
      this.#leaving.delete(id);
      this.#progress.delete(id);
      const snapshot = this.#snapshots.get(id);
      this.#snapshots.delete(id);
      if (snapshot !== undefined) this.#options.notice({ type: 'snapshotDone', to: id, id: snapshot.meta.id });
    }
  }

  #heard(from: DirectoryId, nowMs: number): Progress | undefined {
    const progress = this.#progress.get(from);
    if (progress === undefined) return undefined;
    progress.heardAtMs = nowMs;
    if (progress.state === 'probe') progress.paused = false;
    return progress;
  }

  #members(): Iterable<DirectoryId> {
    return this.#progress.keys();
  }

  #admit(nowMs: number): void {
    const { voters, learners } = this.#configuration;
    for (const id of [...voters, ...learners]) {
      if (id === this.#options.self || this.#progress.has(id)) continue;
      this.#progress.set(id, new Progress(lsn(this.#log.lastLsn + 1), nowMs, this.#options.bounds));
    }
  }
}
