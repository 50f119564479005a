// Brings the replicas and leaders of the shards led here to where the ring wants them: one member of a shard at a time, a learner first, then the
// leadership by hand-over. What it asks for is carried out by the shard's own log, or refused, and is asked for again. Bounded, so that a new
// node is filled without drowning the others. Called by cluster-node.ts.

import type { Cancelable, Scheduler } from '../../src/ports/clock.ts';
import { type ShardId, shardId } from '../../src/ports/ids.ts';
import type { Log } from '../../src/ports/log.ts';
import type { ConfigurationChange } from '../replication/core/configuration.ts';
import { directoryId } from '../replication/core/ids.ts';
import { nextStep } from '../replication/core/membership.ts';
import type { ReplicationDriver } from '../replication/driver.ts';
import type { Ring } from '../ring/ring.ts';

export interface MoverOptions {
  /** This node's data directory. */
  self: string;
  shardCount: number;
  driver: Pick<ReplicationDriver, 'replicaOf' | 'keepsUp' | 'change' | 'transfer'>;
  scheduler: Scheduler;
  log: Pick<Log, 'warn'>;
  ring(): Ring | undefined;
  /** Whether this directory's node is connected: nothing is handed to one that is not. */
  reaches(directoryId: string): boolean;
  /** Whether it says of itself that it drains or leaves. The ring hears of that seconds later: until then it would get back what it gives away. */
  drains(directoryId: string): boolean;
}

const TICK_MS = 500;
/**
 * Ticks a leadership stays before it is handed to where the ring wants it. Nodes that know different plans want it at different places: without
 * it they pass the shard to and fro as fast as the network carries it, one term each time.
 */
const TICKS_LED = 3;
/** Shards led here that get a new member at once: each may be a snapshot. */
const CHANGES_AT_ONCE = 16;
/**
 * Ticks until a replica that did not take a shard it was handed is asked again, doubled each time up to the most: its disk or its node is slow, and
 * each attempt may hold the shard's requests.
 */
const FIRST_PAUSE_TICKS = 4;
const MOST_PAUSE_TICKS = 600;
/** Ticks for which a change of members is refused until the log says why, and how often then. */
const REFUSED_TICKS = 60;
/** Leaderships handed over in one tick: each holds its shard's requests for some milliseconds. */
const TRANSFERS_A_TICK = 16;

/** Hand-overs of one shard to one replica that came to nothing, one after the other. */
interface Failure {
  readonly times: number;
  readonly untilTick: number;
}

/** A change of members that a shard's log did not take, tick after tick. */
interface Refusal {
  readonly what: string;
  readonly sinceTick: number;
  lastTick: number;
  saidTick: number;
}

export class Mover {
  readonly #options: MoverOptions;
  /** Since which tick each shard is led here, in which term. */
  readonly #ledSince = new Map<ShardId, { term: number; tick: number }>();
  /** By shard and directory; as many as were asked lately (I9: shards led × their voters). */
  readonly #failures = new Map<ShardId, Map<string, Failure>>();
  /** By shard. */
  readonly #refusals = new Map<ShardId, Refusal>();
  #ticks = 0;
  #timer: Cancelable | undefined;
  #soon = false;
  #evacuating = false;
  #state: 'made' | 'started' | 'stopped' = 'made';

  constructor(options: MoverOptions) {
    this.#options = options;
  }

  /** The ring is kept up to date from now on: before, nothing is moved by what it was. */
  start(): void {
    this.#state = 'started';
    this.#tick();
  }

  stop(): void {
    this.#state = 'stopped';
    this.#timer?.cancel();
  }

  /** A shard's replica set or leader, or the ring, has changed: looks again at the end of this turn of the event loop. */
  wake(): void {
    if (this.#soon || this.#state !== 'started') return;
    this.#soon = true;
    this.#options.scheduler.soon(() => {
      this.#soon = false;
      if (this.#state === 'started') this.#step();
    });
  }

  /** From now on every leadership goes to another replica, wherever the ring wants it. Returns how many there are that one could take. */
  evacuate(): number {
    this.#evacuating = true;
    this.#step();
    return this.led().filter((shard) => this.#heirs(shard).length > 0).length;
  }

  /** A hand-over has ended. One that came to nothing is not tried again at once with the same replica. */
  transferEnded(shard: ShardId, to: string, outcome: 'handedOver' | 'abandoned'): void {
    if (outcome === 'handedOver') {
      this.#failures.delete(shard);
      return;
    }
    const failures = this.#failures.get(shard) ?? new Map<string, Failure>();
    this.#failures.set(shard, failures);
    const times = (failures.get(to)?.times ?? 0) + 1;
    const pauseTicks = Math.min(MOST_PAUSE_TICKS, FIRST_PAUSE_TICKS * 2 ** (times - 1));
    failures.set(to, { times, untilTick: this.#ticks + pauseTicks });
    if (this.#evacuating) this.wake();
  }

  /** The node of this directory has just been connected: what its last process did not take says nothing of this one. */
  connected(directoryId: string): void {
    for (const [shard, failures] of this.#failures) {
      failures.delete(directoryId);
      if (failures.size === 0) this.#failures.delete(shard);
    }
  }

  /** Shards led here. */
  led(): ShardId[] {
    const led: ShardId[] = [];
    for (let n = 0; n < this.#options.shardCount; n += 1) {
      const shard = shardId(n);
      if (this.#options.driver.replicaOf(shard)?.isServing === true) led.push(shard);
    }
    return led;
  }

  /** Hands over every leadership that the ring wants elsewhere. Returns how many were begun. */
  rebalance(): number {
    this.#failures.clear();
    return this.#step('all');
  }

  #tick(): void {
    if (this.#state !== 'started') return;
    this.#ticks += 1;
    this.#step();
    this.#timer = this.#options.scheduler.after(TICK_MS, () => this.#tick());
  }

  #step(transfers: 'some' | 'all' = 'some'): number {
    const ring = this.#options.ring();
    let changing = 0;
    let handed = 0;
    const most = transfers === 'all' || this.#evacuating ? Number.POSITIVE_INFINITY : TRANSFERS_A_TICK;
    for (const shard of this.led()) {
      if (this.#evacuating) {
        if (this.#heirs(shard).some((id) => this.#hand(shard, id))) handed += 1;
        continue;
      }
      if (ring === undefined) continue;
      const isSettled = this.#isSettled(shard) || transfers === 'all';
      const outcome = this.#lookAfter(shard, ring, changing < CHANGES_AT_ONCE, isSettled && handed < most);
      if (outcome === 'changing') changing += 1;
      if (outcome === 'handed over') handed += 1;
    }
    return handed;
  }

  #lookAfter(
    shard: ShardId,
    ring: Ring,
    mayChange: boolean,
    mayHandOver: boolean,
  ): 'as wanted' | 'changing' | 'handed over' {
    const { self, driver, reaches } = this.#options;
    const replica = driver.replicaOf(shard);
    if (replica === undefined) return 'as wanted';
    const desired = ring.replicasOf(shard).map((member) => directoryId(member.directoryId));
    const step = nextStep(replica.configuration, desired, directoryId(self), (id) => driver.keepsUp(shard, id));
    if (step?.type === 'change') {
      if (!mayChange) return 'as wanted';
      // A new member must be there to learn, and to vote; one that goes need not be. Nor does one that went while it learned hold up others.
      if (step.change.type !== 'remove' && !reaches(step.change.id)) return 'as wanted';
      this.#ask(shard, step.change);
      return 'changing';
    }
    if (!mayHandOver) return 'as wanted';
    const { voters } = replica.configuration;
    // Where it must go, whoever of those wanted takes it will do; else it stays with one of them until the first does.
    const to = (step === undefined ? desired.slice(0, 1) : desired).find(
      (id) => id === self || (voters.includes(id) && !this.#options.drains(id) && !this.#isPausing(shard, id)),
    );
    return to !== undefined && to !== self && this.#hand(shard, to) ? 'handed over' : 'as wanted';
  }

  #ask(shard: ShardId, change: ConfigurationChange): void {
    const answer = this.#options.driver.change(shard, change);
    if ('lsn' in answer) {
      this.#refusals.delete(shard);
      return;
    }
    const what = `${change.type} ${change.id}`;
    const ticks = this.#ticks;
    const known = this.#refusals.get(shard);
    const goesOn = known?.what === what && known.lastTick >= ticks - 1;
    const refusal = goesOn ? known : { what, sinceTick: ticks, lastTick: ticks, saidTick: ticks };
    this.#refusals.set(shard, refusal);
    refusal.lastTick = ticks;
    if (ticks - refusal.saidTick < REFUSED_TICKS) return;
    refusal.saidTick = ticks;
    const forS = ((ticks - refusal.sinceTick) * TICK_MS) / 1_000;
    this.#options.log.warn(
      { shard, change: what },
      `a change of the shard's members has been refused for ${forS} s: ${answer.refused}`,
    );
  }

  /** It failed to take the shard a moment ago. */
  #isPausing(shard: ShardId, to: string): boolean {
    return (this.#failures.get(shard)?.get(to)?.untilTick ?? 0) > this.#ticks;
  }

  /** Other voters that are there: those first that have failed least often to take it, then those that stay, among them whom the ring likes best. */
  #heirs(shard: ShardId): string[] {
    const { self, driver, ring, reaches, drains } = this.#options;
    const voters: readonly string[] = driver.replicaOf(shard)?.configuration.voters ?? [];
    const liked =
      ring()
        ?.replicasOf(shard)
        .map((member) => member.directoryId) ?? [];
    const order = [...liked.filter((id) => voters.includes(id)), ...voters.filter((id) => !liked.includes(id))];
    const there = order.filter((id) => id !== self && reaches(id));
    const failures = this.#failures.get(shard);
    const timesOf = (id: string): number => failures?.get(id)?.times ?? 0;
    return [...there.filter((id) => !drains(id)), ...there.filter(drains)].sort((a, b) => timesOf(a) - timesOf(b));
  }

  /** Led here for a while. */
  #isSettled(shard: ShardId): boolean {
    const term = this.#options.driver.replicaOf(shard)?.term ?? 0;
    const since = this.#ledSince.get(shard);
    if (since?.term === term) return this.#ticks - since.tick >= TICKS_LED;
    this.#ledSince.set(shard, { term, tick: this.#ticks });
    return false;
  }

  #hand(shard: ShardId, to: string): boolean {
    return this.#options.reaches(to) && this.#options.driver.transfer(shard, to) === 'started';
  }
}
