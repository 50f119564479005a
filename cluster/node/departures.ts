// Gives the disk back what has moved elsewhere: replicas that are no members of their shards any more go, some at a time, a while after they were removed.
// One that was away when it was removed hears no leader, and its node asks the one that is said to lead: only a leader that has just been confirmed, whose
// replica set is committed, is believed. A replica that goes keeps its promises (replication/leaving.ts). Called by replicated-keeper.ts.

import { integer, list, object } from '../../src/frontend/validate/check.ts';
import type { Cancelable, Clock, Scheduler } from '../../src/ports/clock.ts';
import { type Lsn, type ShardId, shardId } from '../../src/ports/ids.ts';
import type { Log } from '../../src/ports/log.ts';
import type { Rpc } from '../link/rpc.ts';
import { isMember } from '../replication/core/configuration.ts';
import { directoryId } from '../replication/core/ids.ts';
import type { ReplicationDriver } from '../replication/driver.ts';
import { decodeBody, encodeBody, encodeValue, readAnswer } from '../routing/answers.ts';

export interface DepartureTimes {
  /** How long a removed replica stays, ms: a plan that changes to and fro moves no data twice. */
  afterMs: number;
  /** How long a replica hears no leader before its node asks whether it was removed, ms. */
  unheardMs: number;
  /** Between two looks, ms. */
  lookMs: number;
}

export const DEFAULT_DEPARTURE_TIMES: DepartureTimes = { afterMs: 30_000, unheardMs: 60_000, lookMs: 5_000 };

export interface DeparturesOptions {
  shardCount: number;
  driver: Pick<ReplicationDriver, 'replicaOf' | 'standing' | 'halfDropped' | 'drop' | 'confirm'>;
  rpc: Pick<Rpc, 'serve' | 'call'>;
  clock: Pick<Clock, 'monotonic'>;
  scheduler: Scheduler;
  log: Log;
  times: DepartureTimes;
  /** The connected node that is said to lead a shard. */
  leaderOf(shard: ShardId): string | undefined;
  /** Of a connected node. */
  directoryOf(node: string): string | undefined;
}

const METHOD = 'cluster.removed';
const ASK_MS = 5_000;
/** Shards that go at once: their rows are found in one reading of what they share. */
const AT_ONCE = 64;
/** In one question: what a node has at most. */
const MOST_ASKED = 1_024;

const request = object<{ shards: number[] }>({ shards: list(integer) });
const removals = object<{ shards: number[]; terms: number[] }>({ shards: list(integer), terms: list(integer) });

type Why = 'removed' | 'unheard';

export class Departures {
  readonly #options: DeparturesOptions;
  /** Since when each replica is no member, or hears nobody. As many as there are replicas (I9). */
  readonly #since = new Map<ShardId, { why: Why; atMs: number }>();
  /**
   * Of which a leader has said that they were removed: where their log ended when it was asked. What came since then may have taken the replica in again,
   * and made it a voter; that it hears nobody now is then of another time.
   */
  readonly #told = new Map<ShardId, Lsn>();
  #timer: Cancelable | undefined;
  #stopped = false;

  constructor(options: DeparturesOptions) {
    this.#options = options;
    const { rpc, directoryOf } = options;
    rpc.serve(METHOD, (call, bytes) => {
      const { shards } = request(decodeBody(bytes));
      const from = directoryOf(call.from);
      const asked = from === undefined ? [] : shards.slice(0, MOST_ASKED);
      void Promise.all(asked.map((shard) => this.#removedIn(shard, from ?? ''))).then((terms) => {
        const found = asked.flatMap((shard, i) => (terms[i] === undefined ? [] : [{ shard, term: terms[i] }]));
        call.answer(encodeValue({ shards: found.map(({ shard }) => shard), terms: found.map(({ term }) => term) }));
      });
    });
  }

  start(): void {
    this.#lookLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #lookLater(): void {
    const { scheduler, times } = this.#options;
    if (!this.#stopped) this.#timer = scheduler.after(times.lookMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const due = this.#due();
    if (due.length > 0) {
      const { driver, log } = this.#options;
      await driver.drop(due);
      for (const shard of due) {
        this.#since.delete(shard);
        this.#told.delete(shard);
      }
      log.info({ shards: due.length }, 'shards that are kept elsewhere were deleted from the data directory');
    }
    this.#lookLater();
  }

  #due(): ShardId[] {
    const { shardCount, driver, clock, times } = this.#options;
    const nowMs = clock.monotonic();
    const due: ShardId[] = [...driver.halfDropped];
    const unheard: ShardId[] = [];
    for (let n = 0; n < shardCount; n += 1) {
      const shard = shardId(n);
      const standing = driver.standing(shard);
      if (standing === undefined || standing === 'member') {
        this.#since.delete(shard);
        this.#told.delete(shard);
        continue;
      }
      const known = this.#since.get(shard);
      const since = known?.why === standing ? known : { why: standing, atMs: nowMs };
      this.#since.set(shard, since);
      const isLong = nowMs - since.atMs >= (standing === 'removed' ? times.afterMs : times.unheardMs);
      const isTold = this.#told.has(shard) && this.#told.get(shard) === this.#lastLsn(shard);
      if (isLong && (standing === 'removed' || isTold)) due.push(shard);
      else if (isLong) unheard.push(shard);
    }
    this.#ask(unheard);
    return due.slice(0, AT_ONCE);
  }

  #ask(shards: readonly ShardId[]): void {
    const { leaderOf, rpc, driver } = this.#options;
    const byNode = new Map<string, ShardId[]>();
    for (const shard of shards) {
      const node = leaderOf(shard);
      if (node !== undefined) byNode.set(node, [...(byNode.get(node) ?? []), shard]);
    }
    for (const [node, asked] of byNode) {
      const some = asked.slice(0, MOST_ASKED);
      const lastLsns = new Map(some.map((shard) => [shard, this.#lastLsn(shard)]));
      rpc.call(node, METHOD, encodeBody({ shards: some }), ASK_MS, (error, bytes) => {
        const answer = error === undefined && bytes !== undefined ? readAnswer(bytes, removals) : undefined;
        if (answer?.type !== 'value') return;
        answer.value.shards.forEach((n, i) => {
          const shard = some.find((one) => one === n);
          const replica = shard === undefined ? undefined : driver.replicaOf(shard);
          // A leader of an older term than this replica knows may have been replaced by one that took it in again.
          if (shard === undefined || replica === undefined || (answer.value.terms[i] ?? 0) < replica.term) return;
          const last = lastLsns.get(shard);
          if (driver.standing(shard) === 'unheard' && last !== undefined) this.#told.set(shard, last);
        });
      });
    }
  }

  #lastLsn(shard: ShardId): Lsn | undefined {
    return this.#options.driver.replicaOf(shard)?.log.lastLsn;
  }

  /** The term in which this node leads the shard and knows for sure that the directory is no member; undefined: it does not know that. */
  async #removedIn(n: number, directory: string): Promise<number | undefined> {
    const { shardCount, driver } = this.#options;
    if (n < 0 || n >= shardCount || !(await driver.confirm(shardId(n)))) return undefined;
    const replica = driver.replicaOf(shardId(n));
    if (replica?.isServing !== true) return undefined;
    const { lsn, configuration } = replica.log.configuration;
    return lsn > replica.commit || isMember(configuration, directoryId(directory)) ? undefined : replica.term;
  }
}
