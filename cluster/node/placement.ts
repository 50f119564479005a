// Which ring counts, on this node: who is seen goes into the planner, a plan it proposes goes to the coordinator, the one that stands goes to
// the schedule and to the other nodes, and the ring follows at the agreed instant. Plans are kept with the directory, so a node that starts while
// the coordinator is away places like the others. Called by cluster-node.ts.

import type { Cancelable, Clock, Scheduler } from '../../src/ports/clock.ts';
import type { Coordinator } from '../../src/ports/coordinator.ts';
import type { Log } from '../../src/ports/log.ts';
import { NO_PLAN, type PlanSettings, type RingPlan, supersedes } from '../ring/plan.ts';
import { decodePlan, encodePlan } from '../ring/plan-codec.ts';
import {
  adopt,
  farewell,
  forget,
  type Instant,
  newPlanner,
  observe,
  type PlannerState,
  propose,
} from '../ring/planner.ts';
import type { Seen } from '../ring/presence.ts';
import { Ring } from '../ring/ring.ts';
import { advance, EMPTY_SCHEDULE, newestPlan, receive, type Schedule } from '../ring/schedule.ts';
import { chooseSeed } from '../ring/seed.ts';

export interface PlacementOptions {
  /** This node's data directory. */
  self: string;
  shardCount: number;
  replicas: number;
  settings: PlanSettings;
  coordinator: Coordinator;
  clock: Clock;
  scheduler: Scheduler;
  log: Log;
  /** Those that gossip sees and that may hold shards, this node included; and what it knows of those that are gone. */
  seen(): Seen;
  /** Whether there is a link to the node of this directory; to one's own there is. */
  reaches(directoryId: string): boolean;
  /** The first shards are made, as far as this node knows: plans after the first rest on that. */
  isBorn(): boolean;
  /** A plan this node had not heard of: to be kept, and told to the other nodes. */
  heard(plan: string): void;
  /** The ring, or who should lead in it, is another one. */
  changed(): void;
  /** The coordinator knows an older plan than was agreed on there, or none: it has forgotten, and must be told. */
  forgotten(): void;
}

const TICK_MS = 1_000;
/** Every so many ticks the coordinator is asked for a plan that others made. */
const READ_TICKS = 3;
/** Another plan may come before this node's last one, each time. */
const DEPART_TRIES = 3;

export class Placement {
  readonly #options: PlacementOptions;
  #planner: PlannerState;
  #schedule: Schedule = EMPTY_SCHEDULE;
  #ring: Ring | undefined;
  /** The coordinator has said which plan there is, or that there is none. */
  #isTold = false;
  #why = 'not started';
  /** Why the last plan proposed got no answer. */
  #unanswered: string | undefined;
  #ticks = 0;
  #timer: Cancelable | undefined;
  #publishing = false;
  #stopped = false;

  constructor(options: PlacementOptions) {
    this.#options = options;
    this.#planner = newPlanner(options.self, options.settings, this.#instant());
  }

  /** Of the plan in force; undefined before the first. */
  get ring(): Ring | undefined {
    return this.#ring;
  }

  /** In force; version 0: none yet. */
  get plan(): RingPlan {
    return this.#schedule.current;
  }

  /** Why no other plan is made now, for people. */
  get why(): string {
    return this.#why;
  }

  /**
   * @param known the plan kept from the last run, '' for none
   * @param founded the shards are there, and no plan is to make them: where it is lost, whoever is there makes another one
   */
  start(known: string, founded = false): void {
    const { settings } = this.#planner;
    if (founded) this.#planner = { ...this.#planner, settings: { ...settings, firstMembers: 1 } };
    if (known !== '') this.#take(known, 'kept');
    this.#tick();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** A plan came from another node or the coordinator. What is none is dropped. */
  hear(text: string): void {
    this.#take(text, 'heard');
  }

  /** The newest plan, for a node that has just connected; '' before the first. */
  newest(): string {
    const plan = newestPlan(this.#schedule);
    return plan.version === 0 ? '' : encodePlan(plan);
  }

  /** Directories of the newest plan, in force or not yet. */
  newestMembers(): readonly string[] {
    return this.#planner.plan.members.map(({ directoryId }) => directoryId);
  }

  /** The members that gossip sees have changed. */
  observe(): void {
    this.#planner = observe(this.#planner, this.#options.seen(), this.#instant());
  }

  /** An absent directory is not waited for. `kept`: it is there as far as this node sees, or unknown. */
  forget(directoryId: string): 'forgotten' | 'kept' {
    const before = this.#planner;
    this.#planner = forget(before, directoryId, this.#instant());
    return this.#planner === before ? 'kept' : 'forgotten';
  }

  /**
   * This node drains everything and goes: it takes itself out of the plan, so that the plan says so even if nobody lives on who has heard of its drain. Nothing
   * happens where it is still needed. A coordinator that does not answer is not waited for: the others plan it then.
   */
  async depart(): Promise<void> {
    for (let tries = 0; tries < DEPART_TRIES && this.#options.isBorn(); tries += 1) {
      this.observe();
      const plan = farewell(this.#planner, this.#instant());
      if (plan === undefined) return;
      await this.#publish(plan);
      if (this.#unanswered !== undefined || this.#stopped) return;
    }
  }

  // ---------------------------------------------------------------- inside

  #instant(): Instant {
    const { clock } = this.#options;
    return { wallMs: clock.now(), monotonicMs: clock.monotonic() };
  }

  #tick(): void {
    if (this.#stopped) return;
    this.observe();
    this.#switch(advance(this.#schedule, this.#options.clock.now()));
    if (this.#ticks % READ_TICKS === 0) void this.#read();
    this.#ticks += 1;
    this.#propose();
    this.#timer = this.#options.scheduler.after(TICK_MS, () => this.#tick());
  }

  async #read(): Promise<void> {
    const outcome = await this.#options.coordinator.readPlan();
    if (outcome.type !== 'ok' || this.#stopped) return;
    this.#isTold = true;
    if (outcome.value !== undefined) this.hear(outcome.value.body);
    if ((outcome.value?.version ?? 0) < newestPlan(this.#schedule).version) this.#options.forgotten();
  }

  #propose(): void {
    // A directory that missed the first plan must find it, and no later one: or the others would wait for its word for ever (birth.ts).
    if (this.#planner.plan.version > 0 && !this.#options.isBorn()) {
      this.#why = 'the first shards are being made: all members of the first plan must be there';
      return;
    }
    if (!this.#reachesMost()) {
      this.#why = 'fewer than half of the members that gossip sees have a link to this node: it leaves plans to others';
      return;
    }
    const proposal = propose(this.#planner, this.#instant());
    this.#why = proposal.type === 'none' ? this.#whyNone(proposal.why) : (this.#unanswered ?? 'a plan is proposed');
    if (proposal.type === 'none' || this.#publishing) return;
    void this.#publish(this.#seeded(proposal.plan));
  }

  /** A newcomer knows no plan before it has asked for it: that few nodes have been there is no reason then. */
  #whyNone(why: string): string {
    const isKnown = this.#isTold || this.#planner.plan.version > 0;
    return isKnown ? why : 'the coordinator has not said yet whether there is one';
  }

  /** Of the plan's members that gossip sees. Cut off in its links (a wrong clock), a node would plan for those it happens to reach. */
  #reachesMost(): boolean {
    const { seen: look, reaches } = this.#options;
    const planned = new Set(this.newestMembers());
    const seen = look().present.filter(({ directoryId }) => planned.has(directoryId));
    const reached = seen.filter(({ directoryId }) => reaches(directoryId));
    return seen.length === 0 || reached.length * 2 > seen.length;
  }

  async #publish(plan: RingPlan): Promise<void> {
    const { coordinator, log } = this.#options;
    this.#publishing = true;
    const body = encodePlan(plan);
    const outcome = await coordinator.publishPlan({ version: plan.version, body }).catch((error: unknown) => {
      log.error(
        { error: error instanceof Error ? error : new Error(String(error)) },
        'a ring plan cannot be published',
      );
      return undefined;
    });
    this.#publishing = false;
    if (this.#stopped || outcome === undefined) return;
    if (outcome.type === 'unavailable') {
      this.#unanswered = `the coordinator does not answer: ${outcome.why}`;
      this.#why = this.#unanswered;
      return;
    }
    this.#unanswered = undefined;
    if (outcome.value.body === body) {
      log.info({ plan: plan.version, members: plan.members.length }, 'a ring plan was agreed on');
    }
    this.hear(outcome.value.body);
  }

  /** Newcomers get the tokens that leave the ring most even, once and for ever. */
  #seeded(plan: RingPlan): RingPlan {
    const { shardCount, replicas } = this.#options;
    const before = new Set(this.#planner.plan.members.map(({ directoryId }) => directoryId));
    const members = plan.members.filter(({ directoryId }) => before.has(directoryId));
    for (const member of plan.members) {
      if (before.has(member.directoryId)) continue;
      const seed = members.length === 0 ? 0 : chooseSeed(new Ring({ members, shardCount, replicas }), member);
      members.push({ ...member, seed });
    }
    return { ...plan, members };
  }

  #take(text: string, how: 'kept' | 'heard'): void {
    const plan = decodePlan(text);
    if (plan === undefined || !supersedes(plan, newestPlan(this.#schedule))) return;
    this.#planner = adopt(this.#planner, plan, this.#instant());
    this.#switch(receive(this.#schedule, plan, this.#options.clock.now()));
    if (how === 'heard') this.#options.heard(text);
  }

  #switch(schedule: Schedule): void {
    const { current } = this.#schedule;
    this.#schedule = schedule;
    if (schedule.current === current || schedule.current.version === NO_PLAN.version) return;
    const { shardCount, replicas, changed } = this.#options;
    this.#ring = new Ring({ members: schedule.current.members, shardCount, replicas });
    changed();
  }
}
