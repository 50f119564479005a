// One chaos run: a cluster under load, faults one after the other, and at the end everything that must hold: the audit balances, nothing
// acknowledged is missing or there twice, histories have no gap, the directories are sound.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'tenuto/client';
import { Operations, type OperationsReport } from '../../../examples/order-fulfillment/operations/operations.ts';
import { type Build, type ClientLibrary, libraryOf, OWN } from './build.ts';
import { connectToAll } from './clients.ts';
import { ChaosCluster, type StoreKind } from './cluster.ts';
import type { CoordinatorKind } from './coordinator.ts';
import { type FailedCall, Ledger } from './ledger.ts';
import type { NodeProcess } from './node-process.ts';
import { Orders } from './orders.ts';
import { type Gaps, Probes } from './probes.ts';

export interface WorldOptions {
  readonly nodes?: number;
  readonly coordinator?: CoordinatorKind;
  readonly store?: StoreKind;
  readonly orders?: number;
  readonly seed?: number;
  /**
   * Another build that the nodes run at first. The shop, a worker and a client are of it, too, throughout; beside them a worker and a client of
   * this build.
   */
  readonly other?: Build | undefined;
  readonly dataDirectoryOf?: (name: string) => string | undefined;
  /** What becomes of logs and data of a sound run. Default: removed. */
  readonly atEnd?: 'keep' | 'remove';
  /** What happens, while it happens. */
  say?(text: string): void;
}

export interface FaultSeen extends Gaps {
  readonly what: string;
}

export interface RunReport {
  readonly faults: readonly FaultSeen[];
  readonly orders: number;
  /** Acknowledged, and found in the histories. */
  readonly starts: number;
  readonly signals: number;
  readonly operations: OperationsReport | undefined;
  readonly failedCalls: readonly FailedCall[];
  readonly repeatedCalls: number;
  readonly longestCallMs: number;
  /** Empty: all that must hold does. */
  readonly problems: readonly string[];
}

const SHARDS = 16;
const REPLICAS = 3;
const CONCURRENCY = 12;
const SEED = 7;
/** A cluster of that size on a slow machine; faults are bounded below that. */
const FORM_MS = 60_000;
const SERVED_MS = 30_000;
/** Longer than replicas wait for a leader that has gone silent. */
const WATCH_MS = 3_000;
const ORDERS_END_MS = 90_000;
const LOOK_MS = 500;

export class World {
  readonly cluster: ChaosCluster;
  readonly #options: WorldOptions;
  readonly #directory: string;
  readonly #orders: Orders;
  readonly #probes = new Probes(SHARDS);
  readonly #faults: FaultSeen[] = [];
  readonly #connections: Connection[] = [];
  readonly #ledgers: Ledger[] = [];
  /** Where all nodes are of this build. */
  #operations: Operations | undefined;
  #sound = false;

  private constructor(options: WorldOptions) {
    const { orders: count = 60, seed = SEED, nodes = 3, coordinator = 'single', store } = options;
    const { dataDirectoryOf, other } = options;
    this.#options = options;
    this.#directory = mkdtempSync(join(tmpdir(), 'tenuto-chaos-'));
    const directory = join(this.#directory, 'nodes');
    this.cluster = new ChaosCluster({
      ...{ directory, nodes, coordinator, store, dataDirectoryOf, build: other },
      ...{ shardCount: SHARDS, replicas: REPLICAS },
    });
    const shop = join(this.#directory, 'shop');
    mkdirSync(shop);
    this.#orders = new Orders({ count, concurrency: CONCURRENCY, seed, directory: shop });
  }

  /** A cluster that serves, under load. What was started is ended when it cannot be had. */
  static async open(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    try {
      await world.#start();
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  /** Logs and data; removed by `close` after a run that was sound. */
  get directory(): string {
    return this.#directory;
  }

  /**
   * Does something to the cluster, watches it for a while (a leader that was cut off is missed only then), waits until every shard is served, and
   * notes how long each was not.
   */
  async fault(what: string, act: () => Promise<void> | void, watchMs = WATCH_MS): Promise<FaultSeen> {
    this.say(what);
    this.#probes.begin();
    await act();
    await sleep(watchMs);
    await this.#probes.untilServed(SERVED_MS);
    const seen = { what, ...this.#probes.end() };
    this.#faults.push(seen);
    const sorted = [...seen.longestMs].sort((a, b) => b - a);
    this.say(`  not served, by shard, ms: ${sorted.join(' ')} (of which this process ${seen.ownStallMs})`);
    return seen;
  }

  /** Something that is not counted as a fault, such as starting a killed node again. */
  async quietly(what: string, act: () => Promise<void> | void): Promise<void> {
    this.say(what);
    await act();
    await this.#probes.untilServed(SERVED_MS);
  }

  /** @throws Error when it does not come about in half a minute */
  async eventually(what: string, look: () => Promise<boolean>): Promise<void> {
    const giveUpAtMs = performance.now() + SERVED_MS;
    while (!(await look())) {
      if (performance.now() > giveUpAtMs) throw new Error(`waited ${SERVED_MS} ms for ${what}`);
      await sleep(LOOK_MS);
    }
  }

  async calm(ms: number): Promise<void> {
    await sleep(ms);
  }

  /** A node more. Clients and workers learn of it by themselves. */
  async add(): Promise<NodeProcess> {
    const node = await this.cluster.add();
    this.#probes.use(node.address);
    return node;
  }

  /** No client asks it any more. */
  async forget(node: NodeProcess): Promise<void> {
    await this.#probes.forget(node.address);
  }

  /** Everything to its end, and everything checked. */
  async finish(): Promise<RunReport> {
    this.say('the last orders end, then everything is checked');
    const connection = this.#connect();
    await Promise.all(
      [...this.#ledgers, ...(this.#operations === undefined ? [] : [this.#operations])].map((load) => load.stop()),
    );
    const problems: string[] = (await this.#operations?.check()) ?? [];
    const counts = this.#operations?.report.lanes.map(({ name, counted }) => `${counted} ${name}`) ?? [];
    this.say(`  looked at: ${counts.join(', ') || 'no operations'}`);
    const { ended, repeatedCalls, problems: found } = await this.#orders.close(connection, ORDERS_END_MS);
    problems.push(...found);
    for (const ledger of this.#ledgers) problems.push(...(await ledger.check()));
    await Promise.all(this.#connections.map((each) => each.close()));
    await this.#orders.end();
    problems.push(...this.cluster.deaths.map((death) => `a node ended by itself: ${death}`));
    problems.push(...(await this.cluster.endAndVerify()));
    this.#sound = problems.length === 0;
    const reports = this.#ledgers.map(({ report }) => report);
    const sum = (of: 'starts' | 'signals'): number => reports.reduce((all, report) => all + report[of], 0);
    return {
      ...{
        faults: this.#faults,
        orders: ended,
        starts: sum('starts'),
        signals: sum('signals'),
        problems,
        repeatedCalls,
        operations: this.#operations?.report,
      },
      failedCalls: reports.flatMap(({ failed }) => failed),
      longestCallMs: Math.max(...reports.map(({ longestMs }) => longestMs)),
    };
  }

  async close(): Promise<void> {
    await this.#probes.close();
    await Promise.all(this.#connections.map((each) => each.close()));
    await this.#orders.end();
    await this.cluster.close();
    if (this.#sound && this.#options.atEnd !== 'keep') rmSync(this.#directory, { recursive: true, force: true });
  }

  say(text: string): void {
    this.#options.say?.(text);
  }

  async #start(): Promise<void> {
    const { nodes = 3, other } = this.#options;
    const builds = other === undefined ? [OWN] : [other, OWN];
    const whose = other === undefined ? '' : `; nodes, shop, a worker and a client are of ${other.name}`;
    this.say(`${nodes} nodes start, with Redis, services and a worker${whose}`);
    await Promise.all([this.cluster.start(), this.#orders.startServices()]);
    for (const { address } of this.cluster.nodes) this.#probes.use(address);
    for (const [n, build] of builds.entries()) {
      const name = n === 0 ? 'worker' : `worker-${n + 1}`;
      // A worker of another build need not know them.
      const more = other === undefined ? ['--operations'] : [];
      await this.#orders.startWorker(this.cluster.addresses(), { build, name, more });
    }
    await this.#probes.untilServed(FORM_MS);
    for (const [n, build] of builds.entries()) {
      const library = await libraryOf(build);
      const prefix = n === 0 ? 'ledger' : `ledger-${n + 1}`;
      this.#ledgers.push(new Ledger(this.#connect(library), SHARDS, prefix, library));
      if (n === 0) this.#orders.open(this.#connect(library), library);
    }
    if (other === undefined) this.#operations = new Operations(this.#connect());
    await this.calm(2_000);
  }

  #connect(library?: ClientLibrary): Connection {
    const connection = connectToAll(this.cluster.addresses(), library);
    this.#connections.push(connection);
    return connection;
  }
}
