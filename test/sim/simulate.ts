// One seed from beginning to end: builds the world, lets its faults loose, heals it, and asks whether everything came to its end and nothing
// that was promised is missing. Everything is decided by the seed.

import type { Realm } from '../../sdk/worker/runtime/realm.ts';
import { AnswerWatch } from './answers.ts';
import { type CalledJournal, makeCalled } from './called.ts';
import { type Journal, startClient } from './client.ts';
import { type DeployJournal, VERSIONS } from './deploys.ts';
import { SimDisk } from './disk.ts';
import { checkBounds, checkEnds, checkRecovery } from './end-checks.ts';
import { FaultDriver } from './fault-driver.ts';
import { areAnswered, checkDoorEnds, type DoorJournals, openDoorJournals, startDoorClient } from './grpc/client.ts';
import { RpcWatch } from './grpc/rpc-watch.ts';
import { startDoorWorker } from './grpc/worker.ts';
import { withVirtualTime } from './host-time.ts';
import { checkJobs, type JobJournal, makeJobs } from './jobs.ts';
import { Kernel, type Process, Violation } from './kernel.ts';
import { NAMESPACE, TASK_QUEUE } from './names.ts';
import { Network } from './network.ts';
import { type NodeWorld, type Plant, SimNode } from './node.ts';
import { Observer } from './observer.ts';
import { CallbackWatch } from './operations/callback-watch.ts';
import { type OperationJournal, openJournal } from './operations/script.ts';
import { type FaultName, makePlan, type Plan } from './plan.ts';
import { SeededRandom } from './random.ts';
import { Service } from './service.ts';
import { Truth } from './truth.ts';
import { type CoreStats, watchedCore } from './watched-core.ts';
import { startWorker } from './worker.ts';

/** Virtual ms after healing within which everything must have ended. */
const LIVENESS_MS = 180_000;
/** ms between two looks at the node's gauges. */
const PROBE_MS = 250;

export interface SeedReport {
  seed: number;
  failure: Error | undefined;
  /** Of the whole history: two runs of a seed have the same. */
  digest: string;
  events: number;
  messages: number;
  entries: number;
  virtualMs: number;
  faults: ReadonlySet<FaultName>;
  recoveries: ReadonlyMap<string, number>;
  /** What operations it went through. */
  met: readonly string[];
  core: CoreStats;
  plan: Plan;
  /** The last lines of the trace. */
  trace: readonly string[];
}

export interface SimulateOptions {
  realm: Realm;
  plant?: Plant | undefined;
  /** Every line of the trace as it is made. */
  sink?: ((line: string) => void) | undefined;
}

export class Simulation {
  readonly plan: Plan;
  readonly kernel: Kernel;
  readonly truth = new Truth();
  readonly disk: SimDisk;
  readonly network: Network;
  readonly answers: AnswerWatch;
  readonly observer: Observer;
  readonly service: Service;
  readonly journals: Journal[];
  readonly operations: OperationJournal[];
  readonly jobs: JobJournal[];
  readonly called: CalledJournal[];
  readonly callbacks: CallbackWatch;
  readonly deploys: DeployJournal | undefined;
  readonly door: DoorJournals | undefined;
  readonly coreStats: CoreStats = { comparisons: 0, activations: 0 };
  readonly #world: NodeWorld;
  readonly #realm: Realm;
  readonly #workers: (Process | undefined)[] = [];
  readonly #clients: (Process | undefined)[] = [];
  node: SimNode | undefined;
  #incarnation = 0;
  #processes = 0;
  #undone = false;

  constructor(seed: number, options: SimulateOptions) {
    this.plan = makePlan(seed);
    const { plan } = this;
    this.kernel = new Kernel(seed, options.sink);
    this.disk = new SimDisk(this.kernel, new SeededRandom(`disk ${seed}`), this.truth);
    this.network = new Network(this.kernel, new SeededRandom(`network ${seed}`));
    this.answers = new AnswerWatch(this.kernel, this.truth);
    this.observer = new Observer(this.kernel, this.answers);
    this.service = new Service(seed);
    this.#realm = options.realm;
    this.jobs = makeJobs(seed);
    this.called = makeCalled(seed);
    const { truth } = this;
    this.callbacks = new CallbackWatch(
      (workflowId) => truth.workflows.get(workflowId) ?? [],
      new SeededRandom(`callbacks ${seed}`),
    );
    this.door = plan.door && openDoorJournals(plan.door);
    this.deploys = plan.deploys && { plan: plan.deploys, done: 0 };
    this.truth.versions.now = () => this.kernel.now;
    this.journals = plan.workflows.map((workflow) => ({
      plan: workflow,
      done: 0,
      runId: undefined,
      result: undefined,
    }));
    this.operations = plan.operations.map(openJournal);
    this.#world = {
      kernel: this.kernel,
      disk: this.disk,
      network: this.network,
      settings: {
        shardCount: plan.shardCount,
        bounds: {
          cachedActors: plan.cachedActors,
          // Where there is little room, starts wait for their turn, too.
          undurableStarts: plan.cachedActors,
          actorIdleMs: 500,
          waiters: 200,
          mailbox: 100,
          outboxKept: plan.outboxKept,
          outboxRetryMs: 200,
        },
        readMs: plan.readMs,
        idleMs: 1_000,
      },
      skew: { ms: 0 },
      versioned: plan.deploys !== undefined,
      tap: this.observer,
      rpcs: plan.door && new RpcWatch(this.kernel, truth, this.answers),
      plant: options.plant ?? {},
      callbacks: this.callbacks,
      core: () => watchedCore(this.kernel.random, this.coreStats, (error) => this.kernel.fail(error)).core,
      onFatal: (node, error) => this.#fatal(node, error),
    };
  }

  get skew(): { ms: number } {
    return this.#world.skew;
  }

  get workerProcesses(): Process[] {
    return this.#workers.filter((process) => process !== undefined);
  }

  get clientProcesses(): Process[] {
    return this.#clients.filter((process) => process !== undefined);
  }

  /** Callers have their results, and nothing is left to do: children that were left behind have ended, messages between workflows arrived. */
  get done(): boolean {
    const { truth, node } = this;
    const isIdle = this.#answered && truth.openRuns === 0 && truth.undelivered.size === 0 && node?.state === 'serving';
    return isIdle && truth.watches.schedules.quiet && truth.watches.deletions.quiet;
  }

  get #answered(): boolean {
    return (
      this.journals.every(({ result }) => result !== undefined) &&
      this.operations.every(({ over }) => over) &&
      this.jobs.every(({ outcome }) => outcome !== undefined) &&
      this.called.every(({ over }) => over) &&
      this.callbacks.owed.length === 0 &&
      (this.door === undefined || areAnswered(this.door)) &&
      (this.deploys === undefined || this.deploys.done === this.deploys.plan.steps.length)
    );
  }

  startNode(): void {
    if (this.node !== undefined && this.node.state !== 'dead') return;
    this.#incarnation += 1;
    if (this.#incarnation > 1) this.answers.recovered('node restarted');
    if (this.truth.undelivered.size > 0)
      this.answers.recovered('messages between workflows delivered by the next node');
    if (!this.disk.damaged)
      void checkRecovery(this.disk, this.plan.shardCount, this.truth).catch((e: unknown) => this.kernel.fail(e));
    this.node = new SimNode(this.#world, this.#incarnation);
    const { process } = this.node;
    this.kernel.at(this.kernel.now, process, 'starts', () => this.node?.start());
  }

  startNodeAfter(downMs: number): void {
    this.kernel.after(downMs, 'operator starts the node', () => this.startNode());
  }

  /** Those of the other door come after those of the native one. */
  startWorker(index: number): void {
    const { workers, door, workflows } = this.plan;
    if (this.#workers[index]?.alive) return;
    const settings = workers[index];
    const ofDoor = door?.workers[index - workers.length];
    if (settings === undefined && ofDoor === undefined) return;
    this.#processes += 1;
    const name = `worker-${index}.${this.#processes}`;
    const world = { kernel: this.kernel, network: this.network, service: this.service };
    if (ofDoor !== undefined) {
      const met = (what: string): void => this.truth.watches.seen(what);
      this.#workers[index] = startDoorWorker({ ...world, met }, name, ofDoor);
    } else if (settings !== undefined) {
      const nexus = workflows.some(({ type }) => type === 'shopper');
      const own = { ...world, realm: this.#realm, version: this.#versionOf(index), nexus };
      this.#workers[index] = startWorker(own, name, settings);
    }
  }

  #startWorkers(): void {
    const { workers, door } = this.plan;
    for (let i = 0; i < workers.length + (door?.workers.length ?? 0); i += 1) this.startWorker(i);
  }

  #startClients(): void {
    for (let i = 0; i < this.plan.clients + (this.door === undefined ? 0 : 1); i += 1) this.startClient(i);
  }

  #versionOf(index: number) {
    const { deploys } = this.plan;
    const buildId = VERSIONS[index % VERSIONS.length];
    return deploys === undefined || buildId === undefined ? undefined : { buildId, behavior: deploys.behavior };
  }

  startClient(index: number): void {
    if (this.#clients[index]?.alive) return;
    this.#processes += 1;
    const name = `client-${index}.${this.#processes}`;
    if (index === this.plan.clients && this.door !== undefined) {
      this.#clients[index] = startDoorClient(this, name, this.door);
      return;
    }
    const journals = this.journals.filter(({ plan }) => plan.client === index);
    const operations = this.operations.filter(({ plan }) => plan.client === index);
    const jobs = index === 0 ? this.jobs : [];
    const called = index === 0 ? this.called : [];
    const deploys = index === 0 ? this.deploys : undefined;
    const own = { journals, operations, jobs, called, deploys };
    this.#clients[index] = startClient(this, name, own);
  }

  /** The node cannot go on. An operator looks after it: sees to the disk, and starts it again. */
  #fatal(node: SimNode, error: unknown): void {
    this.answers.recovered('node stopped serving');
    this.kernel.note(`operator is told: ${String(error)}`);
    if (!String(error).includes('simulated write error') && !this.disk.damaged) this.kernel.fail(error);
    this.kernel.after(300, 'operator restarts the node', () => {
      if (this.node !== node) return;
      node.crash('told');
      if (node.state === 'dead' && this.disk.damaged) {
        this.answers.recovered('damage kept the node from serving');
        this.disk.mend();
      }
      this.startNode();
    });
  }

  async run(): Promise<void> {
    const { kernel, plan, disk, service } = this;
    this.startNode();
    this.#startWorkers();
    this.#startClients();
    const driver = new FaultDriver(this);
    for (const fault of plan.faults) driver.schedule(fault);
    this.#probe();
    kernel.after(plan.calmAt, 'everything is healed', () => {
      driver.heal();
      service.calm = true;
      this.callbacks.calm = true;
      disk.mend();
      this.startNode();
      this.#startWorkers();
      this.#startClients();
    });
    await kernel.run(plan.calmAt + LIVENESS_MS, () => this.done && kernel.now > plan.calmAt);
    if (kernel.failure !== undefined) return;
    if (!this.done) {
      const open = this.journals
        .filter(({ result }) => result === undefined)
        .map(({ plan: { workflowId }, done }) => `${workflowId} (step ${done})`);
      for (const { plan: of, done, over } of this.operations)
        if (!over) open.push(`${of.id} (${JSON.stringify(of.moves[done])})`);
      for (const { workflowId, over } of this.called) if (!over) open.push(workflowId);
      open.push(...this.callbacks.owed.map((id) => `callback of ${id}`));
      for (const { plan: of, done, closed } of this.door?.workflows ?? [])
        if (closed === undefined) open.push(`${of.workflowId} (${JSON.stringify(of.steps[done])})`);
      if (this.deploys !== undefined) open.push(`deploys (step ${this.deploys.done})`);
      open.push(...this.truth.watches.schedules.busy.map((id) => `schedule ${id}`));
      if (!this.truth.watches.deletions.quiet) open.push('events of deleted runs');
      const queues = (['workflow', 'activity'] as const).map((kind) => {
        const { count } = this.node?.engine.backlog({ namespace: NAMESPACE, name: TASK_QUEUE, kind }) ?? { count: 0 };
        return `${count} ${kind} tasks wait, ${this.node?.matcher.credit(kind) ?? 0} credits are free`;
      });
      throw new Violation(
        'liveness',
        `${LIVENESS_MS} ms after the last fault these had not ended: ${open.join(', ')} (${queues.join('; ')}); ${this.truth.openRuns} runs are open, ${this.truth.undelivered.size} messages undelivered`,
      );
    }
    checkEnds(this.journals, this.truth, service);
    this.truth.watches.schedules.checkEnds();
    checkJobs(this.jobs, service);
    if (this.door !== undefined) checkDoorEnds(this.door);
    this.answers.updates.checkEnd();
    await this.#recoverOnceMore();
  }

  /** The end: the node stops, in one way or another, and what it left is what was durable. */
  async #recoverOnceMore(): Promise<void> {
    const { kernel, node } = this;
    if (node === undefined) return;
    let over = false;
    if (kernel.random.chance(0.5)) {
      node.crash('told');
      over = true;
    } else {
      kernel.at(kernel.now, node.process, 'stops', () => {
        void node.stop().then(() => {
          over = true;
        });
      });
      await kernel.run(kernel.now + 30_000, () => over);
      if (!over && kernel.failure === undefined) throw new Violation('liveness', 'the node did not stop within 30 s');
    }
    kernel.after(0, 'looks at the disk', () => {
      checkRecovery(this.disk, this.plan.shardCount, this.truth).catch((error: unknown) => kernel.fail(error));
    });
    await kernel.run(kernel.now + 1, () => false);
  }

  #probe(): void {
    this.kernel.after(PROBE_MS, 'probe', () => {
      this.#probe();
      const { node } = this;
      if (node === undefined || node.state !== 'serving') return;
      const stats = node.engine.getStats();
      if (stats.startsUndone > 0 && !this.#undone) {
        this.#undone = true;
        this.answers.recovered('start undone');
      }
      checkBounds(stats, this.#world.settings.bounds, this.truth);
    });
  }
}

/** Runs one seed; never rejects. */
export async function simulate(seed: number, options: SimulateOptions): Promise<SeedReport> {
  const simulation = new Simulation(seed, options);
  const { kernel, plan, observer, answers, truth, coreStats } = simulation;
  await withVirtualTime(kernel, async () => {
    try {
      await simulation.run();
    } catch (error) {
      kernel.fail(error);
    }
  });
  const { failure } = kernel;
  return {
    seed,
    failure: failure === undefined ? undefined : failure instanceof Error ? failure : new Error(String(failure)),
    digest: kernel.digest(),
    events: kernel.events,
    messages: observer.messages,
    entries: truth.entries,
    virtualMs: kernel.now,
    faults: new Set(plan.faults.map(({ fault }) => fault)),
    recoveries: answers.recoveries,
    met: [...truth.watches.met, ...truth.nexus.seen, ...truth.versions.seen, ...simulation.callbacks.seen],
    core: coreStats,
    plan,
    trace: kernel.lastLines,
  };
}
