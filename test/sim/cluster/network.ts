// The network of a simulated cluster: links as ordered streams (the memory network of cluster/link), gossip as packets and short streams. Streams are
// late, cut in one direction, broken, or half open; packets are lost, repeated and overtake each other as well. What arrives happens in the process it
// arrives at: not while that is stopped, never once it is dead.

import type { Answer, Transport as GossipTransport, TransportEvents } from '../../../cluster/gossip/transport.ts';
import { MemoryNetwork } from '../../../cluster/link/memory-network.ts';
import type { LinkNetwork, Transport, TransportHandler } from '../../../cluster/link/transport.ts';
import type { Kernel } from '../kernel.ts';
import type { SeededRandom } from '../random.ts';
import type { NodeProcess } from './node-process.ts';

/** What the network does to everything, for a while. */
export interface Weather {
  /** Of packets: lost, repeated. */
  dropChance: number;
  repeatChance: number;
  /** Something sent takes this much longer now and then; a stream keeps its order. */
  lateChance: number;
  lateMs: number;
}

export const CALM: Weather = { dropChance: 0, repeatChance: 0, lateChance: 0, lateMs: 0 };
const GOSSIP_STREAM_MS = 2_000;

export class ClusterNetwork {
  readonly links: MemoryNetwork;
  readonly #kernel: Kernel;
  readonly #random: SeededRandom;
  readonly #baseMs: number;
  /** from>to, by host, that nothing passes. */
  readonly #cuts = new Set<string>();
  /** Hosts that lost power: nobody is told that their connections are over. */
  readonly #silent = new Set<string>();
  readonly #gossip = new Map<string, { process: NodeProcess; events: TransportEvents }>();
  weather: Weather = CALM;
  packets = 0;

  constructor(kernel: Kernel, random: SeededRandom) {
    this.#kernel = kernel;
    this.#random = random;
    this.#baseMs = random.between(0.1, 1.5);
    this.links = new MemoryNetwork(
      {
        after: (ms, fn) => kernel.at(kernel.now + ms, undefined, 'network', fn),
        soon: (fn) => void kernel.at(kernel.now, undefined, 'network', fn),
      },
      0,
    );
    this.links.latencyMs = () => this.#delayMs();
  }

  // ---------------------------------------------------------------- faults

  cut(from: string, to: string): void {
    this.#cuts.add(`${from}>${to}`);
    this.links.cut(from, to);
  }

  mend(from: string, to: string): void {
    if (this.#cuts.delete(`${from}>${to}`)) this.links.heal(from, to);
  }

  /** The process on this host is gone; `silently`: with its machine, so its peers see nothing. */
  crash(host: string, how: 'told' | 'silently'): void {
    if (how === 'silently') this.#silent.add(host);
    this.links.crash(host);
    this.#gossip.delete(host);
  }

  // ---------------------------------------------------------------- links

  linksOf(host: string, process: NodeProcess): LinkNetwork {
    const inner = this.links.at(host);
    this.#silent.delete(host);
    return {
      listen: (at, accept, refused) =>
        inner.listen(at, (transport) => process.act(() => accept(this.#within(process, transport))), refused),
      dial: (to, done) =>
        inner.dial(to, (outcome) =>
          process.act(() =>
            done('transport' in outcome ? { transport: this.#within(process, outcome.transport) } : outcome),
          ),
        ),
    };
  }

  #within(process: NodeProcess, inner: Transport): Transport {
    const peer = inner.remote.slice(0, inner.remote.lastIndexOf(':'));
    // A stream of a process that is dead by now carries nothing more.
    const live = (act: () => void): void => {
      if (process.alive) act();
    };
    let told: TransportHandler | undefined;
    // The end that nobody told this side of; it comes to know when it gives the stream up itself.
    let unheard = false;
    const giveUp = (): void => {
      if (unheard) process.soon(() => told?.closed('closed by this side'));
      unheard = false;
      inner.close();
    };
    return {
      remote: inner.remote,
      certificateNames: inner.certificateNames,
      get buffered() {
        return inner.buffered;
      },
      attach: (handler: TransportHandler) => {
        told = handler;
        inner.attach({
          data: (bytes) => process.act(() => handler.data(bytes)),
          drained: () => process.act(() => handler.drained()),
          closed: (reason) => {
            if (reason === 'connection reset' && this.#silent.has(peer)) unheard = true;
            else process.act(() => handler.closed(reason));
          },
        });
      },
      write: (bytes) => live(() => inner.write(bytes)),
      close: () => live(giveUp),
      destroy: () => live(giveUp),
    };
  }

  // ---------------------------------------------------------------- gossip

  gossipOf(host: string, port: number, process: NodeProcess): GossipTransport {
    const address = `${host}:${port}`;
    return {
      open: (events) => {
        this.#gossip.set(host, { process, events });
        return Promise.resolve(address);
      },
      send: (to, body) => this.#packet(process, host, address, hostOf(to), new Uint8Array(body)),
      dial: (to, body, done) => this.#stream(process, host, address, hostOf(to), new Uint8Array(body), done),
      close: () => {
        if (this.#gossip.get(host)?.process === process) this.#gossip.delete(host);
        return Promise.resolve();
      },
    };
  }

  #packet(process: NodeProcess, from: string, address: string, to: string, body: Uint8Array): void {
    if (!process.alive) return;
    this.packets += 1;
    const random = this.#random;
    const { dropChance, repeatChance } = this.weather;
    if (random.chance(dropChance)) return;
    for (let copies = random.chance(repeatChance) ? 2 : 1; copies > 0; copies -= 1) {
      this.#kernel.after(this.#delayMs(), 'packet', () => {
        const there = this.#gossip.get(to);
        if (there === undefined || this.#cuts.has(`${from}>${to}`)) return;
        there.process.act(() => there.events.packet(address, body));
      });
    }
  }

  #stream(
    process: NodeProcess,
    from: string,
    address: string,
    to: string,
    body: Uint8Array,
    done: (answer: Answer) => Uint8Array | undefined,
  ): void {
    let over = false;
    const end = (answer: Answer): Uint8Array | undefined => {
      if (over) return undefined;
      over = true;
      timeout.cancel();
      return done(answer);
    };
    const timeout = process.after(GOSSIP_STREAM_MS, () => void end({ type: 'silent' }), 'gossip stream');
    const carry = (source: string, target: string, fn: () => void): void => {
      this.#kernel.after(this.#delayMs(), 'gossip stream', () => {
        if (!this.#cuts.has(`${source}>${target}`)) fn();
      });
    };
    carry(from, to, () => {
      const there = this.#gossip.get(to);
      if (there === undefined) {
        carry(to, from, () => process.act(() => void end({ type: 'silent' })));
        return;
      }
      there.process.act(() => {
        const answer = there.events.request(address, body);
        carry(to, from, () =>
          process.act(() => {
            const last = end(answer === undefined ? { type: 'silent' } : { type: 'answered', body: answer });
            if (last !== undefined)
              carry(from, to, () => there.process.act(() => there.events.lastWord(address, last)));
          }),
        );
      });
    });
  }

  #delayMs(): number {
    const random = this.#random;
    const { lateChance, lateMs } = this.weather;
    return (
      random.between(this.#baseMs / 2, this.#baseMs * 2) + (random.chance(lateChance) ? random.between(0, lateMs) : 0)
    );
  }
}

const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':'));
