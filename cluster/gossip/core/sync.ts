// Push/pull: two tables are compared by a digest, and each side gives what it knows better, so that gossip that missed somebody, a split
// that healed or a newcomer are made good. Costs few bytes when nothing differs. Joining is the first such comparison.

import type { Claims, Heard } from './claims.ts';
import { beats, isUp, type Member, recordOf } from './member.ts';
import type { DigestEntry, MemberRecord, Refused, Sync, SyncClose, SyncReply } from './messages.ts';
import type { Instant } from './outputs.ts';
import { type Parts, report, type Timed } from './parts.ts';
import type { Sequence } from './sequence.ts';

/** Clusters up to here compare at the plain interval. */
const SCALE_FROM = 32;

/** Tables are compared less often in larger clusters: each comparison costs more, and gossip reaches nearly all anyway. */
export function syncPauseMs(intervalMs: number, members: number): number {
  return members <= SCALE_FROM ? intervalMs : intervalMs * (1 + Math.ceil(Math.log2(members / SCALE_FROM)));
}

export interface SentSync {
  readonly id: number;
  readonly sentAt: Instant;
  /** Of our own record in it. */
  readonly incarnation: number;
}

export class Syncer implements Timed {
  readonly #parts: Parts;
  readonly #claims: Claims;
  readonly #sequence: Sequence;
  readonly #dialSync: (nowMs: number, to: string) => void;
  #nextAtMs: number;
  /** Comparisons since we joined. */
  #done = 0;
  /** Until the first comparison is over, what we learn is news to us alone. */
  #heard: Heard = 'firstSync';

  constructor(
    parts: Parts,
    claims: Claims,
    sequence: Sequence,
    nowMs: number,
    dialSync: (nowMs: number, to: string) => void,
  ) {
    this.#parts = parts;
    this.#claims = claims;
    this.#sequence = sequence;
    this.#dialSync = dialSync;
    this.#nextAtMs = nowMs + syncPauseMs(parts.config.syncIntervalMs, 1) * (1 - parts.random.next());
  }

  get dueAtMs(): number {
    return this.#nextAtMs;
  }

  run(nowMs: number): void {
    const { random, self, table } = this.#parts;
    this.#done += 1;
    this.#nextAtMs = nowMs + this.#pauseMs();
    const [peer] = table.sample(1, random, (member) => member !== self && member.state === 'alive');
    if (peer !== undefined) this.#dialSync(nowMs, peer.meta.addresses.gossip);
  }

  request(now: Instant): { message: Sync; sent: SentSync } {
    const { self, table } = this.#parts;
    const digest: DigestEntry[] = [];
    for (const member of table.values()) if (member !== self) digest.push(digestOf(member));
    const id = this.#sequence.next();
    return {
      message: { type: 'sync', id, wallMs: now.wallMs, self: recordOf(self, now.monotonicMs), digest },
      sent: { id, sentAt: now, incarnation: self.incarnation },
    };
  }

  /** The other side's part, at our door. */
  answer(now: Instant, sync: Sync): SyncReply | Refused {
    const nowMs = now.monotonicMs;
    const { self, table, config } = this.#parts;
    const { meta } = sync.self;
    const reason = this.#claims.alive(nowMs, { ...sync.self, type: 'alive' }, 'door');
    if (reason !== undefined) return this.#claims.refusal(nowMs, reason, meta);
    const theirs = new Map<string, DigestEntry>(sync.digest.map((entry) => [entry.name, entry]));
    const records: MemberRecord[] = [];
    const wants: string[] = [];
    for (const member of table.values()) {
      const { name } = member.meta;
      const entry = theirs.get(name);
      theirs.delete(name);
      if (name === meta.name) {
        // An older life of theirs, or an accusation: they must go above it.
        const stale = member.incarnation > sync.self.incarnation || member.state !== sync.self.state;
        if (stale || member.meta.instance !== meta.instance) records.push(recordOf(member, nowMs));
      } else if (member === self || entry === undefined || beats(member, entry)) {
        records.push(recordOf(member, nowMs));
      } else if (beats(entry, member)) {
        wants.push(name);
      }
    }
    for (const name of theirs.keys()) if (wants.length + table.size < config.maxMembers) wants.push(name);
    return { type: 'syncReply', id: sync.id, wallMs: now.wallMs, from: self.meta.name, records, wants };
  }

  /** What to say last; undefined: nothing. */
  reply(now: Instant, sent: SentSync, reply: SyncReply): SyncClose | undefined {
    if (reply.id !== sent.id) return undefined;
    this.#checkClock(now, sent, reply);
    const nowMs = now.monotonicMs;
    for (const record of reply.records) this.#take(nowMs, record, reply.from);
    if (this.#heard === 'firstSync') this.#nextAtMs = nowMs + this.#pauseMs();
    this.#heard = 'sync';
    const { self, table } = this.#parts;
    const wanted = new Set(reply.wants);
    // They have us as we were when we asked.
    if (self.incarnation !== sent.incarnation) wanted.add(self.meta.name);
    const records: MemberRecord[] = [];
    for (const name of wanted) {
      const member = table.get(name);
      if (member !== undefined) records.push(recordOf(member, nowMs));
    }
    return records.length === 0 ? undefined : { type: 'syncClose', from: self.meta.name, records };
  }

  close(nowMs: number, { from, records }: SyncClose): void {
    for (const record of records) this.#take(nowMs, record, from);
  }

  /** Somebody joined through us: we are no newcomer any more. */
  established(): void {
    this.#heard = 'sync';
  }

  #take(nowMs: number, record: MemberRecord, from: string): void {
    const { self, table } = this.#parts;
    const { name } = record.meta;
    const { incarnation } = record;
    const known = table.get(name);
    const ours = known === self && record.meta.instance !== self.meta.instance;
    switch (record.state) {
      case 'alive':
        this.#takeAlive(nowMs, record);
        return;
      case 'suspect':
        this.#takeAlive(nowMs, record);
        if (!ours) this.#claims.suspect(nowMs, { type: 'suspect', name, incarnation, from });
        return;
      case 'dead':
        // What they call dead we only suspect: it may have been a split, and we the ones who know better.
        if (ours) this.#takeAlive(nowMs, record);
        else if (known === undefined) this.#bury(nowMs, record);
        else if (!isUp(known)) this.#claims.dead(nowMs, { type: 'dead', name, incarnation, from });
        else if (known.meta.directoryId === record.meta.directoryId) {
          this.#claims.suspect(nowMs, { type: 'suspect', name, incarnation, from });
        }
        return;
      case 'left':
        if (ours) this.#takeAlive(nowMs, record);
        else if (known === undefined) this.#bury(nowMs, record);
        else if (known.meta.directoryId === record.meta.directoryId) {
          const { draining } = record.meta;
          this.#claims.left(nowMs, { type: 'left', name, incarnation, draining });
        }
        return;
    }
  }

  #takeAlive(nowMs: number, record: MemberRecord): void {
    const { load, loadVersion } = record;
    const { name, instance } = record.meta;
    this.#claims.alive(nowMs, { ...record, type: 'alive' }, this.#heard);
    this.#claims.load(nowMs, { type: 'load', name, instance, load, loadVersion });
  }

  /** Learned of only after its end: listed, and its name kept for it, as long as others keep it. Nobody saw it live, so nobody hears. */
  #bury(nowMs: number, { meta, incarnation, state, load, loadVersion, ageMs }: MemberRecord): void {
    const { config, table } = this.#parts;
    const retainMs = state === 'left' ? config.leftRetainMs : config.deadRetainMs;
    if (ageMs >= retainMs || table.size >= config.maxMembers) return;
    const sinceMs = nowMs - ageMs;
    table.add({ meta, incarnation, state, sinceMs, instanceSinceMs: nowMs, load, loadVersion });
  }

  #checkClock(now: Instant, { sentAt }: SentSync, { wallMs, from: name }: SyncReply): void {
    const tripMs = now.monotonicMs - sentAt.monotonicMs;
    const skewMs = Math.round(wallMs - (sentAt.wallMs + tripMs / 2));
    if (Math.abs(skewMs) <= this.#parts.config.clockSkewMs + tripMs / 2) return;
    const [by, side] = [Math.abs(skewMs), skewMs > 0 ? 'ahead of' : 'behind'];
    const message = `the clock of node ${JSON.stringify(name)} is ${by} ms ${side} this node's: synchronize both (NTP)`;
    report(this.#parts, `clockSkew ${name}`, now.monotonicMs, { kind: 'clockSkew', name, skewMs, message });
  }

  /**
   * A newcomer compares soon again, then with doubling pauses: those who join at the same time miss each other, since the news of each is told to the
   * few who were there. Jitter keeps nodes that were started together apart.
   */
  #pauseMs(): number {
    const { config, random, table } = this.#parts;
    const full = syncPauseMs(config.syncIntervalMs, table.up);
    return Math.min(full, config.probeIntervalMs * 2 ** Math.min(this.#done, 30)) * (0.75 + 0.5 * random.next());
  }
}

const digestOf = ({ meta, incarnation, state }: Member): DigestEntry => ({ name: meta.name, incarnation, state });
