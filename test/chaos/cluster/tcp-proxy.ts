// A TCP proxy in front of one server. While a direction is cut its bytes are held, not dropped, as TCP would send them again once the network is
// mended; a connection that is made meanwhile opens only then. Ends of connections cross like bytes do.

import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Cuts } from './cuts.ts';

export interface TcpProxyOptions {
  readonly cuts: Cuts;
  /** Where it listens, and the server behind it. */
  readonly ip: string;
  readonly port: number;
  readonly to: { readonly name: string; readonly ip: string; readonly port: number };
  /** Which node has this source address; undefined: somebody who is never cut off. */
  nameOf(ip: string): string | undefined;
}

export class TcpProxy {
  readonly #options: TcpProxyOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: TcpProxyOptions) {
    this.#options = options;
    this.#server = createServer((front) => this.#serve(front));
  }

  static async open(options: TcpProxyOptions): Promise<TcpProxy> {
    const proxy = new TcpProxy(options);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject).listen(options.port, options.ip, resolve);
    });
    return proxy;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(front: Socket): void {
    const { cuts, to } = this.#options;
    const from = this.#options.nameOf(front.remoteAddress ?? '');
    this.#keep(front);
    const isCut = (): boolean => from !== undefined && (cuts.isCut(from, to.name) || cuts.isCut(to.name, from));
    const open = (): void => {
      if (isCut() || front.destroyed) return;
      forget();
      const back = connect({ host: to.ip, port: to.port });
      this.#keep(back);
      this.#pass(front, back, from, to.name);
      this.#pass(back, front, to.name, from);
    };
    const forget = cuts.onMended(open);
    front.once('close', forget);
    open();
  }

  #keep(socket: Socket): void {
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    // What went wrong is told by the close.
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #pass(source: Socket, sink: Socket, from: string | undefined, to: string | undefined): void {
    const { cuts } = this.#options;
    const isCut = (): boolean => from !== undefined && to !== undefined && cuts.isCut(from, to);
    let held: Buffer[] = [];
    let ended = false;
    const flow = (): void => {
      if (isCut()) return;
      for (const bytes of held) sink.write(bytes);
      held = [];
      if (ended) {
        forget();
        sink.end();
        // Half-open connections are nobody's business here.
        sink.destroySoon();
      } else source.resume();
    };
    const forget = cuts.onMended(flow);
    source.on('data', (bytes) => {
      if (isCut()) {
        held.push(bytes);
        source.pause();
      } else if (!sink.write(bytes)) {
        source.pause();
        sink.once('drain', () => source.resume());
      }
    });
    source.once('close', () => {
      ended = true;
      flow();
    });
    sink.once('close', forget);
  }
}
