// The real transport: UDP for packets, TCP for streams, one port for both. What cannot be read never goes further than this file; who sent
// it is reported, at most every ten seconds for each reason, since anybody can make such packets up under any address.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { Clock, Scheduler } from '../../src/ports/clock.ts';
import { formatAddress, parseAddress } from './core/address.ts';
import { Limiter, type Notice, refusedBy, refusedPeer } from './core/notices.ts';
import type { RefusalReason } from './core/refusal.ts';
import type { Envelopes } from './envelope.ts';
import { Streams } from './streams.ts';
import { type Answer, GossipStartError, type Transport, type TransportEvents } from './transport.ts';

/** Holds what arrives while the process is busy: some thousand packets. The system may grant less. */
const RECEIVE_BUFFER_BYTES = 1024 * 1024;
/** With port 0 the free port of TCP may be taken for UDP: another one is tried. */
const PORT_TRIES = 10;

export interface SocketOptions {
  readonly ip: string;
  /** 0: any free one. */
  readonly port: number;
  readonly envelopes: Envelopes;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly streamTimeoutMs: number;
  readonly maxStreams: number;
}

export class SocketTransport implements Transport {
  readonly #options: SocketOptions;
  readonly #limiter = new Limiter();
  #events: TransportEvents | undefined;
  #streams: Streams | undefined;
  #udp: Socket | undefined;

  constructor(options: SocketOptions) {
    this.#options = options;
  }

  async open(events: TransportEvents): Promise<string> {
    const { ip, port } = this.#options;
    this.#events = events;
    for (let tries = 1; ; tries += 1) {
      try {
        return formatAddress(ip, await this.#bind(ip, port));
      } catch (error) {
        await this.#closeSockets();
        if (port === 0 && tries < PORT_TRIES && codeOf(error) === 'EADDRINUSE') continue;
        this.#events = undefined;
        throw startErrorOf(error, formatAddress(ip, port));
      }
    }
  }

  send(to: string, body: Uint8Array): void {
    const target = parseAddress(to);
    if (target === undefined) return;
    this.#udp?.send(this.#options.envelopes.wrap(body), target.port, target.host, (error) => {
      if (error !== null) this.#trouble(`a packet to ${to} could not be sent: ${error.message}`);
    });
  }

  dial(to: string, body: Uint8Array, done: (answer: Answer) => Uint8Array | undefined): void {
    this.#streams?.dial(to, body, (answer) => (this.#events === undefined ? undefined : done(answer)));
  }

  async close(): Promise<void> {
    this.#events = undefined;
    await this.#closeSockets();
  }

  async #bind(ip: string, port: number): Promise<number> {
    const { envelopes, scheduler, streamTimeoutMs: timeoutMs, maxStreams } = this.#options;
    this.#streams = new Streams(
      { envelopes, scheduler, timeoutMs, maxStreams },
      {
        request: (from, body) => this.#events?.request(from, body),
        lastWord: (from, body) => this.#events?.lastWord(from, body),
        stranger: (from, reason) => this.#stranger(from, reason),
        garbage: (from, why) => this.#garbage(from, why),
      },
    );
    const bound = await this.#streams.listen(ip, port);
    const type = ip.includes(':') ? 'udp6' : 'udp4';
    const udp = createSocket({ type, recvBufferSize: RECEIVE_BUFFER_BYTES });
    this.#udp = udp;
    await new Promise<void>((resolve, reject) => {
      udp.once('error', reject);
      udp.once('close', () => reject(new Error('closed')));
      udp.bind(bound, ip, () => {
        udp.off('error', reject);
        resolve();
      });
    });
    udp.on('error', (error) => this.#trouble(`the UDP socket failed: ${error.message}`));
    udp.on('message', (bytes, from) => this.#packet(bytes, from));
    return bound;
  }

  #packet(bytes: Buffer, { address, port }: RemoteInfo): void {
    const from = formatAddress(address, port);
    const opened = this.#options.envelopes.open(bytes);
    switch (opened.type) {
      case 'body':
        this.#events?.packet(from, opened.body);
        return;
      case 'stranger':
        // No answer: it would go to whoever the packet claims to come from.
        if (opened.reason !== 'yourself') this.#stranger(from, opened.reason);
        return;
      case 'refusal':
        this.#notice(`refusal ${opened.reason}`, refusedBy(opened.reason, `a node at ${from}`, 'warn'));
        return;
      case 'garbage':
        this.#garbage(from, opened.why);
        return;
    }
  }

  #stranger(from: string, reason: RefusalReason): void {
    this.#notice(`stranger ${reason}`, refusedPeer(reason, from, undefined));
  }

  #garbage(from: string, why: string): void {
    const message = `bytes from ${from} are no gossip of this cluster and were dropped: ${why}`;
    this.#notice(`garbage ${why.replaceAll(/\d+/g, 'n')}`, { kind: 'garbage', address: from, message });
  }

  #trouble(message: string): void {
    this.#notice('trouble', { kind: 'trouble', message });
  }

  #notice(subject: string, notice: Notice): void {
    if (this.#limiter.allow(subject, this.#options.clock.monotonic())) this.#events?.notice(notice);
  }

  async #closeSockets(): Promise<void> {
    const [streams, udp] = [this.#streams, this.#udp];
    this.#streams = undefined;
    this.#udp = undefined;
    await streams?.close();
    if (udp === undefined) return;
    await new Promise<void>((resolve) => {
      try {
        udp.close(() => resolve());
      } catch {
        // It never came to be bound.
        resolve();
      }
    });
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

function startErrorOf(error: unknown, where: string): GossipStartError {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new GossipStartError(
        'portTaken',
        `${where} (gossip) is taken by another process`,
        'Stop that one, or choose another port with --gossip-port (cluster.gossip.port).',
        error,
      );
    case 'EACCES':
      return new GossipStartError(
        'address',
        `listening on ${where} (gossip) is not permitted`,
        'Ports below 1024 need privileges: choose another one.',
        error,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new GossipStartError(
        'address',
        `${where} (gossip) is no address of this machine`,
        'Choose one of this machine, or 0.0.0.0 for all together with an address to advertise.',
        error,
      );
    default:
      return new GossipStartError(
        'fault',
        error instanceof Error ? error.message : String(error),
        'See the cause.',
        error,
      );
  }
}
