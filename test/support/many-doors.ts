// A cluster as clients and workers see it, without one behind it: several doors with real sockets and a matcher each in front of one engine, and
// a map, changed by the test, of which door leads which shard. Tasks of a shard are matched at its leader, as in a cluster. Doors are killed as
// processes are: their sockets break.

import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { RoutingTable } from '../../src/core/deployment/routes.ts';
import { DEFAULT_LIMITS } from '../../src/core/workflow/limits.ts';
import type { TaskOffer } from '../../src/core/workflow/outcome.ts';
import { Admission } from '../../src/frontend/admission.ts';
import { DeploymentDirectory } from '../../src/frontend/deployment-directory.ts';
import { hostRules } from '../../src/frontend/http/host-rules.ts';
import { makeHttpServer } from '../../src/frontend/http/server.ts';
import { DEFAULT_DOOR_LIMITS } from '../../src/frontend/limits.ts';
import { methods } from '../../src/frontend/methods/index.ts';
import { NamespaceDirectory } from '../../src/frontend/namespace-directory.ts';
import { Namespaces } from '../../src/frontend/namespaces.ts';
import { AttributeDirectory } from '../../src/frontend/search-attributes.ts';
import { NativeDoor } from '../../src/frontend/websocket/door.ts';
import { listenForWebSockets } from '../../src/frontend/websocket/listener.ts';
import { Matcher } from '../../src/matching/matcher.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import type { BacklogSource, Claim, Matching, QueueKey } from '../../src/ports/matching.ts';
import { systemClock, systemRandom, systemScheduler } from '../../src/runtime/index.ts';
import { ShardEngine } from '../../src/shard/engine.ts';
import { openMemoryStore } from '../../src/store/memory/store.ts';
import { shardOf } from '../../src/wire/shard.ts';
import { FakeCluster, node } from './fake-cluster.ts';

const SHARDS = 16;

interface Door {
  readonly name: string;
  readonly address: string;
  readonly matcher: Matcher;
  readonly door: NativeDoor;
  readonly http: HttpServer;
  readonly sockets: Set<Socket>;
  readonly cluster: FakeCluster;
  readonly metrics: Metrics;
  state: 'up' | 'draining';
}

export class ManyDoors implements Matching {
  readonly doors = new Map<string, Door>();
  /** By shard; `''`: nobody. */
  leaders: string[] = Array.from({ length: SHARDS }, () => '');
  readonly #namespaces = new Namespaces([{ name: 'default', retention: 72 * 3_600_000, tokens: [] }]);
  readonly #engine: ShardEngine;
  readonly #store: Awaited<ReturnType<typeof openMemoryStore>>;

  private constructor(store: Awaited<ReturnType<typeof openMemoryStore>>) {
    this.#store = store;
    this.#engine = new ShardEngine({
      store,
      clock: systemClock,
      scheduler: systemScheduler,
      random: systemRandom,
      matching: this,
      namespaces: this.#namespaces.known,
      limits: DEFAULT_LIMITS,
      onFatal: (error) => {
        throw error;
      },
    });
  }

  static async open(...names: string[]): Promise<ManyDoors> {
    const doors = new ManyDoors(await openMemoryStore({ shardCount: SHARDS, directoryId: 'test' }));
    await doors.#engine.open();
    for (const name of names) await doors.add(name);
    return doors;
  }

  address(name: string): string {
    return this.#door(name).address;
  }

  /** Tasks pushed through this door. */
  pushed(name: string, topic: 'workflowTask' | 'activityTask'): number {
    return this.#door(name).metrics.pushes.get(topic) ?? 0;
  }

  /** How often workers asked for history that a task came without: cold ones do. */
  get historyRequests(): number {
    return [...this.doors.values()].reduce(
      (sum, { metrics }) => sum + (metrics.calls.get('getWorkflowTaskHistory')?.byCode.get(0) ?? 0),
      0,
    );
  }

  connections(name: string): number {
    return this.#door(name).door.connections.size;
  }

  workers(name: string): number {
    return this.#door(name).matcher.workers;
  }

  credit(kind: 'workflow' | 'activity'): number {
    return [...this.doors.values()].reduce((sum, { matcher }) => sum + matcher.credit(kind), 0);
  }

  /** A workflow id whose shard this node leads. */
  workflowOf(name: string, prefix = 'w'): string {
    for (let i = 0; i < 10_000; i += 1) {
      const id = `${prefix}-${i}`;
      if (this.leaders[shardOf('default', id, SHARDS)] === name) return id;
    }
    throw new Error(`${name} leads nothing`);
  }

  /** A node joins and takes over its part of the shards. */
  async add(name: string): Promise<void> {
    const cluster = new FakeCluster(name, { shardCount: SHARDS });
    const metrics = new Metrics();
    const matcher = new Matcher({
      clock: systemClock,
      scheduler: systemScheduler,
      onQueryLost: (to, queryId) => this.#engine.submit(to, { type: 'queryLost', queryId }, () => {}),
    });
    matcher.attach(this.#engine);
    const door = new NativeDoor({
      services: {
        engine: this.#engine,
        workers: matcher,
        queues: matcher,
        namespaces: this.#namespaces.known,
        attributes: new AttributeDirectory(this.#engine, systemClock),
        directory: new NamespaceDirectory({
          engine: this.#engine,
          clock: systemClock,
          scheduler: systemScheduler,
          namespaces: this.#namespaces,
        }),
        deployments: new DeploymentDirectory({
          engine: this.#engine,
          scheduler: systemScheduler,
          table: new RoutingTable(),
          onRoutes: () => {},
        }),
        clock: systemClock,
        random: systemRandom,
        limits: DEFAULT_LIMITS,
        info: { version: '0.0.0', nodeId: name, shardCount: SHARDS, store: 'memory' },
        cluster,
      },
      namespaces: this.#namespaces,
      scheduler: systemScheduler,
      admission: new Admission(DEFAULT_DOOR_LIMITS.openCalls, DEFAULT_DOOR_LIMITS.openCallBytes),
      limits: DEFAULT_DOOR_LIMITS,
      methods,
      metrics,
      onHello: () => {},
      onFault: (error) => {
        throw error;
      },
    });
    const rules = hostRules(['127.0.0.1'], []);
    const routes = {
      notReady: () => undefined,
      metrics: () => Promise.resolve({ contentType: 'text/plain', body: '' }),
      onFault: () => {},
    };
    const http = await makeHttpServer(routes, rules, undefined, 2_000);
    listenForWebSockets(http, { door, rules, maxConnections: 1_000, paths: ['/'], notReady: () => undefined });
    const sockets = new Set<Socket>();
    http.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => http.listen({ host: '127.0.0.1', port: 0 }, resolve));
    // A listening TCP server has an address of this kind.
    const { port } = http.address() as AddressInfo;
    const state = 'up';
    this.doors.set(name, { name, address: `127.0.0.1:${port}`, matcher, door, http, sockets, cluster, metrics, state });
    this.#share();
    this.publish();
  }

  /** The process ends at once; the others notice. */
  kill(name: string): void {
    const { http, sockets } = this.#door(name);
    http.close();
    for (const socket of sockets) socket.destroy();
    this.doors.delete(name);
    this.#share();
    this.publish();
  }

  /** The node leads nothing more, and says that it is about to go. */
  drain(name: string): void {
    this.#door(name).state = 'draining';
    this.#share();
    this.publish();
  }

  /** Everybody who watches is told how things are. */
  publish(): void {
    const doors = [...this.doors.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    const nodes = doors.map(({ name, address, state }) => node(name, address, state));
    const leaders = this.leaders.map((name) => doors.findIndex((door) => door.name === name));
    for (const { cluster } of doors) cluster.change({ nodes, leaders });
  }

  async close(): Promise<void> {
    for (const { http, sockets } of this.doors.values()) {
      http.close();
      for (const socket of sockets) socket.destroy();
    }
    await this.#engine.close();
    await this.#store.close();
  }

  // ---------------------------------------------------------------- Matching: each shard's at its leader

  claim(offer: TaskOffer): Claim | undefined {
    const leader = this.leaders[shardOf(offer.namespace, offer.workflowId, SHARDS)] ?? '';
    return this.doors.get(leader)?.matcher.claim(offer);
  }

  takesEager(): boolean {
    return false;
  }

  claimQuery(namespace: string, taskQueue: string, stickyQueue: string | undefined): Claim | undefined {
    for (const { matcher } of this.doors.values()) {
      const claim = matcher.claimQuery(namespace, taskQueue, stickyQueue);
      if (claim !== undefined) return claim;
    }
    return undefined;
  }

  weightOf(): number | undefined {
    return undefined;
  }

  mayDispatch(): boolean {
    return true;
  }

  stickyAlive(namespace: string, stickyQueue: string): boolean {
    return [...this.doors.values()].some(({ matcher }) => matcher.stickyAlive(namespace, stickyQueue));
  }

  backlogChanged(source: BacklogSource, queue: QueueKey): void {
    for (const { matcher } of this.doors.values()) matcher.backlogChanged(source, queue);
  }

  cancelActivity(session: string, token: Uint8Array, reason: 'cancelRequested' | 'notFound' | 'timedOut'): void {
    for (const { matcher } of this.doors.values()) matcher.cancelActivity(session, token, reason);
  }

  #door(name: string): Door {
    const door = this.doors.get(name);
    if (door === undefined) throw new Error(`there is no door ${name}`);
    return door;
  }

  /** Shards in turn to those that are up. */
  #share(): void {
    const up = [...this.doors.values()].filter(({ state }) => state === 'up').map(({ name }) => name);
    this.leaders = this.leaders.map((_, shard) => up[shard % up.length] ?? '');
  }
}
