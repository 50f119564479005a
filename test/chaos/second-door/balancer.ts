// What stands before the nodes' gRPC doors where users have a load balancer: an address of its own, each connection to one of the nodes that are there.

import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort, LOCALHOST } from '../cluster/network.ts';

export class Balancer {
  readonly #server: Server;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.#port = port;
  }

  /** @param ports of the nodes' doors now */
  static async open(ports: () => readonly number[]): Promise<Balancer> {
    const port = await freePort(LOCALHOST);
    const server = createServer((front) => balancer.#serve(front, shuffled(ports())));
    const balancer = new Balancer(server, port);
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, LOCALHOST, resolve));
    return balancer;
  }

  get address(): string {
    return `${LOCALHOST}:${this.#port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** With the first of them that answers; nobody does: the connection ends. */
  #serve(front: Socket, ports: readonly number[]): void {
    const [port, ...others] = ports;
    this.#keep(front);
    if (port === undefined) {
      front.destroy();
      return;
    }
    const back = connect(port, LOCALHOST);
    this.#keep(back);
    const next = (): void => this.#serve(front, others);
    back.once('error', next);
    back.once('connect', () => {
      back.off('error', next);
      back.once('close', () => front.destroy());
      front.once('close', () => back.destroy());
      front.pipe(back).pipe(front);
    });
  }

  #keep(socket: Socket): void {
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    // It closes after that.
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

function shuffled(ports: readonly number[]): number[] {
  const from = Math.floor(Math.random() * ports.length);
  return [...ports.slice(from), ...ports.slice(0, from)];
}
