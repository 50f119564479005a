// The follower's side: takes what its leader sends, appends or a snapshot, and answers when it is durable (I1). Called by Replica, which has
// made sure that the sender is the leader of the replica's own term.

import { type Lsn, lsn } from '../../../src/ports/ids.ts';
import { judgeAppend } from './follower.ts';
import type { DirectoryId } from './ids.ts';
import type { Message, SnapshotMeta } from './message.ts';
import { SnapshotReceive } from './snapshot-transfer.ts';
import type { ReplicaState } from './state.ts';

type Of<T extends Message['type']> = Extract<Message, { type: T }>;

export class Following {
  readonly #state: ReplicaState;
  #receiving: SnapshotReceive | undefined;

  constructor(state: ReplicaState) {
    this.#state = state;
  }

  /** What was received of a snapshot is void. */
  stopReceiving(): void {
    this.#receiving = undefined;
  }

  onAppend(from: DirectoryId, message: Of<'append'>): void {
    const state = this.#state;
    const { term } = state;
    if (state.damagedAt !== undefined) return;
    const verdict = this.judge(message);
    switch (verdict.kind) {
      case 'refused': {
        const { hint } = verdict;
        state.send(from, { type: 'appendRefusal', term, rejected: message.previous.lsn, hint });
        return;
      }
      case 'damaged':
        state.damagedAt = verdict.lsn;
        state.notices.push({ type: 'damaged', lsn: verdict.lsn, what: verdict.what });
        return;
      case 'agrees': {
        const { match, damagedFrom } = verdict;
        this.#receiving = undefined;
        if (verdict.truncateAfter !== undefined) state.truncateAfter(verdict.truncateAfter);
        for (const entry of verdict.entries) state.append(entry);
        if (match > state.verified) state.verified = match;
        state.send(from, { type: 'appendReply', term, match }, state.durability.after(match));
        if (damagedFrom !== undefined) state.send(from, { type: 'resend', term, from: damagedFrom });
        this.#learnCommit(message.commit);
        return;
      }
    }
  }

  judge(message: Of<'append'>): ReturnType<typeof judgeAppend> {
    return judgeAppend(this.#state.log, this.#state.commit, message);
  }

  /**
   * A leader tells nobody of a commit past what that one has acknowledged in its term, so what is told is in this log as it is in the leader's;
   * also after a restart, which forgets what was verified.
   */
  onHeartbeat({ commit }: Of<'heartbeat'>): void {
    this.#state.commitTo(lsn(Math.min(commit, this.#state.log.lastLsn)));
  }

  #learnCommit(told: Lsn): void {
    this.#state.commitTo(lsn(Math.min(told, this.#state.verified)));
  }

  onChunk(from: DirectoryId, { meta, chunk }: Of<'snapshotChunk'>): void {
    const state = this.#state;
    const own = state.log.positionAt(meta.lsn);
    const holds = own !== undefined && own.term === meta.term && own.chain === meta.chain;
    if (meta.lsn <= state.commit || (holds && state.damagedAt === undefined)) {
      this.#receiving = undefined;
      if (holds && meta.lsn > state.verified) state.verified = meta.lsn;
      if (holds) this.#learnCommit(meta.lsn);
      const after = state.durability.after(lsn(Math.min(meta.lsn, state.log.lastLsn)));
      this.#answer(from, { id: meta.id, next: chunk.index, state: 'installed' }, after);
      return;
    }
    if (this.#receiving?.meta.id !== meta.id) this.#receiving = new SnapshotReceive(meta);
    const receiving = this.#receiving;
    const verdict = receiving.offer(chunk);
    const { next } = receiving;
    const after = verdict === 'unwanted' ? state.durability.newest : state.durability.chunk(meta, chunk);
    if (verdict === 'complete') this.#install(from, meta, next);
    else this.#answer(from, { id: meta.id, next, state: 'receiving' }, after);
  }

  #install(from: DirectoryId, meta: SnapshotMeta, next: number): void {
    this.#receiving = undefined;
    this.#state.reset(meta);
    const after = this.#state.durability.install(meta);
    this.#state.notices.push({ type: 'installed', meta, after });
    this.#answer(from, { id: meta.id, next, state: 'installed' }, after);
  }

  #answer(
    to: DirectoryId,
    answer: { id: string; next: number; state: 'receiving' | 'installed' },
    after: number,
  ): void {
    this.#state.send(to, { type: 'snapshotReply', term: this.#state.term, ...answer }, after);
  }
}
