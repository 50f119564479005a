// The world of one cluster seed: machines and the network between them, Redis, workers and clients, and an operator who starts again what has ended. What
// happens to it is faults.ts; what must hold in the end is end-checks.ts.

import type { Journey } from '../../../cluster/ownership/memory/client.ts';
import { MemoryCoordinatorServer } from '../../../cluster/ownership/memory/server.ts';
import type { Done, Engine } from '../../../src/ports/engine.ts';
import { term } from '../../../src/ports/ids.ts';
import type { ShardMessage } from '../../../src/ports/led-shards.ts';
import { shardOf } from '../../../src/shard/keys.ts';
import { decodePosition, encodePosition, frame, POSITION, unframe } from '../../../src/store/framing.ts';
import { type Status, StatusCode } from '../../../src/wire/status.ts';
import { checkBounds } from '../end-checks.ts';
import { EPOCH, Kernel, Violation } from '../kernel.ts';
import { CallbackWatch, callbacksOf } from '../operations/callback-watch.ts';
import { SeededRandom } from '../random.ts';
import { SqlServer } from '../sql/server.ts';
import type { asBelieved } from '../sql/tables.ts';
import { Truth } from '../truth.ts';
import { UpdateWatch } from '../update-watch.ts';
import { type CoreStats, watchedCore } from '../watched-core.ts';
import { Attendance } from './attendance.ts';
import { SimBackups } from './backups.ts';
import { type ClientWorld, SimClient } from './client.ts';
import { DatabaseWatch } from './database-watch.ts';
import { DISK_ERROR } from './disk.ts';
import { SimTenant } from './flow.ts';
import { Heartbeats } from './heartbeats.ts';
import { SimLife } from './life.ts';
import { LogWatch } from './log-watch.ts';
import { Machine } from './machine.ts';
import { ClusterNetwork } from './network.ts';
import { ClusterProcess, HOLDER, type NodePlant, type NodeWorld } from './node.ts';
import type { NodeProcess } from './node-process.ts';
import { SimOperator } from './operations.ts';
import type { ClusterPlan } from './plan.ts';
import { TaskWatch } from './task-watch.ts';
import { SimWorker } from './worker.ts';

/** How far clocks of machines run apart at most: half of what replicas reckon with. */
const DRIFT = 0.008;
/** How far wall clocks drift at most: in a seed's three minutes two that nobody sets do not come to differ by a second, and so refuse each other. */
const WALL_DRIFT = 0.001;
const RESTART_MS = 800;
/** Of a seed: several times what the busiest ones have. */
const MOST_EVENTS = 500_000;

/** What the operator does with a machine whose node has ended by itself. */
export type AfterEnd = 'start' | 'nothing';

export interface WorldPlant extends NodePlant {
  /** Which writers the database takes for those who lead. */
  readonly believes?: typeof asBelieved;
  /** An emptied directory claims to be the one it was. */
  readonly keepsIdWhenEmptied?: boolean;
  /** What was promised is forgotten with the process. */
  readonly forgetsVotes?: boolean;
  /** A node that ends with words like these does not belong: it is not started again, and the others go on. */
  readonly strangers?: RegExp;
}

export class ClusterWorld implements ClientWorld {
  readonly plan: ClusterPlan;
  readonly plant: WorldPlant;
  readonly kernel: Kernel;
  readonly random: SeededRandom;
  readonly truth = new Truth();
  readonly updates = new UpdateWatch(this.truth);
  readonly tasks: TaskWatch;
  readonly callbacks: CallbackWatch;
  readonly heartbeats: Heartbeats;
  readonly watch: LogWatch;
  readonly network: ClusterNetwork;
  readonly redis: MemoryCoordinatorServer;
  /** Where the plan says that the nodes share one. */
  readonly database: SqlServer | undefined;
  readonly machines: Machine[] = [];
  readonly attendance: Attendance;
  readonly workers: readonly SimWorker[];
  readonly clients: SimClient[];
  readonly operators: readonly SimOperator[];
  readonly tenants: readonly SimTenant[];
  readonly lives: readonly SimLife[];
  readonly backups: SimBackups;
  readonly coreStats: CoreStats = { comparisons: 0, activations: 0 };
  /** Events worth counting, by name. */
  readonly events = new Map<string, number>();
  readonly #node: NodeWorld;
  readonly #undone = new Map<ClusterProcess, number>();
  /** ms a call to Redis takes; undefined: it cannot be reached. */
  redisMs: number | undefined = 1;
  redisLossChance = 0;
  /** While a fail-over is under way: whom each host still speaks to, or that it finds nobody. */
  readonly redisOf = new Map<string, MemoryCoordinatorServer | 'nobody'>();
  /** A message between shards was applied: faults aim at it. */
  onApplied: ((node: ClusterProcess, item: ShardMessage) => void) | undefined;
  /** Directories that may hold damage: a node that will not start on one is expected. */
  readonly damaged = new Map<string, () => void>();
  /** False: its directory is as it was left. */
  onOutdated: ((machine: Machine) => boolean) | undefined;

  constructor(plan: ClusterPlan, plant: WorldPlant = {}, sink?: (line: string) => void) {
    const { seed } = plan;
    this.plan = plan;
    this.plant = plant;
    this.kernel = new Kernel(seed, sink, 'notes');
    this.random = new SeededRandom(`cluster ${seed}`);
    this.callbacks = new CallbackWatch(
      (workflowId) => this.truth.workflows.get(workflowId) ?? [],
      new SeededRandom(`cluster callbacks ${seed}`),
    );
    this.heartbeats = new Heartbeats(seed);
    this.tasks = new TaskWatch(this.truth, (violation) => this.kernel.fail(violation));
    this.watch = new LogWatch(this.truth, (what) => this.reached(what));
    this.network = new ClusterNetwork(this.kernel, new SeededRandom(`cluster network ${seed}`));
    const { kernel } = this;
    this.redis = new MemoryCoordinatorServer({ now: () => EPOCH + kernel.now, monotonic: () => kernel.now });
    const stored = new DatabaseWatch(this.watch);
    const { believes } = plant;
    this.database =
      plan.durability === 'replicated'
        ? undefined
        : new SqlServer({
            ...{
              kernel,
              shardCount: plan.shardCount,
              holder: HOLDER,
              onCommit: (committed) => stored.committed(committed),
            },
            ...(believes === undefined ? {} : { believes }),
            random: new SeededRandom(`cluster database ${seed}`),
          });
    this.attendance = new Attendance(kernel, this.machines, this.heartbeatMs);
    for (let i = 0; i < plan.machines; i += 1) {
      const wallRate = 1 + new SeededRandom(`wall clock ${seed} ${i}`).between(-WALL_DRIFT, WALL_DRIFT);
      const clock = { rate: 1 + this.random.between(-DRIFT, DRIFT), wallRate, ms: this.random.between(-200, 200) };
      const options = { clock, zone: plan.zones === 1 ? '' : `z${i % plan.zones}`, wanted: i < plan.firstMembers };
      const landed = (...written: Parameters<LogWatch['written']>): void => this.watch.written(...written);
      const machine = new Machine({ kernel, seed, landed }, i, options);
      this.machines.push(machine);
    }
    this.workers = Array.from({ length: plan.workers }, (_, n) => {
      const name = `worker ${n}`;
      return new SimWorker(this, name, new SeededRandom(`${name} ${seed}`), plan.workerWays);
    });
    this.clients = plan.workflows.map(
      (workflow) => new SimClient(this, workflow, new SeededRandom(`client ${workflow.workflowId} ${seed}`)),
    );
    this.operators = plan.operations.map(
      (operation) => new SimOperator(this, operation, new SeededRandom(`operator ${operation.id} ${seed}`)),
    );
    this.lives = plan.lives.map((life) => new SimLife(this, life, new SeededRandom(`${life.id} ${seed}`)));
    this.backups = new SimBackups(this, new SeededRandom(`backups ${seed}`));
    this.tenants = plan.flows.map(
      (flow) => new SimTenant(this, flow, new SeededRandom(`tenant ${flow.flow.key} ${seed}`)),
    );
    const coreRandom = new SeededRandom(`cluster core ${seed}`);
    this.#node = {
      ...{ kernel, network: this.network, watch: this.watch, plant, database: this.database },
      settings: {
        ...{
          shardCount: plan.shardCount,
          replicas: plan.replicas,
          firstMembers: plan.firstMembers,
          readMs: plan.readMs,
        },
        plans: {
          stableMs: 1_500,
          maxStableMs: 10_000,
          demoteMs: 5_000,
          goneMs: plan.goneMs,
          intervalMs: 2_000,
          leadMs: 500,
          turnMs: 1_000,
          movedPerMinute: 20,
        },
        bounds: { cachedBytes: plan.cachedBytes, messageBytes: plan.messageBytes },
        times: { electionMs: plan.electionMs, heartbeatMs: this.heartbeatMs },
        engine: {
          cachedActors: plan.cachedActors,
          // Where there is little room, starts wait for their turn, too.
          undurableStarts: plan.cachedActors,
          actorIdleMs: 500,
          outboxKept: plan.outboxKept,
          outboxRetryMs: 300,
        },
      },
      seeds: this.machines.slice(0, 2).map(({ host }) => host),
      callbacksOf: (process) => callbacksOf(this.kernel, (work) => process.act(work), this.callbacks),
      coordinatorOf: (process, host) => this.#coordinatorOf(process, host),
      watchedCore: (directory) => {
        const leads = (...of: [namespace: string, workflowId: string]): boolean =>
          this.watch.leaderOf(shardOf(...of, plan.shardCount)) === directory;
        return watchedCore(coreRandom, this.coreStats, (violation) => this.kernel.fail(violation), leads);
      },
      applied: (node, item) => this.onApplied?.(node, item),
      reached: (what) => this.reached(what),
      serves: () => undefined,
      onFatal: (node, error) => this.#fatal(node, error),
    };
  }

  /** Rows may be damaged, or not be read, for a while. */
  get mayFailToRead(): boolean {
    return this.plan.kinds.some((kind) => kind === 'bit flip' || kind === 'read error');
  }

  /** Something depends on this machine's being there, or on its directory. */
  isNeeded({ directoryId, node }: Machine): boolean {
    return this.database === undefined ? this.watch.isMember(directoryId) : (node?.cluster?.leads ?? 0) > 0;
  }

  /** Of the leaders of replicated shards. */
  get heartbeatMs(): number {
    return this.plan.electionMs / 5;
  }

  get up(): Machine[] {
    return this.machines.filter(({ node }) => node?.state === 'serving');
  }

  get ended(): boolean {
    return (
      this.clients.every(({ result }) => result !== undefined) &&
      this.operators.every(({ over }) => over) &&
      this.tenants.every(({ over }) => over) &&
      this.lives.every(({ over }) => over) &&
      this.backups.over &&
      this.callbacks.owed.length === 0 &&
      this.truth.openRuns === 0 &&
      this.truth.undelivered.size === 0 &&
      this.truth.watches.schedules.quiet &&
      this.truth.watches.deletions.quiet
    );
  }

  get operations(): number {
    return this.clients.reduce((sum, { operations }) => sum + operations, 0);
  }

  isStarted(workflowId: string | undefined): boolean {
    return this.clients.every(({ plan, runId }) => plan.workflowId !== workflowId || runId !== undefined);
  }

  reached(what: string): void {
    this.events.set(what, (this.events.get(what) ?? 0) + 1);
  }

  begin(): void {
    for (const machine of this.machines) if (machine.wanted) this.startSoon(machine, this.random.between(0, 300));
    for (const client of this.clients) client.begin();
    for (const operator of this.operators) operator.begin();
    for (const tenant of this.tenants) tenant.begin();
    for (const life of this.lives) life.begin();
    this.backups.begin();
    this.attendance.begin();
    this.#probe();
  }

  startSoon(machine: Machine, ms: number): void {
    this.kernel.after(ms, 'operator starts a node', () => this.start(machine));
  }

  start(machine: Machine): void {
    if (!machine.wanted || machine.isUp) return;
    if (this.plant.forgetsVotes === true && machine.starts > 0) forgetVotes(machine);
    const node = new ClusterProcess(this.#node, machine);
    machine.node = node;
    this.kernel.at(this.kernel.now, node.process, 'starts', () => void node.start());
  }

  /** Whoever asks is a network away, and may never hear. */
  ask<T>(
    preferred: ClusterProcess | undefined,
    what: string,
    go: (engine: Engine, done: Done<T>) => void,
    done: Done<T>,
  ): void {
    const { kernel, random } = this;
    const serving = this.machines.flatMap(({ node }) =>
      node?.state === 'serving' || node?.state === 'stopping' ? [node] : [],
    );
    const node =
      preferred?.process.alive === true && random.chance(0.9)
        ? preferred
        : serving.length > 0
          ? random.pick(serving)
          : undefined;
    if (node === undefined || node.doors === undefined) {
      kernel.after(50, 'nobody listens', () =>
        done({ code: StatusCode.UNAVAILABLE, message: 'no node listens' }, undefined),
      );
      return;
    }
    const { process, doors } = node;
    kernel.note(`${process.name} is asked for ${what}`);
    kernel.after(random.between(0.2, 2), 'request', () =>
      process.act(() => {
        try {
          go(doors, (error: Status | undefined, value: T | undefined) => {
            if (process.alive) kernel.after(random.between(0.2, 2), 'answer', () => done(error, value));
          });
        } catch (error) {
          kernel.fail(error);
        }
      }),
    );
  }

  // ---------------------------------------------------------------- inside

  #coordinatorOf(process: NodeProcess, host: string) {
    const { redis, redisOf, random } = this;
    const journey = (): Journey => {
      const ms = redisOf.get(host) === 'nobody' ? undefined : this.redisMs;
      if (ms === undefined) return random.chance(0.5) ? { type: 'refused' } : { type: 'request lost' };
      if (random.chance(this.redisLossChance)) {
        return random.chance(0.5) ? { type: 'request lost' } : { type: 'answer lost', thereMs: ms };
      }
      return { type: 'answered', thereMs: random.between(ms / 2, ms), backMs: random.between(ms / 2, ms) };
    };
    return {
      get server() {
        const found = redisOf.get(host);
        return found === undefined || found === 'nobody' ? redis : found;
      },
      ...{ clock: process, scheduler: process, journey },
    };
  }

  /** The process ends: its disk failed it, or its directory is damaged. Anything else is a bug. */
  #fatal(node: ClusterProcess, error: unknown): void {
    const { machine } = node;
    const text = error instanceof Error ? error.message : String(error);
    this.kernel.note(`${node.process.name} cannot go on: ${text}`);
    if (this.plant.strangers?.test(text) === true) {
      this.reached('stranger refused');
      machine.wanted = false;
      node.crash('told');
      return;
    }
    if (/is older than it was/.test(text) && this.onOutdated?.(machine) === true) return;
    const damage = this.damaged.get(node.directoryId);
    const isHung = machine.disk.hasHung && text.startsWith('the disk hangs');
    if (damage === undefined && !isHung && !text.includes(DISK_ERROR) && !isTaken(text)) {
      this.kernel.fail(error);
      return;
    }
    node.crash('told');
    if (damage !== undefined) damage();
    else this.startSoon(machine, this.random.between(RESTART_MS / 2, RESTART_MS * 2));
  }

  #probe(): void {
    this.kernel.after(500, 'probe', () => {
      this.#probe();
      if (this.kernel.events > MOST_EVENTS)
        this.kernel.fail(new Violation('I9', 'so much happens that something runs in circles'));
      // Who lost its node finds another one: several may be at one, and none at others.
      for (const worker of this.workers) {
        const up = this.up.flatMap(({ node }) => (node === undefined ? [] : [node]));
        for (const node of worker.missing(up, this.random)) worker.connect(node);
      }
      for (const { node } of this.machines) {
        if (node?.engine === undefined || !node.process.alive) continue;
        const stats = node.engine.getStats();
        checkBounds(stats, this.#node.settings.engine, this.truth);
        const { startsUndone } = stats;
        if (startsUndone > (this.#undone.get(node) ?? 0)) this.reached('undelivered start');
        this.#undone.set(node, startsUndone);
      }
    });
  }

  describe(): string {
    const open = this.clients.filter(({ result }) => result === undefined).map(({ where }) => where);
    for (const { over, where } of this.operators) if (!over) open.push(where);
    for (const { over, where } of this.tenants) if (!over) open.push(where);
    for (const { over, where } of this.lives) if (!over) open.push(where);
    if (!this.backups.over) open.push('a backup');
    for (const workflowId of this.callbacks.owed) open.push(`callback of ${workflowId}`);
    for (const id of this.truth.watches.schedules.busy) open.push(`schedule ${id}`);
    if (!this.truth.watches.deletions.quiet) open.push('events of deleted runs');
    const nodes = this.machines.map(({ name, node, wanted }) => {
      const leads = node?.cluster?.leads ?? 0;
      return `${name} ${wanted ? '' : 'unwanted '}${node?.state ?? 'off'}, leads ${leads}, ${node?.cluster?.notReady() ?? 'ready'}`;
    });
    return `open: ${open.join(', ') || 'none'}; ${this.truth.openRuns} runs open, ${this.truth.undelivered.size} messages undelivered; ${nodes.join('; ')}`;
  }
}

/** The name or directory is still leased to the run before, or remembered by gossip: it is free in a moment. */
const isTaken = (text: string): boolean => /is called|in use by|belongs to another node/.test(text);

/** What is on disk of promises is gone; the term stays. */
function forgetVotes({ disk }: Machine): void {
  disk.rewrite((map) => {
    for (const key of disk.medium.keys()) {
      const framed = key.startsWith(POSITION) ? map.get(key) : undefined;
      if (framed === undefined) continue;
      const position = decodePosition(unframe(key, framed, 'the simulated disk'));
      map.set(key, frame(key, encodePosition({ ...position, votedTerm: term(0), votedFor: '' })));
    }
  });
}
