// The server's process: the real store, engine, matching and door, composed as src/node.ts does, over the simulated world.

import { RoutingTable } from '../../src/core/deployment/routes.ts';
import { CallbackRules } from '../../src/core/nexus/callback-rules.ts';
import { bookOf } from '../../src/core/nexus/endpoints.ts';
import { DEFAULT_LIMITS } from '../../src/core/workflow/limits.ts';
import { Admission } from '../../src/frontend/admission.ts';
import { DeploymentDirectory } from '../../src/frontend/deployment-directory.ts';
import type { Services } from '../../src/frontend/door.ts';
import { ServiceCalls } from '../../src/frontend/grpc/calls.ts';
import { WORKFLOW_SERVICE } from '../../src/frontend/grpc/methods/index.ts';
import type { Rpc } from '../../src/frontend/grpc/rpc.ts';
import { DEFAULT_DOOR_LIMITS } from '../../src/frontend/limits.ts';
import { methods } from '../../src/frontend/methods/index.ts';
import { NamespaceDirectory } from '../../src/frontend/namespace-directory.ts';
import { Namespaces } from '../../src/frontend/namespaces.ts';
import { AttributeDirectory } from '../../src/frontend/search-attributes.ts';
import { NativeDoor } from '../../src/frontend/websocket/door.ts';
import { Matcher } from '../../src/matching/matcher.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import type { Store } from '../../src/ports/store.ts';
import type { ActorCore } from '../../src/shard/core.ts';
import { ShardEngine } from '../../src/shard/engine.ts';
import type { ShardLimits } from '../../src/shard/limits.ts';
import { openMemoryStore } from '../../src/store/memory/store.ts';
import type { SimDisk } from './disk.ts';
import type { RpcTap } from './grpc/channel.ts';
import type { Kernel } from './kernel.ts';
import { Process } from './kernel.ts';
import { NAMESPACE, TASK_QUEUE } from './names.ts';
import type { Network, Tap } from './network.ts';
import { type CallbackWatch, callbacksOf } from './operations/callback-watch.ts';
import { ENDPOINT } from './shop.ts';
import { withSlowReads } from './store.ts';

const RETENTION_MS = 72 * 3_600_000;
const CALLBACK_RULES = new CallbackRules([{ pattern: 'receiver', allowInsecure: true }]);
const ENDPOINTS = bookOf(
  new Map([
    [
      ENDPOINT,
      {
        id: ENDPOINT,
        version: 1,
        spec: { name: ENDPOINT, target: { worker: { namespace: NAMESPACE, taskQueue: TASK_QUEUE } } },
        createdTime: 0,
      },
    ],
  ]),
);

export interface NodeSettings {
  shardCount: number;
  bounds: Partial<ShardLimits>;
  /** ms a read of the store takes at most. */
  readMs: number;
  idleMs: number;
}

/** How a bug gets in: from outside, around the parts. */
export interface Plant {
  store?(inner: Store, process: Process): Store;
  core?(inner: ActorCore, process: Process): ActorCore;
  /** Of the Temporal-compatible door, by its name. */
  rpc?(name: string, inner: Rpc): Rpc;
}

export interface NodeWorld {
  kernel: Kernel;
  disk: SimDisk;
  network: Network;
  settings: NodeSettings;
  /** ms its wall clock is off; survives restarts. */
  skew: { ms: number };
  /** Worker deployments are looked after. */
  versioned: boolean;
  tap: Tap;
  /** Absent: nobody calls the Temporal-compatible door. */
  rpcs: RpcTap | undefined;
  plant: Plant;
  callbacks: CallbackWatch;
  /** The core of one incarnation, watched. */
  core(process: Process): ActorCore;
  onFatal(node: SimNode, error: unknown): void;
}

export class SimNode {
  readonly process: Process;
  readonly engine: ShardEngine;
  readonly matcher: Matcher;
  readonly door: NativeDoor;
  readonly #deployments: DeploymentDirectory;
  /** Of the Temporal-compatible door, where somebody calls it. */
  readonly #calls: ServiceCalls | undefined;
  readonly faults: unknown[] = [];
  readonly #world: NodeWorld;
  readonly #store;
  state: 'starting' | 'serving' | 'stopping' | 'refused' | 'dead' = 'starting';

  constructor(world: NodeWorld, incarnation: number) {
    const { kernel, disk, settings, skew, plant } = world;
    this.#world = world;
    const process = new Process(kernel, `node-${incarnation}`, skew);
    this.process = process;
    disk.process = process;
    this.#store = openMemoryStore({ disk: disk.medium, shardCount: settings.shardCount });
    const store = withSlowReads(plant.store?.(this.#store, process) ?? this.#store, process, settings.readMs);
    const { random } = process;
    const seeded = { uuid: () => random.uuid(), next: () => random.next() };
    this.matcher = new Matcher({
      clock: process,
      scheduler: process,
      onQueryLost: (to, queryId) => this.engine.submit(to, { type: 'queryLost', queryId }, () => {}),
    });
    const core = world.core(process);
    const namespaces = new Namespaces([{ name: NAMESPACE, retention: RETENTION_MS, tokens: [] }]);
    const routes = new RoutingTable();
    this.engine = new ShardEngine({
      store,
      clock: process,
      scheduler: process,
      random: seeded,
      matching: this.matcher,
      namespaces: namespaces.known,
      endpoints: ENDPOINTS,
      ...(world.versioned && { routes }),
      limits: DEFAULT_LIMITS,
      bounds: settings.bounds,
      callbacks: callbacksOf(kernel, (work) => process.soon(work), world.callbacks),
      core: plant.core?.(core, process) ?? core,
      log: {
        info: (_fields, message) => kernel.note(`${process.name} says: ${message}`),
        warn: (_fields, message) => kernel.note(`${process.name} warns: ${message}`),
        error: (fields, message) => {
          if (process.alive) kernel.note(`${process.name} reports: ${message} ${JSON.stringify(fields)}`);
        },
      },
      // What a killed process still thinks of does not happen.
      onFatal: (error) => {
        if (process.alive) world.onFatal(this, error);
      },
    });
    this.matcher.attach(this.engine);
    this.#deployments = new DeploymentDirectory({
      engine: this.engine,
      scheduler: process,
      table: routes,
      onRoutes: (changed) => this.engine.reroute(changed),
    });
    const services: Services = {
      engine: this.engine,
      workers: this.matcher,
      queues: this.matcher,
      namespaces: namespaces.known,
      attributes: new AttributeDirectory(this.engine, process),
      directory: new NamespaceDirectory({ engine: this.engine, clock: process, scheduler: process, namespaces }),
      deployments: this.#deployments,
      clock: process,
      random: seeded,
      limits: DEFAULT_LIMITS,
      callbacks: CALLBACK_RULES,
      info: { version: '0.0.0', nodeId: 'sim', shardCount: settings.shardCount, store: 'memory' },
    };
    const limits = { ...DEFAULT_DOOR_LIMITS, idleMs: settings.idleMs };
    const common = {
      services,
      namespaces,
      scheduler: process,
      admission: new Admission(limits.openCalls, limits.openCallBytes),
      limits,
    };
    const onFault = (error: unknown): void => {
      this.faults.push(error);
      kernel.fail(error);
    };
    this.door = new NativeDoor({ ...common, methods, metrics: new Metrics(), onHello: () => {}, onFault });
    if (world.rpcs !== undefined)
      this.#calls = new ServiceCalls({
        ...{ ...common, metrics: new Metrics(), tls: undefined, notReady: () => undefined, onFault },
        reference: { crossNamespaceCommands: 'refused' },
      });
  }

  /** As `startNode` does: recovers, then listens. */
  start(): void {
    const { kernel, network, tap } = this.#world;
    this.engine.open().then(
      () => {
        if (!this.process.alive) return;
        this.state = 'serving';
        if (this.#world.versioned) this.#deployments.start();
        const { rpcs } = this.#world;
        const calls = this.#calls;
        network.listener = {
          ...{ process: this.process, door: this.door, tap },
          rpcs: rpcs && calls && { calls, tap: rpcs, methodOf: (name) => this.#methodOf(calls, name) },
        };
        kernel.note(`${this.process.name} serves`);
      },
      (error: unknown) => {
        if (!this.process.alive) return;
        this.state = 'refused';
        kernel.note(`${this.process.name} refuses to start: ${String(error)}`);
        this.#world.onFatal(this, error);
      },
    );
  }

  #methodOf(calls: ServiceCalls, name: string): Rpc {
    const rpc = calls.table.get(WORKFLOW_SERVICE)?.get(name);
    if (rpc === undefined) throw new Error(`${name} is no method of this door`);
    return this.#world.plant.rpc?.(name, rpc) ?? rpc;
  }

  /** kill -9, or with `silently` a machine without power. */
  crash(how: 'told' | 'silently'): void {
    if (this.state === 'dead') return;
    this.state = 'dead';
    const { network, disk, kernel } = this.#world;
    kernel.note(`${this.process.name} is killed${how === 'silently' ? ', its machine too' : ''}`);
    network.listener = undefined;
    this.process.kill();
    disk.crash();
    this.#store.crash();
    network.lost(this.process, how);
  }

  /** As `tenuto server` on SIGTERM. */
  async stop(): Promise<void> {
    const { network } = this.#world;
    this.state = 'stopping';
    this.#deployments.stop();
    await Promise.all([this.door.drain(2_000, 'the node is shutting down'), this.#calls?.drain(2_000)]);
    network.listener = undefined;
    await this.engine.close();
    await this.#store.close();
    this.state = 'dead';
    this.process.kill();
    network.lost(this.process, 'told');
  }
}
