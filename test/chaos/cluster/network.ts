// The network between the processes of a chaos run: every node has an address of its own in 127/8 and is reached by the others, and reaches
// Redis, through proxies only, so that any direction between two of them can be cut. Clients and workers connect directly.

import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { Cuts } from './cuts.ts';
import { TcpProxy } from './tcp-proxy.ts';
import { UdpProxy } from './udp-proxy.ts';

export const LOCALHOST = '127.0.0.1';
export const REDIS = 'redis';
export const DATABASE = 'database';
/** Below the range that kernels give to outgoing connections: what a killed node listened on stays free for it. */
const PORTS = { first: 20_000, count: 11_000 };
const PORT_TRIES = 200;

export interface NodePlace {
  readonly name: string;
  readonly ip: string;
  /** For clients, on localhost. */
  readonly clientPort: number;
  /** Of its gRPC door, on localhost. */
  readonly grpcPort: number;
  readonly link: { readonly port: number; readonly advertise: string };
  readonly gossip: { readonly port: number; readonly advertise: string };
  /** Where this node finds Redis; undefined without a proxy for it. */
  readonly redisPort: number | undefined;
  /** Where it finds the database that all share; undefined: it has a directory. */
  readonly databasePort: number | undefined;
}

export class Network {
  readonly cuts = new Cuts();
  readonly #proxies: { close(): Promise<void> }[] = [];
  readonly #names = new Map<string, string>();
  /** Other runs on this machine are elsewhere in 127/8. */
  readonly #net = `127.${1 + Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}`;

  /**
   * @param redisPort of the real one; undefined: no proxy, since who is asked tells real addresses (Sentinel)
   * @param databasePort of the real one, if there is one
   */
  async place(name: string, redisPort: number | undefined, databasePort?: number): Promise<NodePlace> {
    const ip = `${this.#net}.${this.#names.size + 1}`;
    this.#names.set(ip, name);
    const clientPort = await freePort(LOCALHOST);
    const grpcPort = await freePort(LOCALHOST);
    const linkPort = await freePort(ip);
    const gossipPort = await freePort(ip);
    const linkFront = await this.#tcp({ name, ip, port: linkPort });
    // One number for both, as the node itself has it.
    const gossipFront = await this.#tcp({ name, ip, port: gossipPort });
    const common = { cuts: this.cuts, ip: LOCALHOST, nameOf: (source: string) => this.#names.get(source) };
    this.#proxies.push(await UdpProxy.open({ ...common, port: gossipFront, to: { name, ip, port: gossipPort } }));
    return {
      ...{ name, ip, clientPort, grpcPort },
      link: { port: linkPort, advertise: `${LOCALHOST}:${linkFront}` },
      gossip: { port: gossipPort, advertise: `${LOCALHOST}:${gossipFront}` },
      redisPort: await this.#wayTo(REDIS, redisPort),
      databasePort: await this.#wayTo(DATABASE, databasePort),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }

  async #wayTo(name: string, port: number | undefined): Promise<number | undefined> {
    return port === undefined ? undefined : await this.#tcp({ name, ip: LOCALHOST, port });
  }

  async #tcp(to: { name: string; ip: string; port: number }): Promise<number> {
    const port = await freePort(LOCALHOST);
    const nameOf = (source: string): string | undefined => this.#names.get(source);
    this.#proxies.push(await TcpProxy.open({ cuts: this.cuts, ip: LOCALHOST, port, to, nameOf }));
    return port;
  }
}

/** Of this process: one that was given away may not be listened on yet. */
const given = new Set<number>();

/** Free for TCP and UDP alike. */
export async function freePort(ip: string): Promise<number> {
  for (let tries = 1; tries <= PORT_TRIES; tries += 1) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    if (given.has(port)) continue;
    given.add(port);
    if ((await tcpIsFree(ip, port)) && (await udpIsFree(ip, port))) return port;
  }
  throw new Error(`no free port on ${ip} in ${PORT_TRIES} tries`);
}

function tcpIsFree(ip: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, ip, () => server.close(() => resolve(true)));
  });
}

function udpIsFree(ip: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4').once('error', () => resolve(false));
    socket.bind(port, ip, () => socket.close(() => resolve(true)));
  });
}
