// A few replicas over perfect disks and a network that a test moves by hand, and the transcript of what happened: scenarios read as scripts.

import { lsn, term } from '../../../src/ports/ids.ts';
import type { LogEntry } from '../../../src/ports/store.ts';
import { type Configuration, configurationOf } from './configuration.ts';
import { contentOf, firstEntry } from './entry.ts';
import { type DirectoryId, directoryId } from './ids.ts';
import { EMPTY_BASE } from './log.ts';
import type { Message } from './message.ts';
import type { ReplicaBounds } from './options.ts';
import type { Notice, Outgoing } from './output.ts';
import { Replica } from './replica.ts';
import type { Restored } from './state.ts';

export const TIMES = {
  electionMs: 1_000,
  electionSpreadMs: 500,
  heartbeatMs: 200,
  termWaitMs: 100,
  handOverMs: 400,
  clockDrift: 0.05,
};

export const id = (name: string): DirectoryId => directoryId(name);
export const bytes = (text: string): Uint8Array => Buffer.from(text);

interface Member {
  replica: Replica;
  /** What is on its disk. */
  entries: LogEntry[];
  restored: Restored;
  /** `held`: nothing becomes durable until `sync`. */
  disk: 'instant' | 'held';
  durable: number;
  unsynced: number[];
  waiting: Outgoing[];
}

interface Envelope {
  readonly from: DirectoryId;
  readonly to: DirectoryId;
  readonly message: Message;
}

export class Script {
  readonly members = new Map<string, Member>();
  readonly lines: string[] = [];
  readonly notices: (Notice & { at: string })[] = [];
  network: Envelope[] = [];
  /** `a>b`: nothing passes. */
  readonly cut = new Set<string>();
  nowMs = 0;
  round = 0;
  /** What the coordinator gives; undefined: it is away. */
  terms: (above: number) => number | undefined = (above) => above + 1;
  readonly #bounds: Partial<ReplicaBounds>;

  constructor(names: readonly string[], bounds: Partial<ReplicaBounds> = {}) {
    this.#bounds = bounds;
    const configuration = configurationOf(names.map(id));
    for (const name of names) this.add(name, [firstEntry(configuration)]);
  }

  add(name: string, entries: readonly LogEntry[] = []): void {
    this.#start(name, { base: EMPTY_BASE, entries, term: term(0), votedFor: undefined });
  }

  #start(name: string, restored: Restored): void {
    const replica = new Replica({
      self: id(name),
      restored,
      nowMs: this.nowMs,
      random: 0,
      times: TIMES,
      bounds: this.#bounds,
    });
    this.members.set(name, {
      replica,
      restored,
      entries: [...restored.entries],
      disk: 'instant',
      durable: 0,
      unsynced: [],
      waiting: [],
    });
  }

  /** Back with what its disk holds. */
  restart(name: string): void {
    const { restored, entries } = this.member(name);
    this.lines.push(`${name} restarts`);
    this.#start(name, { ...restored, entries });
  }

  member(name: string): Member {
    const member = this.members.get(name);
    if (member === undefined) throw new Error(`no replica ${name}`);
    return member;
  }

  replica(name: string): Replica {
    return this.member(name).replica;
  }

  /** Does something to one replica, and what comes of it, but for deliveries. */
  do<T>(name: string, work: (replica: Replica) => T): T {
    const result = work(this.replica(name));
    this.drain(name);
    return result;
  }

  /** ms pass for those named, or all. */
  pass(ms: number, names: Iterable<string> = this.members.keys()): void {
    this.nowMs += ms;
    for (const name of names) {
      this.round += 1;
      this.do(name, (replica) => replica.tick({ nowMs: this.nowMs, round: this.round, random: 0 }));
    }
  }

  /** ms after ms until this replica stands for election. */
  elect(name: string): void {
    this.nowMs += 2 * TIMES.electionMs;
    this.pass(0, [name]);
    this.deliver();
  }

  /** Everything on the network arrives, and what is said in answer. */
  deliver(limit = 10_000): void {
    for (let n = 0; n < limit; n += 1) {
      const next = this.network.shift();
      if (next === undefined) return;
      const { from, to, message } = next;
      if (this.cut.has(`${from}>${to}`) || !this.members.has(to)) continue;
      this.lines.push(`${from} → ${to} ${shown(message)}`);
      this.do(to, (replica) => replica.step(from, message, { nowMs: this.nowMs, random: 0 }));
    }
  }

  sync(name: string): void {
    const member = this.member(name);
    const steps = member.unsynced.splice(0);
    for (const seq of steps) this.#persisted(name, seq);
  }

  drain(name: string): void {
    const member = this.member(name);
    const { persist, messages, notices } = member.replica.take();
    if (persist !== undefined) {
      const { vote, truncateAfter, entries, install, seq } = persist;
      if (vote !== undefined) member.restored = { ...member.restored, term: vote.term, votedFor: vote.candidate };
      if (install !== undefined) {
        member.restored = { ...member.restored, base: install };
        member.entries = [];
      }
      if (truncateAfter !== undefined) member.entries = member.entries.filter((entry) => entry.lsn <= truncateAfter);
      member.entries.push(...entries);
      this.lines.push(`${name} persists ${shownPersist(persist)}`);
      if (member.disk === 'held') member.unsynced.push(seq);
      else {
        member.waiting.push(...messages);
        messages.length = 0;
        this.#notice(name, notices.splice(0));
        this.#persisted(name, seq);
      }
    }
    for (const outgoing of messages) {
      if (outgoing.after <= member.durable) this.network.push({ from: id(name), ...outgoing });
      else member.waiting.push(outgoing);
    }
    this.#notice(name, notices);
  }

  #persisted(name: string, seq: number): void {
    const member = this.member(name);
    member.durable = seq;
    member.replica.persisted(seq, { nowMs: this.nowMs, random: 0 });
    const ready = member.waiting.filter(({ after }) => after <= seq);
    member.waiting = member.waiting.filter(({ after }) => after > seq);
    for (const outgoing of ready) this.network.push({ from: id(name), ...outgoing });
    this.drain(name);
  }

  #notice(name: string, notices: readonly Notice[]): void {
    for (const notice of notices) {
      this.notices.push({ ...notice, at: name });
      this.lines.push(`${name} ${shownNotice(notice)}`);
      if (notice.type !== 'termWanted') continue;
      const given = this.terms(notice.above);
      if (given !== undefined) this.do(name, (replica) => replica.campaign(term(given)));
    }
  }

  /** What was said since the last call. */
  transcript(): string {
    return this.lines.splice(0).join('\n');
  }

  /** Data entries of a replica's log that are committed, as text. */
  committed(name: string): string[] {
    const { log, commit } = this.replica(name);
    const found = log.entries(lsn(log.base.lsn + 1), commit, Number.POSITIVE_INFINITY);
    if (found === 'stored') throw new Error('not in memory');
    return found
      .filter(({ entry }) => contentOf(entry).kind === 'data')
      .map(({ entry }) => Buffer.from(entry).toString());
  }
}

const shownConfiguration = ({ voters, learners }: Configuration): string =>
  learners.length === 0 ? voters.join('+') : `${voters.join('+')} learning ${learners.join('+')}`;

function shownEntry({ lsn: at, term: inTerm, entry }: LogEntry): string {
  const content = contentOf(entry);
  switch (content.kind) {
    case 'data':
      return `${at}@${inTerm} ${Buffer.from(entry).toString()}`;
    case 'configuration':
      return `${at}@${inTerm} {${shownConfiguration(content.configuration)}}`;
    default:
      return `${at}@${inTerm} ${content.kind}`;
  }
}

function shownPersist({
  vote,
  chunks,
  install,
  truncateAfter,
  entries,
}: NonNullable<ReturnType<Replica['take']>['persist']>): string {
  const parts = [
    ...(vote === undefined ? [] : [`vote ${vote.candidate}@${vote.term}`]),
    ...chunks.map(({ chunk }) => `chunk ${chunk.index}`),
    ...(install === undefined ? [] : [`install ${install.lsn}@${install.term}`]),
    ...(truncateAfter === undefined ? [] : [`truncate after ${truncateAfter}`]),
    ...entries.map(shownEntry),
  ];
  return parts.join(', ');
}

function shown(message: Message): string {
  switch (message.type) {
    case 'preVote':
    case 'vote':
      return `${message.type}@${message.term}, log ends ${message.end.lsn}@${message.end.term}`;
    case 'preVoteReply':
    case 'voteReply':
      return `${message.type}@${message.term} ${message.answer}`;
    case 'append': {
      const { previous, entries, commit } = message;
      const list = entries.length === 0 ? 'nothing' : entries.map(shownEntry).join(', ');
      return `append@${message.term} after ${previous.lsn}@${previous.term}: ${list}; commit ${commit}`;
    }
    case 'appendReply':
      return `appendReply@${message.term} match ${message.match}`;
    case 'appendRefusal':
      return `appendRefusal@${message.term} of ${message.rejected}, at best ${message.hint.lsn}@${message.hint.term}`;
    case 'resend':
      return `resend@${message.term} from ${message.from}`;
    case 'heartbeat':
      return `heartbeat@${message.term} commit ${message.commit}`;
    case 'snapshotChunk':
      return `snapshotChunk@${message.term} of ${message.meta.lsn}: ${message.chunk.index} ${message.chunk.place}`;
    case 'snapshotReply':
      return `snapshotReply@${message.term} ${message.state}, next ${message.next}`;
    default:
      return `${message.type}@${message.term}`;
  }
}

function shownNotice(notice: Notice): string {
  switch (notice.type) {
    case 'elected':
      return `is elected in term ${notice.term}`;
    case 'leading':
      return `leads from ${notice.lsn}@${notice.term}`;
    case 'following':
      return `follows ${notice.leader ?? 'nobody'} in term ${notice.term}`;
    case 'termWanted':
      return `wants a term above ${notice.above}`;
    case 'termHeard':
      return `has heard of term ${notice.term}`;
    case 'readConfirmed':
      return `confirms read ${notice.read} at ${notice.lsn}`;
    case 'readRefused':
      return `refuses read ${notice.read}`;
    case 'configured':
      return `is configured {${shownConfiguration(notice.configuration)}} at ${notice.lsn}`;
    case 'transferEnded':
      return `ends the transfer to ${notice.to}: ${notice.outcome}`;
    case 'installed':
      return `installs the snapshot of ${notice.meta.lsn}`;
    case 'damaged':
      return `is damaged at ${notice.lsn}`;
    default:
      return `${notice.type} ${notice.to}`;
  }
}
