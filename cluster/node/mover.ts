// Brings the replicas and leaders of the shards led here to where the ring wants them: one member of a shard at a time, a learner first, then the
// leadership by hand-over. What it asks for is carried out by the shard's own log, or refused, and is asked for again. Bounded, so that a new
// node is filled without drowning the others. Called by cluster-node.ts.

import type { Cancelable, Scheduler } from '../../src/ports/clock.ts';
import { type ShardId, shardId } from '../../src/ports/ids.ts';
import { directoryId } from '../replication/core/ids.ts';
import { nextStep } from '../replication/core/membership.ts';
import type { ReplicationDriver } from '../replication/driver.ts';
import type { Ring } from '../ring/ring.ts';

export interface MoverOptions {
  /** This node's data directory. */
  self: string;
  shardCount: number;
  driver: Pick<ReplicationDriver, 'replicaOf' | 'change' | 'transfer'>;
  scheduler: Scheduler;
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
/** Leaderships handed over in one tick: each holds its shard's requests for some milliseconds. */
const TRANSFERS_A_TICK = 16;

export class Mover {
  readonly #options: MoverOptions;
  /** Since which tick each shard is led here, in which term. */
  readonly #ledSince = new Map<ShardId, { term: number; tick: number }>();
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
    const step = nextStep(replica.configuration, desired, directoryId(self), reaches);
    if (step?.type === 'change') {
      if (!mayChange) return 'as wanted';
      // A new member must be there to learn, and to vote; one that goes need not be. Nor does one that went while it learned hold up others.
      if (step.change.type !== 'remove' && !reaches(step.change.id)) return 'as wanted';
      driver.change(shard, step.change);
      return 'changing';
    }
    if (!mayHandOver) return 'as wanted';
    const to = step?.to ?? desired[0];
    if (to === undefined || to === self || !replica.configuration.voters.includes(to)) return 'as wanted';
    if (this.#options.drains(to)) return 'as wanted';
    return this.#hand(shard, to) ? 'handed over' : 'as wanted';
  }

  /** Other voters that are there: those that stay first, among them whom the ring likes best. */
  #heirs(shard: ShardId): string[] {
    const { self, driver, ring, reaches, drains } = this.#options;
    const voters: readonly string[] = driver.replicaOf(shard)?.configuration.voters ?? [];
    const liked =
      ring()
        ?.replicasOf(shard)
        .map((member) => member.directoryId) ?? [];
    const order = [...liked.filter((id) => voters.includes(id)), ...voters.filter((id) => !liked.includes(id))];
    const there = order.filter((id) => id !== self && reaches(id));
    return [...there.filter((id) => !drains(id)), ...there.filter(drains)];
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
