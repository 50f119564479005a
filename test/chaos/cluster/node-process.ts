// One real node of a cluster, `tenuto server start --config`: started, killed, stopped and continued, drained by SIGTERM. What it says goes to a
// log beside its data directory.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../../examples/order-fulfillment/paths.ts';
import { Child } from '../../../examples/order-fulfillment/supervisor/child.ts';
import { untilServing } from '../../../examples/order-fulfillment/supervisor/ports.ts';
import { type Build, cliOf } from './build.ts';
import { LOCALHOST, type NodePlace } from './network.ts';

/** Ends a child whose parent is gone, however it went. */
export const EXIT_WITH_PARENT = pathToFileURL(
  join(ROOT, 'dist/examples/order-fulfillment/supervisor/exit-with-parent.js'),
).href;
const NET_HOOK = pathToFileURL(join(ROOT, 'test/chaos/cluster/net-hook.mjs')).href;

export interface NodeSettings {
  readonly place: NodePlace;
  /** What it runs at first. */
  readonly build: Build;
  readonly clusterId: string;
  readonly shardCount: number;
  readonly replicas: number;
  readonly firstMembers: number;
  /** The `cluster.redis` of its configuration. */
  readonly redis: object;
  /** Its data goes to a folder of its name here. */
  readonly directory: string;
  /** Instead of that folder. */
  readonly dataDirectory?: string | undefined;
  /** Instead of any folder: the database that all share. */
  readonly databaseUrl?: string | undefined;
}

export interface NodeEvents {
  /** It ended, and nobody here asked for that. It is being started again. */
  died(name: string, how: string): void;
}

export class NodeProcess {
  readonly name: string;
  /** `host:port` for clients. */
  readonly address: string;
  readonly grpcPort: number;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly #settings: NodeSettings;
  readonly #events: NodeEvents;
  #build: Build;
  #child: Child;
  #stopped = false;

  constructor(settings: NodeSettings, events: NodeEvents) {
    const { place, directory } = settings;
    this.#settings = settings;
    this.#events = events;
    this.#build = settings.build;
    this.name = place.name;
    this.address = `${LOCALHOST}:${place.clientPort}`;
    this.grpcPort = place.grpcPort;
    this.dataDirectory = settings.dataDirectory ?? join(directory, place.name);
    this.logFile = join(directory, `${place.name}.log`);
    mkdirSync(directory, { recursive: true });
    this.#child = this.#make();
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get isUp(): boolean {
    return this.#child.isUp && !this.#stopped;
  }

  /** Resolves when it says it is ready. */
  start(): Promise<void> {
    return this.#child.start();
  }

  /** SIGKILL. Resolves when it is gone. */
  kill(): Promise<void> {
    return this.#child.kill();
  }

  /** After `kill`. Resolves when it says it is ready. */
  restart(): Promise<void> {
    return this.#child.restart();
  }

  /** SIGTERM. Resolves when it is gone; `again` starts it again. */
  async end(): Promise<void> {
    await this.#child.end();
  }

  /** @param build what it runs from now on, over the same data */
  async again(build = this.#build): Promise<void> {
    this.#build = build;
    this.#child = this.#make();
    await this.#child.start();
  }

  pause(): void {
    this.#stopped = true;
    process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
    this.#stopped = false;
  }

  killNow(): void {
    this.#child.killNow();
  }

  #make(): Child {
    const { place, directory } = this.#settings;
    const file = join(directory, `${place.name}.json`);
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(this.#config(), undefined, 2));
    const ready = (signal: AbortSignal): Promise<void> => untilServing(`http://${this.address}/readyz`, signal);
    const spec = {
      name: this.name,
      args: ['--import', NET_HOOK, cliOf(this.#build), 'server', 'start', '--config', file],
      cwd: directory,
      logFile: this.logFile,
      env: { TENUTO_TEST_SOURCE_IP: place.ip },
      ready,
    };
    return new Child(spec, EXIT_WITH_PARENT, {
      message: () => {},
      died: (child, how) => this.#events.died(child.name, how),
      revived: () => {},
      lost: (child, why) => this.#events.died(child.name, `was given up: ${why.message}`),
    });
  }

  #config(): object {
    const { place, clusterId, shardCount, replicas, firstMembers, redis, databaseUrl } = this.#settings;
    const { name, ip, clientPort, grpcPort, link, gossip } = place;
    return {
      ...(databaseUrl === undefined
        ? { dataDirectory: this.dataDirectory }
        : { store: { postgres: { url: databaseUrl } } }),
      shardCount,
      listen: { ip: LOCALHOST, port: clientPort },
      grpc: { port: grpcPort },
      shutdownGrace: '3s',
      log: { level: 'info' },
      // A small disk may be part of the test.
      engine: { freeSpaceReserve: 1 },
      cluster: {
        ...{ id: clusterId, name, replicas, firstMembers, redis },
        gossip: { ip, ...gossip },
        link: { ip, ...link },
      },
    };
  }
}
