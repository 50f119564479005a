// A UDP proxy in front of one node's gossip. Each sender gets a socket of its own towards the node, so that what the node answers to that
// address goes back to the sender; both directions are dropped while they are cut.

import { createSocket, type Socket } from 'node:dgram';
import type { Cuts } from './cuts.ts';

export interface UdpProxyOptions {
  readonly cuts: Cuts;
  readonly ip: string;
  readonly port: number;
  readonly to: { readonly name: string; readonly ip: string; readonly port: number };
  nameOf(ip: string): string | undefined;
}

export class UdpProxy {
  readonly #options: UdpProxyOptions;
  readonly #front: Socket = createSocket('udp4');
  /** By the sender's address and port: the socket that stands for it. */
  readonly #faces = new Map<string, Socket>();

  private constructor(options: UdpProxyOptions) {
    this.#options = options;
  }

  static async open(options: UdpProxyOptions): Promise<UdpProxy> {
    const proxy = new UdpProxy(options);
    await new Promise<void>((resolve, reject) => {
      proxy.#front.once('error', reject).bind(options.port, options.ip, resolve);
    });
    proxy.#front.on('error', () => {});
    proxy.#front.on('message', (bytes, { address, port }) => proxy.#forward(bytes, address, port));
    return proxy;
  }

  async close(): Promise<void> {
    const sockets = [this.#front, ...this.#faces.values()];
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  }

  #forward(bytes: Buffer, address: string, port: number): void {
    const { cuts, to, nameOf } = this.#options;
    const from = nameOf(address);
    if (from !== undefined && cuts.isCut(from, to.name)) return;
    const sender = `${address}:${port}`;
    let face = this.#faces.get(sender);
    if (face === undefined) {
      face = createSocket('udp4');
      face.on('error', () => {});
      face.on('message', (answer) => {
        if (from === undefined || !cuts.isCut(to.name, from)) this.#front.send(answer, port, address);
      });
      this.#faces.set(sender, face);
    }
    face.send(bytes, to.port, to.ip);
  }
}
