// The simulated world of one shard: hosts, network, the coordinator that hands out terms, the ring that says whom the shard should have, and
// the clients. Faults are done to it by faults.ts; what must hold is checked by truth.ts.

import { type Configuration, configurationOf } from '../../../cluster/replication/core/configuration.ts';
import { firstEntry } from '../../../cluster/replication/core/entry.ts';
import { type DirectoryId, directoryId } from '../../../cluster/replication/core/ids.ts';
import { nextStep } from '../../../cluster/replication/core/membership.ts';
import type { Message } from '../../../cluster/replication/core/message.ts';
import type { ReplicaBounds, ReplicaTimes } from '../../../cluster/replication/core/options.ts';
import type { Replica } from '../../../cluster/replication/core/replica.ts';
import type { Restored } from '../../../cluster/replication/core/state.ts';
import { type Lsn, type Term, term } from '../../../src/ports/ids.ts';
import type { SeededRandom } from '../random.ts';
import type { SimDisk } from './disk.ts';
import { Events } from './events.ts';
import { Host } from './host.ts';
import { calm, SimNetwork, type Weather } from './network.ts';
import { Truth } from './truth.ts';

/** What a planted bug changes in the world rather than in the core. */
export interface WorldBugs {
  /** A start forgets whom it voted for. */
  forgetsVotes?: boolean;
  /** A wiped directory keeps its old id. */
  keepsIdWhenWiped?: boolean;
}

export interface WorldPlan {
  hosts: number;
  /** R. */
  replicas: number;
}

/** How far two clocks run apart at most. */
const CLOCK_DRIFT = 0.05;

/** The same for all replicas of a seed: a lease rests on all of them waiting as long. */
const timesOf = (random: SeededRandom): ReplicaTimes => ({
  electionMs: 600,
  // Little: several stand at once.
  electionSpreadMs: random.pick([20, 150, 500]),
  heartbeatMs: 110,
  termWaitMs: 80,
  handOverMs: 400,
  clockDrift: CLOCK_DRIFT,
});

/** Small, so that messages are cut, windows fill and logs are read. */
const boundsOf = (random: SeededRandom): Partial<ReplicaBounds> => ({
  messageBytes: random.pick([1, 30, 60, 200]),
  // With one, and an entry a message, a slow network carries less than the clients write.
  inFlightMessages: random.int(3, 6),
  inFlightBytes: 300,
  cachedBytes: 150,
  promotableLag: 6,
});

/** Moments at which a crash is worth more than at others. */
export const AIMS = ['promised a vote', 'elected', 'committed', 'persisted', 'installed'] as const;
export type Aim = (typeof AIMS)[number];

export class World {
  readonly events: Events;
  readonly truth = new Truth();
  readonly network: SimNetwork;
  readonly hosts: Host[] = [];
  readonly plan: WorldPlan;
  readonly bugs: WorldBugs;
  /** Whom the shard should have: the ring's word, which must never be counted. */
  desired: DirectoryId[];
  /** The newest configuration that anybody calls committed. */
  committedConfiguration: Configuration;
  readonly #configuredAt = new Map<number, Configuration>();
  #configuredLsn = 1;
  /** What the coordinator hands out next, less one. */
  coordinatorTerm = 1;
  coordinator: 'present' | 'away' | 'repeats' = 'present';
  readonly calm: Weather;
  /** Its promise is durable and told. */
  onPromised: (host: Host) => void = () => undefined;
  onElected: (host: Host) => void = () => undefined;
  /** The next time this happens to a host, it crashes. */
  aim: Aim | undefined;
  onAimed: (host: Host) => void = () => undefined;
  acknowledgedWrites = 0;
  reads = 0;
  #operation = 0;
  #wiped = 0;
  /** Directories that were voters and lost their disks: what they held counts as held. */
  readonly #emptied = new Set<DirectoryId>();
  readonly #reached = new Map<string, number>();
  readonly #sink: ((line: string) => void) | undefined;

  constructor(seed: number, plan: WorldPlan, bugs: WorldBugs, sink?: (line: string) => void) {
    this.events = new Events(seed);
    this.plan = plan;
    this.bugs = bugs;
    this.#sink = sink;
    const { random } = this.events;
    this.network = new SimNetwork(this.events, (to, from, fromId, toId, message) =>
      this.#deliver(to, from, fromId, toId, message),
    );
    this.calm = calm(random.pick([1, 4, 15]));
    this.network.weather = this.calm;
    const times = timesOf(random);
    for (let i = 0; i < plan.hosts; i += 1) {
      const clockRate = random.between(1 - CLOCK_DRIFT * 0.9, 1 + CLOCK_DRIFT * 0.9);
      this.hosts.push(new Host(this, i, directoryId(`d${i}`), { times, bounds: boundsOf(random), clockRate }));
    }
    const first = this.hosts.slice(0, plan.replicas).map(({ id }) => id);
    this.desired = first;
    this.committedConfiguration = configurationOf(first);
    const entry = firstEntry(this.committedConfiguration);
    for (const host of this.hosts.slice(0, plan.replicas)) host.disk.entries.push(entry);
    for (const host of this.hosts) host.start();
  }

  // ---------------------------------------------------------------- what hosts ask for

  note(line: string): void {
    this.#sink?.(`${this.events.nowMs.toFixed(1)} ${line}`);
  }

  reached(what: string): void {
    this.#reached.set(what, (this.#reached.get(what) ?? 0) + 1);
  }

  get reachedAll(): ReadonlyMap<string, number> {
    return this.#reached;
  }

  happened(host: Host, what: Aim): void {
    if (what === 'promised a vote') this.events.after(0, () => this.onPromised(host));
    if (this.aim !== what) return;
    this.aim = undefined;
    // Not in the middle of its work.
    this.events.after(0, () => {
      if (host.alive) this.onAimed(host);
    });
  }

  soon(host: Host, work: () => void): void {
    const { replica } = host;
    this.events.after(this.events.random.between(0, 1), () => {
      if (host.replica === replica) host.run(work);
    });
  }

  send(from: Host, to: DirectoryId, message: Message): void {
    const host = this.hosts.find(({ id }) => id === to);
    if (this.#sink !== undefined) this.note(`${from.id} → ${to} ${shown(message)}`);
    if (host !== undefined) this.network.send(from.index, host.index, from.id, to, message);
  }

  #deliver(to: number, _from: number, fromId: DirectoryId, toId: DirectoryId, message: Message): void {
    const host = this.hosts[to];
    if (host?.id === toId) host.run(() => host.receive(fromId, message));
  }

  restored(found: Restored): Restored {
    return this.bugs.forgetsVotes === true ? { ...found, votedFor: undefined } : found;
  }

  wantTerm(host: Host, above: number): void {
    if (this.coordinator === 'away') return;
    const { random } = this.events;
    this.events.after(random.between(1, 60), () => {
      if (this.coordinator === 'away') return;
      const repeats = this.coordinator === 'repeats' && random.chance(0.5);
      if (!repeats) this.coordinatorTerm = Math.max(this.coordinatorTerm, random.chance(0.7) ? above : 0) + 1;
      const given = this.coordinatorTerm;
      host.run(() => host.campaign(given));
    });
  }

  liftTerm(heard: Term): void {
    if (this.coordinator === 'present') this.coordinatorTerm = Math.max(this.coordinatorTerm, heard);
  }

  configured(configuration: Configuration, at: Lsn): void {
    this.#configuredAt.set(at, configuration);
    if (at <= this.#configuredLsn) return;
    this.#configuredLsn = at;
    this.committedConfiguration = configuration;
    this.reached('configuration change');
    this.note(`configured at ${at}: ${configuration.voters.join()} + ${configuration.learners.join()}`);
  }

  committedBy(replica: Replica, at: Lsn): void {
    this.truth.durable(replica, at, (id) => this.diskOf(id));
  }

  diskOf(id: DirectoryId): SimDisk | undefined {
    return this.#emptied.has(id) ? undefined : this.hosts.find((host) => host.id === id)?.disk;
  }

  acknowledged(host: Host, at: Lsn, chain: number | undefined): void {
    this.truth.acknowledged(host.id, at, chain);
    this.acknowledgedWrites += 1;
  }

  // ---------------------------------------------------------------- clients and the controller

  /** A client writes or reads wherever somebody claims to lead: stale leaders are asked too. */
  request(): void {
    const { random } = this.events;
    const leaders = this.hosts.filter(({ replica }) => replica?.role === 'leader');
    if (leaders.length === 0) return;
    const host = random.pick(leaders);
    if (random.chance(0.5)) {
      this.#operation += 1;
      const operation = this.#operation;
      host.run(() => void host.submit(operation));
    } else host.run(() => host.read());
  }

  get leader(): Host | undefined {
    return this.hosts.find(({ replica, paused }) => replica?.isServing === true && !paused);
  }

  /** The leader moves its replica set towards the ring's, one member at a time, and hands over when it is not among them. */
  control(): void {
    for (const host of this.hosts) host.run(() => this.#controlBy(host));
  }

  #controlBy(host: Host): void {
    const { replica, nowMs } = host;
    if (replica === undefined || !replica.isServing) return;
    const keepsUp = (id: DirectoryId): boolean => replica.leadership?.keepsUp(id, nowMs) === true;
    const step = nextStep(replica.configuration, this.desired, host.id, keepsUp);
    if (step?.type === 'change') replica.change(step.change, nowMs);
    else if (step !== undefined) replica.transfer(step.to, nowMs);
    host.drain();
  }

  /** A disk is replaced by an empty one: another directory, so another voter. */
  wipe(host: Host): void {
    host.crash();
    const old = host.id;
    this.#wiped += 1;
    this.#emptied.add(old);
    if (this.bugs.keepsIdWhenWiped !== true) {
      host.id = directoryId(`${old.split('.')[0]}.${this.#wiped}`);
      this.desired = this.desired.map((id) => (id === old ? host.id : id));
    }
    const { disk } = host;
    host.disk = new (disk.constructor as typeof SimDisk)(this.events);
    host.disk.baseMs = disk.baseMs;
    this.reached('wiped directory');
    this.note(`${old} is wiped, now ${host.id}`);
  }

  get term(): Term {
    return term(this.coordinatorTerm);
  }
}

function shown(message: Message): string {
  const { type, term: inTerm } = message;
  switch (message.type) {
    case 'append': {
      const { previous, entries, commit } = message;
      return `append t${inTerm} after ${previous.lsn}@${previous.term} [${entries.map((e) => `${e.lsn}@${e.term}`)}] commit ${commit}`;
    }
    case 'appendReply':
      return `appendReply t${inTerm} match ${message.match}`;
    case 'vote':
    case 'preVote':
      return `${type} t${inTerm} end ${message.end.lsn}@${message.end.term}`;
    case 'voteReply':
    case 'preVoteReply':
      return `${type} t${inTerm} ${message.answer}`;
    case 'appendRefusal':
      return `appendRefusal t${inTerm} of ${message.rejected}, hint ${message.hint.lsn}@${message.hint.term}`;
    case 'snapshotChunk':
      return `snapshotChunk t${inTerm} of ${message.meta.lsn} #${message.chunk.index} ${message.chunk.place}`;
    case 'snapshotReply':
      return `snapshotReply t${inTerm} next ${message.next} ${message.state}`;
    case 'heartbeat':
    case 'heartbeatReply':
      return `${type} t${inTerm} round ${message.round}`;
    default:
      return `${type} t${inTerm}`;
  }
}
