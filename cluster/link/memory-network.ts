// Streams between nodes of one process, over a scheduler that the caller moves: for tests and the simulator. Delivers in order like TCP; can delay,
// cut one way, break, crash a host, and tamper with what passes (drop, repeat, change).

import type { Cancelable, Scheduler } from '../../src/ports/clock.ts';
import {
  type Address,
  addressText,
  type LinkNetwork,
  type Listening,
  type Transport,
  type TransportHandler,
} from './transport.ts';

const FIRST_PORT = 40_000;

/** One end of a stream. */
class End implements Transport {
  readonly host: string;
  readonly remote: string;
  readonly certificateNames: readonly string[] = [];
  readonly #network: MemoryNetwork;
  /** Set right after both ends exist. */
  peer: End | undefined;
  #handler: TransportHandler | undefined;
  #arrived: Uint8Array[] = [];
  /** What this end has sent and the other has not received. */
  readonly #way: (Uint8Array | 'end')[] = [];
  #buffered = 0;
  #ended: string | undefined;

  constructor(network: MemoryNetwork, host: string, remote: Address) {
    this.#network = network;
    this.host = host;
    this.remote = addressText(remote);
  }

  get buffered(): number {
    return this.#buffered;
  }

  attach(handler: TransportHandler): void {
    this.#handler = handler;
    for (const bytes of this.#arrived.splice(0)) handler.data(bytes);
    if (this.#ended !== undefined) handler.closed(this.#ended);
  }

  write(bytes: Uint8Array): void {
    if (this.#ended !== undefined || this.peer === undefined) return;
    for (const part of this.#network.tamper(this.host, this.peer.host, bytes)) {
      // What a socket does: the bytes are the kernel's from here on.
      this.#way.push(new Uint8Array(part));
      this.#buffered += part.length;
      this.#network.schedule(this.host, this.peer.host, () => this.#deliver());
    }
  }

  close(): void {
    if (this.#ended !== undefined || this.peer === undefined) return;
    this.#way.push('end');
    this.#network.schedule(this.host, this.peer.host, () => this.#deliver());
    this.end('closed by this side');
  }

  destroy(): void {
    this.close();
  }

  /** This end is over: its handler is told, in a turn of its own as sockets do. */
  end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#network.scheduler.soon(() => this.#handler?.closed(reason));
  }

  #deliver(): void {
    const next = this.#way.shift();
    if (next === undefined) return;
    if (next === 'end') {
      this.peer?.end('closed by the other side');
      return;
    }
    this.#buffered -= next.length;
    this.peer?.arrive(next);
    if (this.#buffered === 0 && this.#ended === undefined) this.#handler?.drained();
  }

  arrive(bytes: Uint8Array): void {
    if (this.#ended !== undefined) return;
    if (this.#handler === undefined) this.#arrived.push(bytes);
    else this.#handler.data(bytes);
  }
}

export class MemoryNetwork {
  readonly scheduler: Scheduler;
  /** ms a write takes from one host to another. */
  latencyMs: (from: string, to: string) => number;
  /** What becomes of a write on its way: a list of the writes that go on. */
  tamper: (from: string, to: string, bytes: Uint8Array) => readonly Uint8Array[] = (_from, _to, bytes) => [bytes];
  readonly #listeners = new Map<string, (transport: Transport) => void>();
  readonly #ends = new Set<End>();
  readonly #cuts = new Set<string>();
  /** Deliveries a cut holds back, in order, by way. */
  readonly #held = new Map<string, (() => void)[]>();
  #nextPort = FIRST_PORT;

  constructor(scheduler: Scheduler, latencyMs: number) {
    this.scheduler = scheduler;
    this.latencyMs = () => latencyMs;
  }

  /** The network as a process on this host sees it; the host's name is its address. */
  at(host: string): LinkNetwork {
    return {
      listen: (at, accept) => {
        const text = addressText(at);
        if (this.#listeners.has(text)) return Promise.reject(new Error(`listen EADDRINUSE: ${text}`));
        this.#listeners.set(text, accept);
        const close = (): Promise<void> => {
          if (this.#listeners.get(text) === accept) this.#listeners.delete(text);
          return Promise.resolve();
        };
        return Promise.resolve<Listening>({ address: at, close });
      },
      dial: (to, done) => this.#dial(host, to, done),
    };
  }

  #dial(host: string, to: Address, done: Parameters<LinkNetwork['dial']>[1]): Cancelable {
    let cancelled = false;
    // There and back: a one-way cut lets no connection come about.
    this.schedule(host, to.host, () =>
      this.schedule(to.host, host, () => {
        if (cancelled) return;
        const accept = this.#listeners.get(addressText(to));
        if (accept === undefined) {
          done({ error: 'connection refused' });
          return;
        }
        this.#nextPort += 1;
        const near = new End(this, host, to);
        const far = new End(this, to.host, { host, port: this.#nextPort });
        near.peer = far;
        far.peer = near;
        this.#ends.add(near).add(far);
        accept(far);
        done({ transport: near });
      }),
    );
    return {
      cancel: () => {
        cancelled = true;
      },
    };
  }

  /** Runs `fn` when a write from one host reaches the other: later than those before it, or once a cut is healed. */
  schedule(from: string, to: string, fn: () => void): void {
    const way = `${from}→${to}`;
    this.scheduler.after(this.latencyMs(from, to), () => {
      const held = this.#held.get(way);
      if (!this.#cuts.has(way) && held === undefined) fn();
      else if (held === undefined) this.#held.set(way, [fn]);
      else held.push(fn);
    });
  }

  /** Nothing gets from one host to the other any more; nobody is told. */
  cut(from: string, to: string): void {
    this.#cuts.add(`${from}→${to}`);
  }

  /** What was held back arrives, in order. */
  heal(from: string, to: string): void {
    const way = `${from}→${to}`;
    this.#cuts.delete(way);
    const held = this.#held.get(way) ?? [];
    this.#held.delete(way);
    for (const fn of held) fn();
  }

  /** Connections between two hosts end: what is under way is lost. */
  break(a: string, b: string): void {
    for (const end of [...this.#ends]) {
      const { peer } = end;
      if (peer === undefined || !((end.host === a && peer.host === b) || (end.host === b && peer.host === a))) continue;
      this.#ends.delete(end);
      end.end('connection reset');
    }
  }

  /** A process dies: its connections end, its listeners are gone. */
  crash(host: string): void {
    for (const address of [...this.#listeners.keys()])
      if (address.startsWith(`${host}:`)) this.#listeners.delete(address);
    for (const end of [...this.#ends]) {
      if (end.host !== host && end.peer?.host !== host) continue;
      this.#ends.delete(end);
      end.end('connection reset');
    }
  }
}
