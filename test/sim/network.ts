// Connections between simulated processes and a node's door: ordered, delayed messages, and everything that happens to them. A connection is
// dropped (each side learns it in its own time), goes half open (messages vanish, nobody is told), or stalls (everything comes late).

import type { Transport } from '../../sdk/connection/transport.ts';
import type { NativeDoor } from '../../src/frontend/websocket/door.ts';
import type { Wire } from '../../src/frontend/websocket/wire.ts';
import { Channel, type RpcListener } from './grpc/channel.ts';
import type { Kernel, Process } from './kernel.ts';
import type { SeededRandom } from './random.ts';
import { type Connected, Lane } from './way.ts';

/** What watches the traffic of a node: the checkers. */
export interface Tap {
  /** A client's message has reached the node. */
  received(link: Link, message: Uint8Array): void;
  /** A message leaves the node: what it shows must be durable by now (I1). */
  left(link: Link, message: Uint8Array): void;
  closed(link: Link): void;
}

/** Where a client connects to. */
export interface Listener {
  readonly process: Process;
  readonly door: NativeDoor;
  readonly tap: Tap;
  /** The Temporal-compatible door; absent where nobody calls it. */
  readonly rpcs: RpcListener | undefined;
}

const PING = Uint8Array.of(1);
const PONG = Uint8Array.of(2);

export class Link implements Connected {
  readonly network: Network;
  readonly id: number;
  readonly client: Process;
  readonly listener: Listener;
  /** Nothing arrives any more, in either direction. */
  mute = false;
  /** ms every message takes on top. */
  extraMs = 0;
  readonly transport: Transport;
  readonly #toServer: Lane;
  readonly #toClient: Lane;
  readonly #connection;
  #clientOpen = true;
  #serverOpen = true;

  constructor(network: Network, id: number, client: Process, listener: Listener) {
    this.network = network;
    this.id = id;
    this.client = client;
    this.listener = listener;
    const { process, door, tap } = listener;
    this.#toServer = new Lane(this, process, 'receives', (message) => {
      if (!this.#serverOpen) return;
      if (message === PING) {
        this.#connection.alive();
        this.#toClient.send(PONG);
        return;
      }
      if (message === PONG) {
        this.#connection.alive();
        return;
      }
      network.kernel.fingerprint(message);
      tap.received(this, message);
      this.#connection.receive(message);
    });
    this.#toClient = new Lane(this, client, 'is sent', (message) => {
      if (!this.#clientOpen) return;
      this.transport.onalive?.();
      if (message === PING) this.#toServer.send(PONG);
      else if (message !== PONG) this.transport.onmessage?.(message);
    });
    const toServer = this.#toServer;
    const toClient = this.#toClient;
    this.transport = {
      onmessage: undefined,
      onclose: undefined,
      onalive: undefined,
      send: (bytes) => {
        // What a dead process still says from a promise goes nowhere.
        if (this.#clientOpen && client.alive) toServer.send(bytes);
      },
      close: () => this.#closedByClient(),
      get bufferedAmount() {
        return toServer.bytes;
      },
      ping: () => toServer.send(PING),
    };
    const wire: Wire = {
      peer: `${client.name}#${id}`,
      send: (message) => {
        if (!this.#serverOpen || !process.alive) return;
        network.kernel.fingerprint(message);
        tap.left(this, message);
        toClient.send(message);
      },
      close: () => this.#closedByServer(),
      get bufferedAmount() {
        return toClient.bytes;
      },
      pause: () => {
        toServer.paused = true;
      },
      resume: () => toServer.resume(),
      ping: () => toClient.send(PING),
    };
    this.#connection = door.accept(wire);
  }

  get open(): boolean {
    return this.#clientOpen || this.#serverOpen;
  }

  /** The connection breaks: what is on its way is lost, each side hears of it when it does. */
  drop(delays: { client: number; server: number }): void {
    this.mute = true;
    const { kernel } = this.network;
    kernel.at(kernel.now + delays.client, this.client, `loses ${this.id}`, () => this.#endClient('connection reset'));
    kernel.at(kernel.now + delays.server, this.listener.process, `loses ${this.id}`, () => this.#endServer());
  }

  #closedByClient(): void {
    if (!this.#clientOpen) return;
    this.#clientOpen = false;
    const { kernel } = this.network;
    if (this.mute) return;
    kernel.at(
      kernel.now + this.network.latency() + this.extraMs + 1,
      this.listener.process,
      `hears the end of ${this.id}`,
      () => this.#endServer(),
    );
    this.network.forget(this);
  }

  #closedByServer(): void {
    this.#endServer();
    if (this.mute) return;
    const { kernel } = this.network;
    kernel.at(kernel.now + this.network.latency() + this.extraMs + 1, this.client, `hears the end of ${this.id}`, () =>
      this.#endClient('closed by the server'),
    );
  }

  #endClient(reason: string): void {
    if (!this.#clientOpen) return;
    this.#clientOpen = false;
    this.network.forget(this);
    this.transport.onclose?.(reason);
  }

  #endServer(): void {
    if (!this.#serverOpen) return;
    this.#serverOpen = false;
    this.network.forget(this);
    this.listener.tap.closed(this);
    this.listener.door.ended(this.#connection);
  }
}

export class Network {
  readonly kernel: Kernel;
  readonly #random: SeededRandom;
  readonly #links = new Set<Connected>();
  /** ms a message takes at least, and how much longer at most. */
  baseMs: number;
  spreadMs: number;
  listener: Listener | undefined;
  opened = 0;

  constructor(kernel: Kernel, random: SeededRandom) {
    this.kernel = kernel;
    this.#random = random;
    this.baseMs = random.between(0.05, 0.5);
    this.spreadMs = random.chance(0.3) ? random.between(2, 20) : random.between(0.05, 1);
  }

  latency(): number {
    return this.baseMs + this.#random.next() * this.spreadMs;
  }

  links(): Connected[] {
    return [...this.#links].filter((link) => link.open && !link.mute);
  }

  forget(link: Connected): void {
    if (!link.open) this.#links.delete(link);
  }

  /** Resolves after a round trip; rejects when nobody listens. */
  async connect(client: Process): Promise<Transport> {
    const { transport } = await this.#opened(client, (id, listener) => new Link(this, id, client, listener));
    return transport;
  }

  /** The same, to the Temporal-compatible door. */
  dial(client: Process): Promise<Channel> {
    return this.#opened(client, (id, { process, rpcs }) => {
      if (rpcs === undefined) throw new Error('there is no such door in this world');
      return new Channel(this, id, client, { ...rpcs, process });
    });
  }

  #opened<C extends Connected>(client: Process, make: (id: number, listener: Listener) => C): Promise<C> {
    const { kernel } = this;
    return new Promise((resolve, reject) => {
      kernel.at(kernel.now + 2 * this.latency(), client, 'connects', () => {
        const { listener } = this;
        if (listener === undefined || !listener.process.alive) {
          reject(new Error('connection refused'));
          return;
        }
        this.opened += 1;
        const connected = make(this.opened, listener);
        this.#links.add(connected);
        resolve(connected);
      });
    });
  }

  /** A process is gone. With `silently` its peers are not told: a machine that lost power. */
  lost(process: Process, how: 'told' | 'silently'): void {
    for (const link of [...this.#links]) {
      if (link.client !== process && link.listener.process !== process) continue;
      link.mute = true;
      if (how === 'told') link.drop({ client: this.latency(), server: this.latency() });
    }
  }
}
