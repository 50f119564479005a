// The composition root: the only place that sees everything. Builds store → engine → matching → doors, starts them in the order that
// fails soonest and serves last, and takes them down the other way round. Used by the CLI and by `tenuto/server`.

import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import type { ClusterNode } from '../cluster/node/cluster-node.ts';
import type { DoorAddress, NodeConfig } from './config/config.ts';
import { isLoopback } from './config/values.ts';
import { RoutingTable } from './core/deployment/routes.ts';
import { CallbackRules } from './core/nexus/callback-rules.ts';
import { Admission } from './frontend/admission.ts';
import { DeploymentDirectory } from './frontend/deployment-directory.ts';
import type { Services } from './frontend/door.ts';
import { EndpointDirectory } from './frontend/endpoint-directory.ts';
import { GuardedEngine } from './frontend/guarded-engine.ts';
import { type HostRules, hostRules } from './frontend/http/host-rules.ts';
import { notReady, notServing, type Standing } from './frontend/http/readiness.ts';
import { makeHttpServer, takeSocket, tryToListen } from './frontend/http/server.ts';
import { methods } from './frontend/methods/index.ts';
import { NamespaceDirectory } from './frontend/namespace-directory.ts';
import { Namespaces } from './frontend/namespaces.ts';
import { AttributeDirectory } from './frontend/search-attributes.ts';
import { NativeDoor } from './frontend/websocket/door.ts';
import { connectInProcess, type InProcessTransport } from './frontend/websocket/in-process.ts';
import { listenForWebSockets } from './frontend/websocket/listener.ts';
import { Matcher } from './matching/matcher.ts';
import type { ClusterParts, Prepared } from './node-cluster.ts';
import { startErrorOf } from './node-errors.ts';
import { NodeGrpc } from './node-grpc.ts';
import type { NodeOptions, RunningNode } from './node-options.ts';
import { openReplicaStore, openStore, refuseMember } from './node-store.ts';
import { readTls } from './node-tls.ts';
import { clusterGauges } from './observe/cluster-gauges.ts';
import type { Exposition } from './observe/exposition.ts';
import { Metrics } from './observe/metrics.ts';
import { nodeGauges } from './observe/node-gauges.ts';
import type { ClusterControl, ClusterStats } from './ports/cluster.ts';
import type { BackupProgress } from './ports/cluster-backup.ts';
import type { Engine } from './ports/engine.ts';
import type { ReplicaStore } from './ports/replica-store.ts';
import { type Store, StoreError } from './ports/store.ts';
import { makeCallbackSender } from './runtime/callback-sender.ts';
import { systemClock, systemRandom, systemScheduler } from './runtime/index.ts';
import { MovableTime, SKIPPING_BOUNDS, TimeSkipper } from './runtime/time-skipping.ts';
import { ShardEngine } from './shard/engine.ts';
import type { Scrubber } from './store/scrubber.ts';
import { VERSION } from './version.ts';

export { NodeStartError } from './node-errors.ts';
export type { CoreOptions, NodeOptions, RunningNode } from './node-options.ts';

class Node implements RunningNode {
  readonly #config: NodeConfig;
  readonly #options: NodeOptions;
  readonly #namespaces: Namespaces;
  readonly #directory: NamespaceDirectory;
  readonly #endpoints: EndpointDirectory;
  readonly #deployments: DeploymentDirectory;
  readonly #routes = new RoutingTable();
  readonly #metrics = new Metrics();
  readonly #callbackRules: CallbackRules;
  readonly #matcher: Matcher;
  readonly #engine: ShardEngine;
  /** Reaches the shards of all nodes. */
  readonly #everywhere: Engine;
  readonly #door: NativeDoor;
  readonly #services: Services;
  readonly #admission: Admission;
  readonly #cluster: ClusterNode | undefined;
  readonly timeSkipping: TimeSkipper | undefined;
  readonly store: Store;
  #http: HttpServer | undefined;
  readonly #grpc: NodeGrpc;
  #exposition: Promise<Exposition> | undefined;
  #scrubber: Scrubber | undefined;
  #control: { close(): Promise<void> } | undefined;
  /** As of the scrape under way: every gauge would count all shards again. */
  #clusterStats: ClusterStats | undefined;
  #serving = false;
  #hasFailed = false;
  #closing: Promise<void> | undefined;
  address: string | undefined;

  constructor(config: NodeConfig, store: Store, options: NodeOptions, cluster?: ClusterNode) {
    this.#config = config;
    this.#options = options;
    this.store = store;
    this.#cluster = cluster;
    const { listen } = config;
    this.#namespaces = new Namespaces(config.namespaces, {
      tokens: config.cluster?.adminTokens ?? [],
      withoutTokens: listen === undefined || isLoopback(listen.ip) ? 'everyone' : 'nobody',
    });
    this.#callbackRules = new CallbackRules(config.callbacks.allowedAddresses);
    this.#matcher = new Matcher({
      ...{ clock: systemClock, scheduler: systemScheduler },
      // Its shard may be led by another node.
      onQueryLost: (to, queryId) => this.#everywhere.submit(to, { type: 'queryLost', queryId }, () => {}),
    });
    const time = config.timeSkipping ? new MovableTime(systemClock, systemScheduler) : undefined;
    this.#engine = new ShardEngine({
      store,
      clock: time ?? systemClock,
      scheduler: time ?? systemScheduler,
      random: systemRandom,
      matching: this.#matcher,
      ...{ namespaces: this.#namespaces.known, routes: this.#routes },
      namespacesKnown: () => this.#directory.isKnown,
      endpoints: { byId: (id) => this.#endpoints.byId(id), byName: (name) => this.#endpoints.byName(name) },
      limits: config.limits,
      bounds: time === undefined ? config.shardLimits : { ...config.shardLimits, ...SKIPPING_BOUNDS },
      log: options.log,
      onFatal: (error) => this.failed(error),
      callbacks: makeCallbackSender({ ...config.callbacks, rules: this.#callbackRules, clock: systemClock }),
      ...(cluster && {
        commitLog: cluster.commitLog,
        relay: cluster.relay,
        everywhere: () => this.#everywhere,
      }),
    });
    this.timeSkipping = time && new TimeSkipper({ time, scheduler: systemScheduler, outlook: this.#engine.outlook });
    this.#matcher.attach(this.#engine);
    const everywhere = cluster?.attach(this.#engine, this.#matcher) ?? this.#engine;
    this.#everywhere = new GuardedEngine(everywhere, (error, asked) => this.#faulted(error, asked));
    this.#directory = new NamespaceDirectory({
      ...{ engine: this.#everywhere, clock: systemClock, scheduler: systemScheduler, namespaces: this.#namespaces },
      configure: (queues) => this.#matcher.configure(queues),
    });
    this.#endpoints = new EndpointDirectory({ engine: this.#everywhere, scheduler: systemScheduler });
    this.#deployments = new DeploymentDirectory({
      ...{ engine: this.#everywhere, scheduler: systemScheduler, table: this.#routes },
      onRoutes: (changed) => this.#engine.reroute(changed),
    });
    this.#grpc = new NodeGrpc({
      ...{ config, namespaces: this.#namespaces, metrics: this.#metrics, log: options.log },
      ...{ services: () => this.#services, admission: () => this.#admission },
      notReady: () => notServing(this.#standing()),
    });
    this.#services = this.#makeServices(this.#everywhere);
    this.#admission = new Admission(config.doorLimits.openCalls, config.doorLimits.openCallBytes);
    this.#door = this.#makeDoor();
    const { connections } = this.#door;
    nodeGauges(this.#metrics, { engine: this.#engine, matcher: this.#matcher, connections });
    this.#metrics.gauge('tenuto_store_away', '1 while the database does not answer.', () =>
      Number(store.outage !== undefined),
    );
    this.#metrics.gauge('tenuto_ready', '1 while /readyz is 200.', () => Number(this.notReady() === undefined));
    if (cluster !== undefined) clusterGauges(this.#metrics, () => this.#clusterStats ?? cluster.stats());
  }

  get cluster(): ClusterControl | undefined {
    return this.#cluster?.control;
  }

  get grpcAddress(): string | undefined {
    return this.#grpc.address;
  }

  get nodeId(): string {
    return this.store.directoryId;
  }

  async start(): Promise<void> {
    // The port first: it is taken or free at once, recovery may take a moment. Until it is over upgrades get 503.
    await this.#listen();
    await this.#grpc.open(this.#options.core?.grpcSockets, readTls(this.#config.tls));
    await this.#engine.open();
    await this.#cluster?.open(this.#clientAddress());
    const heard = this.#directory.start();
    for (const directory of [this.#endpoints, this.#deployments]) directory.start();
    // In a cluster others may have to come first; until then calls that name what this node has not heard of wait for the answer.
    if (this.#cluster === undefined) await heard;
    this.#serving = true;
    if (this.#config.dataDirectory !== undefined) void this.#tendData();
    this.#warnOfOpenDoors();
  }

  notReady(): string | undefined {
    const draining = this.#cluster?.control.draining() ?? 'no';
    return notReady({ ...this.#standing(), draining }) ?? this.#cluster?.notReady();
  }

  #notAllReady(): string | undefined {
    return this.notReady() ?? this.#options.core?.othersNotReady();
  }

  connect(): InProcessTransport {
    if (this.#closing !== undefined) throw new Error('The server was closed: create another one.');
    return connectInProcess(this.#door, systemScheduler);
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  // ---------------------------------------------------------------- inside

  #makeServices(engine: Engine): Services {
    const { limits, dataDirectory, postgres } = this.#config;
    return {
      engine,
      workers: this.#matcher,
      queues: this.#matcher,
      namespaces: this.#namespaces.known,
      directory: this.#directory,
      ...{ endpoints: this.#endpoints, deployments: this.#deployments },
      attributes: new AttributeDirectory(engine, systemClock),
      rpcs: this.#grpc,
      ...(this.#cluster && { cluster: this.#cluster.control }),
      timeSkipping: this.timeSkipping,
      clock: systemClock,
      random: systemRandom,
      limits,
      callbacks: this.#callbackRules,
      info: {
        version: VERSION,
        nodeId: this.store.directoryId,
        shardCount: this.store.shardCount,
        store: postgres !== undefined ? 'postgres' : dataDirectory === undefined ? 'memory' : 'leveldb',
      },
    };
  }

  #faulted(error: unknown, method: string): void {
    this.#metrics.faults += 1;
    const fault = error instanceof Error ? error : new Error(String(error));
    this.#options.log.error({ method, error: fault }, 'a request failed by a fault of the server: please report it');
  }

  #makeDoor(): NativeDoor {
    const { log } = this.#options;
    return new NativeDoor({
      services: this.#services,
      namespaces: this.#namespaces,
      scheduler: systemScheduler,
      admission: this.#admission,
      limits: this.#config.doorLimits,
      methods,
      metrics: this.#metrics,
      onHello: ({ client, identity }, peer) => log.debug({ peer, client, identity }, 'a client said hello'),
      onFault: (error, method) => this.#faulted(error, method),
    });
  }

  async #listen(): Promise<void> {
    const { listen, doorLimits } = this.#config;
    if (listen === undefined) return;
    const rules = this.#rules(listen);
    const routes = {
      notReady: () => this.#notAllReady(),
      metrics: () => this.#allMetrics(),
      api:
        this.#config.grpc &&
        ((request: IncomingMessage, response: ServerResponse) => this.#grpc.answerHttp(request, response)),
      onFault: (error: unknown) =>
        this.#options.log.error({ error: error instanceof Error ? error : new Error(String(error)) }, 'metrics failed'),
    };
    const { core } = this.#options;
    const maxConnections = doorLimits.connections + doorLimits.httpConnections;
    const server = await makeHttpServer(routes, rules, readTls(this.#config.tls), maxConnections);
    listenForWebSockets(server, {
      door: this.#door,
      rules,
      paths: core === undefined ? ['/'] : ['/', core.path],
      maxConnections: doorLimits.connections,
      notReady: () => notServing(this.#standing()),
    });
    this.#http = server;
    if (core !== undefined) {
      this.address = core.sockets.address;
      core.sockets.onSocket((socket, head) => takeSocket(server, socket, head));
      return;
    }
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(startErrorOf(error, listen)));
      server.listen({ host: listen.ip, port: listen.port }, resolve);
    });
    // A listening TCP server has an address of this kind.
    const bound = server.address() as AddressInfo;
    this.address = `${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
  }

  /** Where clients of the cluster reach this node. */
  #clientAddress(): string {
    const { listen } = this.#config;
    if (this.address === undefined || listen === undefined) return '';
    const port = this.address.slice(this.address.lastIndexOf(':') + 1);
    const { advertise } = listen;
    const address =
      advertise === undefined ? this.address : `${advertise.host}:${advertise.port === 0 ? port : advertise.port}`;
    return `${address}${this.#options.core?.path ?? ''}`;
  }

  #standing(): Omit<Standing, 'draining'> {
    const { health } = this.#engine;
    return {
      phase: this.#closing !== undefined ? 'closing' : this.#serving ? 'serving' : 'starting',
      failure: health.state === 'failed' ? `the store failed: ${String(health.error)}` : this.#cluster?.failure,
    };
  }

  #rules({ ip, advertise }: DoorAddress): HostRules {
    const own = advertise === undefined ? [ip, hostname()] : [ip, hostname(), advertise.host];
    return hostRules(own, this.#config.allowedHosts);
  }

  #warnOfOpenDoors(): void {
    const { listen, tls, namespaces } = this.#config;
    if (listen === undefined || isLoopback(listen.ip)) return;
    const open = namespaces.filter(({ tokens }) => tokens.length === 0).map(({ name }) => name);
    const missing = [tls === undefined && 'TLS', open.length > 0 && `tokens for namespace ${open.join(', ')}`].filter(
      Boolean,
    );
    if (missing.length === 0) return;
    const message = `listening beyond this machine without ${missing.join(' and without ')}: everyone who reaches the port may use it`;
    this.#options.log.warn({ ip: listen.ip }, message);
  }

  async #allMetrics(): Promise<{ contentType: string; body: string }> {
    const own = await this.renderMetrics();
    const all = await this.#options.core?.allMetrics(own.body);
    return all === undefined ? own : { ...own, body: all };
  }

  async renderMetrics(): Promise<{ contentType: string; body: string }> {
    this.#exposition ??= import('./observe/exposition.ts').then(({ makeExposition }) => makeExposition(this.#metrics));
    const exposition = await this.#exposition;
    this.#metrics.store = await this.store.stats();
    this.#clusterStats = this.#cluster?.stats();
    return { contentType: exposition.contentType, body: await exposition.render() };
  }

  /** What a data directory gets beside service: scrubbing, and a control socket for `tenuto data backup`. */
  async #tendData(): Promise<void> {
    const [{ Scrubber }, { serveControl }] = await Promise.all([
      import('./store/scrubber.ts'),
      import('./frontend/control/socket.ts'),
    ]);
    if (this.#closing !== undefined) return;
    this.#scrubber = new Scrubber({
      store: this.store,
      scheduler: systemScheduler,
      onDamage: (error) =>
        this.#options.log.error({ error }, 'the scrubber found damage: restore a backup, and check the disk'),
    });
    this.#scrubber.start();
    try {
      const control = await serveControl({
        directoryId: this.store.directoryId,
        backup: (directory, onProgress) => this.#backUp(directory, onProgress),
      });
      if (this.#closing === undefined) this.#control = control;
      else await control.close();
    } catch (error) {
      const fault = error instanceof Error ? error : new Error(String(error));
      this.#options.log.warn({ error: fault }, 'no control socket: `tenuto data backup` needs this node stopped');
    }
  }

  /** Of a node that stands alone its directory; of one in a cluster the whole cluster, since alone it holds a part. */
  async #backUp(directory: string, onProgress: (progress: BackupProgress) => void): Promise<void> {
    const cluster = this.#cluster;
    if (cluster === undefined) {
      await this.store.backup(directory, onProgress);
      return;
    }
    const { directoryTarget } = await import('./backup/index.ts');
    const report = await cluster.backup(directoryTarget(directory, onProgress));
    this.#options.log.info({ ...report, directory }, 'the cluster was backed up');
  }

  /** For good, by its store or by its cluster. It stays up, so that /readyz, metrics and log say why. */
  failed(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const fault = error instanceof Error ? error : new Error(String(error));
    const next = !(fault instanceof StoreError)
      ? 'Mend what it says, then restart it'
      : this.#config.postgres === undefined
        ? 'Check the disk, then restart it: `tenuto data verify` looks for damage'
        : 'Mend what it says of the database, then restart it';
    this.#options.log.error({ error: fault }, `the node stops serving; nothing acknowledged is lost. ${next}`);
    this.#options.onFatal?.(fault);
    if (this.#cluster === undefined) return;
    this.#cluster.fail(fault);
    // Others serve what clients ask for.
    void this.#door.drain(this.#config.shutdownGraceMs, 'the node stops serving');
    void this.#grpc.drain(this.#config.shutdownGraceMs);
  }

  async #shutDown(): Promise<void> {
    // Nothing else may keep the process alive while it waits.
    const hold = setInterval(() => {}, 60_000);
    try {
      for (const directory of [this.#directory, this.#endpoints, this.#deployments]) directory.stop();
      this.timeSkipping?.close();
      this.#scrubber?.stop();
      await this.#control?.close();
      // Others lead before clients are sent away: what they ask meanwhile is forwarded.
      const { shutdownGraceMs } = this.#config;
      const beganMs = performance.now();
      // A quarter is left for who waits for an answer, however long that takes.
      await this.#cluster?.leave(0.75 * shutdownGraceMs);
      const leftMs = Math.max(0, shutdownGraceMs - (performance.now() - beganMs));
      await Promise.all([this.#door.drain(leftMs, 'the node is shutting down'), this.#grpc.drain(leftMs)]);
      await this.#engine.close();
      await this.#cluster?.close();
      await this.store.close();
      await this.#closeHttp();
      const exposition = await this.#exposition;
      exposition?.close();
    } finally {
      clearInterval(hold);
    }
  }

  async #closeHttp(): Promise<void> {
    const server = this.#http;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  /** After a start that failed: gives back what was taken. */
  async abandon(): Promise<void> {
    await this.#closeHttp();
    await this.#grpc.drain(0);
    this.#directory.stop();
    this.#endpoints.stop();
    // It may be open already, with timers that would write to a store that is closed.
    await this.#engine.close().catch(() => {});
    await this.#cluster?.close().catch(() => {});
    await this.store.close().catch(() => {});
  }
}

/**
 * Starts a node; it serves when this resolves.
 *
 * @throws NodeStartError with one line for people, a hint what to do, and an exit code.
 */
export async function startNode(config: NodeConfig, options: NodeOptions): Promise<RunningNode> {
  let node: Node | undefined;
  let prepared: Prepared | undefined;
  try {
    if (config.listen !== undefined && options.core === undefined)
      await tryToListen(config.listen.ip, config.listen.port);
    if (config.cluster === undefined) {
      if (config.dataDirectory !== undefined) await refuseMember(config.dataDirectory);
      node = new Node(config, options.store ?? (await openStore(config, options.log)), options);
    } else {
      const { prepareCluster, prepareShared, buildClusterNode } = await import('./node-cluster.ts');
      let store: Store | ReplicaStore;
      if (config.postgres === undefined) {
        prepared = await prepareCluster(config, config.cluster, {
          ...{ log: options.log, giveUp: options.giveUp, coordinator: options.core?.coordinator },
        });
        store = await openReplicaStore({ ...config, shardCount: prepared.state.record.shardCount });
      } else {
        const { openPostgresStore } = await import('./store/postgres/index.ts');
        const database = await openPostgresStore(config.postgres, config.cluster.id, options.log);
        prepared = prepareShared(config.cluster, database, options.log);
        store = database;
      }
      const parts: ClusterParts = {
        ...{ ...prepared, cluster: config.cluster, store, log: options.log },
        onFatal: (error) => node?.failed(error),
        onDraining: () => {},
      };
      let cluster: ClusterNode;
      try {
        cluster = await buildClusterNode(parts);
      } catch (error) {
        await store.close();
        throw error;
      }
      node = new Node(config, store, options, cluster);
    }
    await node.start();
    return node;
  } catch (error) {
    if (node === undefined) await prepared?.coordinator.close();
    await node?.abandon();
    throw startErrorOf(error, config.listen);
  }
}
