// The coordinator port over Redis: what each call sends, and how its answer is read. Keys are `tenuto:{<cluster id>}:…`. Wired by node.ts.

import {
  type ClusterRecord,
  type Coordinator,
  type CoordinatorState,
  type LeaderHint,
  type NodeSession,
  type Outcome,
  PEER_KEPT_MS,
  type Peer,
  type PublishedPlan,
  type SessionClaim,
} from '../../../src/ports/coordinator.ts';
import type { ShardId, Term } from '../../../src/ports/ids.ts';
import { checkHints, checkPlan, checkTermClaim, checkTtl } from '../check.ts';
import type { RedisClient } from './client.ts';
import { type LinkOptions, RedisLink } from './link.ts';
import { keysOf } from './scripts.ts';
import {
  clusterValue,
  pairs,
  parseCluster,
  parseHint,
  parsePeer,
  parsePlan,
  parseSession,
  parseTerm,
  peerValue,
  sessionValue,
} from './values.ts';

export interface RedisCoordinatorOptions extends LinkOptions {
  readonly clusterId: string;
}

const CLUSTER_ID = /^[A-Za-z0-9._-]{1,64}$/;

export class RedisCoordinator implements Coordinator {
  readonly #link: RedisLink;
  readonly #keys: ReturnType<typeof keysOf>;
  readonly #monotonic: () => number;

  /** Connects in the background. @throws RangeError for a cluster id that cannot be a key; what reading the TLS files throws */
  constructor({ clusterId, ...options }: RedisCoordinatorOptions) {
    if (!CLUSTER_ID.test(clusterId)) {
      throw new RangeError(`cluster id ${JSON.stringify(clusterId)} must be 1 to 64 letters, digits, '.', '_' and '-'`);
    }
    this.#keys = keysOf(clusterId);
    this.#monotonic = () => options.clock.monotonic();
    this.#link = new RedisLink(options);
  }

  get state(): CoordinatorState {
    return this.#link.state;
  }

  get arrivals(): number {
    return this.#link.arrivals;
  }

  createCluster(record: ClusterRecord): Promise<Outcome<ClusterRecord>> {
    return this.#putCluster(record, 'create');
  }

  restoreCluster(record: ClusterRecord): Promise<Outcome<ClusterRecord>> {
    return this.#putCluster(record, 'restore');
  }

  async readCluster(): Promise<Outcome<ClusterRecord | undefined>> {
    const outcome = await this.#link.call((redis) => redis.get(this.#keys.cluster));
    if (outcome.type !== 'ok') return outcome;
    if (outcome.value === null) return { type: 'ok', value: undefined };
    return this.#read('the cluster record', parseCluster(outcome.value));
  }

  async holdSession(session: NodeSession, ttlMs: number): Promise<Outcome<SessionClaim>> {
    checkTtl(ttlMs);
    const untilMs = this.#monotonic() + ttlMs;
    const outcome = await this.#link.call((redis) =>
      redis.tenutoHoldSession(...this.#leases(session), session.sessionId, sessionValue(session), ttlMs),
    );
    if (outcome.type !== 'ok') return outcome;
    const [held, ttl] = Array.isArray(outcome.value) ? outcome.value : [];
    if (held === undefined) return { type: 'ok', value: { type: 'held', untilMs } };
    const by = parseSession(held);
    // A lease without an end is none of ours.
    if (by === undefined || typeof ttl !== 'number' || ttl < 0) return this.#link.unreadable('a session');
    return { type: 'ok', value: { type: 'taken', by, freeInMs: ttl } };
  }

  endSession(session: NodeSession): Promise<Outcome<undefined>> {
    return this.#command((redis) => redis.tenutoEndSession(...this.#leases(session), session.sessionId));
  }

  async nextTerm(shard: ShardId, atLeast: Term | 0): Promise<Outcome<Term>> {
    checkTermClaim(shard, atLeast);
    const outcome = await this.#link.call((redis) => redis.tenutoNextTerm(this.#keys.terms, shard, atLeast));
    if (outcome.type !== 'ok') return outcome;
    const next = parseTerm(outcome.value);
    return this.#read(`the term of shard ${shard}`, next !== undefined && next > atLeast ? next : undefined);
  }

  async publishLeaders(hints: readonly LeaderHint[]): Promise<Outcome<undefined>> {
    checkHints(hints);
    if (hints.length === 0) return { type: 'ok', value: undefined };
    const args = hints.flatMap(({ shard, term, directoryId }) => [shard, term, directoryId]);
    return this.#command((redis) => redis.tenutoPublishLeaders(this.#keys.leaders, ...args));
  }

  async readLeaders(): Promise<Outcome<readonly LeaderHint[]>> {
    const outcome = await this.#link.call((redis) => redis.hgetall(this.#keys.leaders));
    if (outcome.type !== 'ok') return outcome;
    // A hint that cannot be read is no hint.
    const hints = pairs(outcome.value).flatMap(([shard, value]) => parseHint(shard, value) ?? []);
    return { type: 'ok', value: hints };
  }

  announce(peer: Peer): Promise<Outcome<undefined>> {
    return this.#command((redis) => redis.tenutoAnnounce(this.#keys.peers, peer.name, peerValue(peer), PEER_KEPT_MS));
  }

  withdraw(name: string): Promise<Outcome<undefined>> {
    return this.#command((redis) => redis.hdel(this.#keys.peers, name));
  }

  async peers(): Promise<Outcome<readonly Peer[]>> {
    const outcome = await this.#link.call((redis) => redis.hgetall(this.#keys.peers));
    if (outcome.type !== 'ok') return outcome;
    return { type: 'ok', value: pairs(outcome.value).flatMap(([, value]) => parsePeer(value) ?? []) };
  }

  async publishPlan(plan: PublishedPlan): Promise<Outcome<PublishedPlan>> {
    checkPlan(plan);
    const outcome = await this.#link.call((redis) => redis.tenutoPublishPlan(this.#keys.plan, plan.version, plan.body));
    return outcome.type === 'ok' ? this.#read('the ring plan', parsePlan(outcome.value)) : outcome;
  }

  async readPlan(): Promise<Outcome<PublishedPlan | undefined>> {
    const outcome = await this.#link.call((redis) => redis.get(this.#keys.plan));
    if (outcome.type !== 'ok') return outcome;
    if (outcome.value === null) return { type: 'ok', value: undefined };
    return this.#read('the ring plan', parsePlan(outcome.value));
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  async #putCluster(record: ClusterRecord, how: 'create' | 'restore'): Promise<Outcome<ClusterRecord>> {
    const outcome = await this.#link.call((redis) =>
      redis.tenutoPutCluster(this.#keys.cluster, record.createdAtMs, clusterValue(record), how),
    );
    return outcome.type === 'ok' ? this.#read('the cluster record', parseCluster(outcome.value)) : outcome;
  }

  async #command(send: (redis: RedisClient) => Promise<unknown>): Promise<Outcome<undefined>> {
    const outcome = await this.#link.call(send);
    return outcome.type === 'ok' ? { type: 'ok', value: undefined } : outcome;
  }

  #read<T>(what: string, value: T | undefined): Outcome<T> {
    return value === undefined ? this.#link.unreadable(what) : { type: 'ok', value };
  }

  #leases({ node, directoryId }: NodeSession): [string, string] {
    return [this.#keys.leaseOfNode(node), this.#keys.leaseOfDirectory(directoryId)];
  }
}
