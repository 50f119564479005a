// A coordinator's server in memory. Cores are coordinated by one in the process that started them (ipc/). Tests and the simulator put clients
// (client.ts) before it, and make it as bad as a real one can be: it loses its last seconds, is wiped, falls back in a counter. Only what it *stores* is here; what happens to calls on their way is the clients' matter.

import type { Clock } from '../../../src/ports/clock.ts';
import {
  type ClusterRecord,
  type LeaderHint,
  type NodeSession,
  PEER_KEPT_MS,
  type Peer,
  type PublishedPlan,
} from '../../../src/ports/coordinator.ts';
import { type ShardId, type Term, term } from '../../../src/ports/ids.ts';

interface Lease {
  readonly session: NodeSession;
  readonly expiresAtMs: number;
}

/** Changes that can still be taken back: past it the oldest stay. */
const MAX_HISTORY = 10_000;

export class MemoryCoordinatorServer {
  readonly #clock: Clock;
  readonly #cluster = new Map<'record', ClusterRecord>();
  readonly #plan = new Map<'plan', PublishedPlan>();
  readonly #leases = new Map<string, Lease>();
  readonly #terms = new Map<ShardId, Term>();
  readonly #leaders = new Map<ShardId, LeaderHint>();
  readonly #peers = new Map<string, { readonly peer: Peer; readonly seenAtMs: number }>();
  /** How to take back each change, oldest first. */
  #history: { readonly atMs: number; readonly undo: () => void }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Everything is gone: restarted empty, or flushed. */
  wipe(): void {
    for (const map of [this.#cluster, this.#plan, this.#leases, this.#terms, this.#leaders, this.#peers]) map.clear();
    this.#history = [];
  }

  /** What was written in the last `ms` is gone: a crash before the next fsync, or a fail-over to a replica that lagged. */
  loseLast(ms: number): void {
    const sinceMs = this.#clock.monotonic() - ms;
    for (let last = this.#history.at(-1); last !== undefined && last.atMs > sinceMs; last = this.#history.at(-1)) {
      last.undo();
      this.#history.pop();
    }
  }

  /** As it is now, and from now on apart: the one that a fail-over leaves behind, and that some still speak to. */
  copy(): MemoryCoordinatorServer {
    const copy = new MemoryCoordinatorServer(this.#clock);
    for (const [key, value] of this.#cluster) copy.#cluster.set(key, value);
    for (const [key, value] of this.#plan) copy.#plan.set(key, value);
    for (const [key, value] of this.#leases) copy.#leases.set(key, value);
    for (const [key, value] of this.#terms) copy.#terms.set(key, value);
    for (const [key, value] of this.#leaders) copy.#leaders.set(key, value);
    for (const [key, value] of this.#peers) copy.#peers.set(key, value);
    return copy;
  }

  /** The shard's counter falls back, so that terms are handed out again. */
  repeatTerms(shard: ShardId, count: number): void {
    this.#terms.set(shard, term(Math.max(0, (this.#terms.get(shard) ?? 0) - count)));
  }

  createCluster(record: ClusterRecord): ClusterRecord {
    const known = this.#cluster.get('record');
    if (known === undefined) this.#write(this.#cluster, 'record', record);
    return known ?? record;
  }

  restoreCluster(record: ClusterRecord): ClusterRecord {
    const known = this.#cluster.get('record');
    if (known !== undefined && known.createdAtMs <= record.createdAtMs) return known;
    this.#write(this.#cluster, 'record', record);
    return record;
  }

  readCluster(): ClusterRecord | undefined {
    return this.#cluster.get('record');
  }

  /** Undefined: it holds. */
  holdSession(session: NodeSession, ttlMs: number): { by: NodeSession; freeInMs: number } | undefined {
    const nowMs = this.#clock.monotonic();
    for (const key of leaseKeys(session)) {
      const lease = this.#leases.get(key);
      if (lease !== undefined && lease.expiresAtMs > nowMs && lease.session.sessionId !== session.sessionId) {
        return { by: lease.session, freeInMs: lease.expiresAtMs - nowMs };
      }
    }
    for (const key of leaseKeys(session)) this.#write(this.#leases, key, { session, expiresAtMs: nowMs + ttlMs });
    return undefined;
  }

  endSession(session: NodeSession): void {
    for (const key of leaseKeys(session)) {
      if (this.#leases.get(key)?.session.sessionId === session.sessionId) this.#write(this.#leases, key, undefined);
    }
  }

  nextTerm(shard: ShardId, atLeast: number): Term {
    const next = term(Math.max(this.#terms.get(shard) ?? 0, atLeast) + 1);
    this.#write(this.#terms, shard, next);
    return next;
  }

  publishLeaders(hints: readonly LeaderHint[]): void {
    for (const hint of hints) {
      if ((this.#leaders.get(hint.shard)?.term ?? 0) <= hint.term) this.#write(this.#leaders, hint.shard, hint);
    }
  }

  readLeaders(): LeaderHint[] {
    return [...this.#leaders.values()];
  }

  announce(peer: Peer): void {
    this.#prunePeers();
    this.#write(this.#peers, peer.name, { peer, seenAtMs: this.#clock.monotonic() });
  }

  withdraw(name: string): void {
    this.#write(this.#peers, name, undefined);
  }

  peers(): Peer[] {
    this.#prunePeers();
    return [...this.#peers.values()].map(({ peer }) => peer);
  }

  publishPlan(plan: PublishedPlan): PublishedPlan {
    const known = this.#plan.get('plan');
    if (known !== undefined && known.version >= plan.version) return known;
    this.#write(this.#plan, 'plan', plan);
    return plan;
  }

  readPlan(): PublishedPlan | undefined {
    return this.#plan.get('plan');
  }

  #prunePeers(): void {
    for (const [name, { seenAtMs }] of this.#peers) {
      if (this.#clock.monotonic() - seenAtMs > PEER_KEPT_MS) this.#peers.delete(name);
    }
  }

  #write<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
    const before = map.get(key);
    const put = (to: V | undefined): void => void (to === undefined ? map.delete(key) : map.set(key, to));
    put(value);
    this.#history.push({ atMs: this.#clock.monotonic(), undo: () => put(before) });
    if (this.#history.length > MAX_HISTORY) this.#history.shift();
  }
}

const leaseKeys = ({ node, directoryId }: NodeSession): readonly string[] => [
  `node ${node}`,
  `directory ${directoryId}`,
];
