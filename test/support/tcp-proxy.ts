// A proxy in the test's own process between a node and its server. A rule watches for bytes on their way to the server and then cuts,
// swallows or delays, so that an answer is lost at the very moment that matters.

import { createServer, connect as dial, type Server, type Socket } from 'node:net';

export type Fault =
  /** The bytes never arrive. */
  | 'before'
  /** They arrive, and the connection is cut before anything comes back. */
  | 'at'
  /** The server has answered, and the answer is lost. */
  | 'after'
  /** The node's side is cut; the bytes arrive later, when nobody waits for them any more (see `deliverLate`). */
  | 'late'
  /** Nothing is cut, and nothing passes any more on this connection, either way. */
  | 'swallow';

export interface Rule {
  fault: Fault;
  /** Latin-1 text in the bytes to the server. */
  when: string;
  /** On which occurrence from now on; default 1. */
  nth?: number;
}

export class TcpProxy {
  readonly #server: Server;
  readonly #links = new Set<Socket>();
  #rule: (Rule & { left: number }) | undefined;
  #struck: (() => void) | undefined;
  #late: (() => void)[] = [];
  #refusing = false;
  port = 0;

  private constructor(target: number) {
    this.#server = createServer((near) => this.#link(near, target));
  }

  static async to(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    const address = proxy.#server.address();
    proxy.port = typeof address === 'object' && address !== null ? address.port : 0;
    return proxy;
  }

  /** Once; resolves when it struck: with `after`, when the server has answered. */
  strike(rule: Rule): Promise<void> {
    this.#rule = { ...rule, left: rule.nth ?? 1 };
    return new Promise((resolve) => {
      this.#struck = resolve;
    });
  }

  /** New connections are cut at once until `accept`. */
  refuse(): void {
    this.#refusing = true;
  }

  accept(): void {
    this.#refusing = false;
  }

  cutAll(): void {
    for (const socket of this.#links) socket.destroy();
  }

  deliverLate(): void {
    for (const deliver of this.#late.splice(0)) deliver();
  }

  async close(): Promise<void> {
    this.cutAll();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #link(near: Socket, target: number): void {
    if (this.#refusing) {
      near.destroy();
      return;
    }
    const far = dial({ host: '127.0.0.1', port: target, noDelay: true });
    near.setNoDelay(true);
    let mode: 'pass' | 'swallow' | 'drop answer' = 'pass';
    let detached = false;
    const end = (): void => {
      if (detached) return;
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      this.#links.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#links.delete(socket);
        end();
      });
    }
    far.on('data', (data) => {
      if (mode === 'pass') near.write(data);
      else if (mode === 'drop answer') {
        end();
        this.#struck?.();
      }
    });
    near.on('data', (data) => {
      if (mode !== 'pass') return;
      switch (this.#faultOf(data)) {
        case undefined:
          far.write(data);
          break;
        case 'before':
          end();
          break;
        case 'at':
          far.write(data, () => end());
          break;
        case 'after':
          mode = 'drop answer';
          far.write(data);
          break;
        case 'late':
          detached = true;
          near.destroy();
          this.#late.push(() => {
            far.on('data', () => {});
            far.write(data);
          });
          break;
        case 'swallow':
          mode = 'swallow';
          break;
      }
    });
  }

  #faultOf(data: Buffer): Fault | undefined {
    const rule = this.#rule;
    if (rule === undefined || !data.includes(rule.when, 0, 'latin1')) return undefined;
    rule.left -= 1;
    if (rule.left > 0) return undefined;
    this.#rule = undefined;
    if (rule.fault !== 'after') this.#struck?.();
    return rule.fault;
  }
}
