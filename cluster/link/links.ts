// The links of one node: who is dialled, who dialled us, and that between two nodes there is one connection. Reconnects with jittered back-off,
// refuses strangers and doubles with a message, and lets each channel's user know when a peer comes and goes. Built by the composition root;
// used by replication, rpc and snapshots. Callbacks, no promises on the way of a message.

import type { Cancelable, Clock, Random, Scheduler } from '../../src/ports/clock.ts';
import { type LinkEvent, Reports, whyOf } from './events.ts';
import { CHANNELS, type Channel, perChannel } from './frames.ts';
import { conflict, identityProblem, type NodeIdentity, type Refusal, type RemoteNode } from './identity.ts';
import { checkedLimits, type LinkLimits } from './limits.ts';
import { type ChannelUser, type Connection, KnownPeer, type Peer } from './peer.ts';
import { type LinkSecurity, type Role, securityProblem } from './security.ts';
import { Session, type SessionEnd } from './session.ts';
import { type Address, addressText, type LinkNetwork, type Listening, type Transport } from './transport.ts';

export type { ChannelUser, LinkEvent, Peer };

export interface LinksOptions {
  identity: NodeIdentity;
  security: LinkSecurity;
  network: LinkNetwork;
  clock: Clock;
  scheduler: Scheduler;
  random: Random;
  randomBytes(length: number): Uint8Array;
  limits?: Partial<LinkLimits> | undefined;
  /** Who may be a peer, beyond what the handshake proves; undefined: everybody of the cluster. */
  admit?: ((remote: RemoteNode) => Refusal | undefined) | undefined;
  onEvent(event: LinkEvent): void;
}

/** A tick that comes later than this was not late by chance, ms. */
const OVERSLEPT_MS = 200;

export class Links {
  readonly identity: NodeIdentity;
  readonly limits: LinkLimits;
  readonly #options: LinksOptions;
  readonly #users = perChannel<ChannelUser | undefined>(() => undefined);
  readonly #peers = new Map<string, KnownPeer>();
  /** Every connection, from its first byte on. */
  readonly #connections = new Set<Connection>();
  readonly #dirty = new Set<KnownPeer>();
  #listening: Listening | undefined;
  #ticker: Cancelable | undefined;
  #tickedAt: number;
  #closing: Promise<void> | undefined;
  #drained: (() => void) | undefined;
  readonly #reports: Reports;

  /** @throws RangeError for an identity or a limit that cannot be. */
  constructor(options: LinksOptions) {
    const problem = identityProblem(options.identity);
    if (problem !== undefined) throw new RangeError(`This node's identity is unusable: ${problem}.`);
    this.#options = options;
    this.identity = options.identity;
    this.limits = checkedLimits(options.limits);
    this.#reports = new Reports(options.clock, this.limits.reportsPerSecond, options.onEvent);
    this.#tickedAt = options.clock.monotonic();
    this.#tick();
  }

  /** Who handles a channel; once for each, before the first connection. */
  use(channel: Channel, user: ChannelUser): void {
    if (this.#users[channel] !== undefined) throw new Error(`the channel ${channel} has a user already`);
    this.#users[channel] = user;
  }

  /** Rejects with a message for people when the address cannot be had, or may not with this security. */
  async listen(at: Address): Promise<Address> {
    const problem = securityProblem(this.#options.security, at.host, 'listen');
    if (problem !== undefined) throw new Error(`Links cannot listen on ${addressText(at)}: ${problem}`);
    const refused = (address: string, refusal: Refusal): void => this.#refused(refusal, 'us', undefined, address);
    this.#listening = await this.#options.network.listen(at, (transport) => this.#accept(transport), refused);
    return this.#listening.address;
  }

  get address(): Address | undefined {
    return this.#listening?.address;
  }

  /**
   * Keeps a connection to this node from now on, and returns it; again with another address when it has moved.
   *
   * @throws Error when the address may not be used with this security, or too many peers are known.
   */
  connect(name: string, address: Address): Peer {
    if (name === this.identity.nodeName) throw new Error(`A node has no link to itself (${name}).`);
    if (this.#closing !== undefined) throw new Error('The links are closed.');
    const problem = securityProblem(this.#options.security, address.host, 'dial');
    if (problem !== undefined) throw new Error(`Node ${name} cannot be reached at ${addressText(address)}: ${problem}`);
    const peer = this.#peer(name);
    const moved = peer.address !== undefined && addressText(peer.address) !== addressText(address);
    peer.address = address;
    if (moved && peer.live === undefined) {
      this.#stopDialling(peer);
      peer.attempts = 0;
    }
    this.#dialUnlessBusy(peer);
    return peer;
  }

  /** The node of this name, if it is dialled or connected. */
  peer(name: string): Peer | undefined {
    return this.#peers.get(name);
  }

  peers(): Peer[] {
    return [...this.#peers.values()];
  }

  /** It left the cluster: its connection ends, and is not sought again. */
  forget(name: string): void {
    const peer = this.#peers.get(name);
    if (peer === undefined) return;
    peer.address = undefined;
    this.#stopDialling(peer);
    if (peer.live === undefined) this.#drop(peer);
    else peer.live.session.close(`node ${name} was forgotten`);
  }

  /** Accepts nothing new, lets what is queued leave (within `drainMs`), and ends every connection. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  /** Ends everything at once, as a dying process does: for tests and the simulator. */
  kill(): void {
    this.#closing ??= Promise.resolve();
    this.#ticker?.cancel();
    for (const peer of this.#peers.values()) this.#stopDialling(peer);
    void this.#listening?.close();
    for (const { session, transport } of [...this.#connections]) {
      session.close('the process ends');
      transport.destroy();
    }
  }

  // ---------------------------------------------------------------- peers

  #peer(name: string): KnownPeer {
    let peer = this.#peers.get(name);
    if (peer !== undefined) return peer;
    if (this.#peers.size >= this.limits.peers)
      throw new Error(`This node has ${this.limits.peers} peers, as many as it may: ${name} is one too many.`);
    peer = new KnownPeer(name, (dirty) => this.#flushSoon(dirty));
    this.#peers.set(name, peer);
    return peer;
  }

  #drop(peer: KnownPeer): void {
    peer.closed = true;
    this.#peers.delete(peer.name);
    this.#dirty.delete(peer);
  }

  /** One flush for all messages of this turn of the event loop. */
  #flushSoon(peer: KnownPeer): void {
    if (this.#dirty.size === 0) this.#options.scheduler.soon(() => this.#flush());
    this.#dirty.add(peer);
  }

  #flush(): void {
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    for (const peer of dirty) peer.live?.session.flush();
  }

  // ---------------------------------------------------------------- connecting

  #dialUnlessBusy(peer: KnownPeer): void {
    const { address } = peer;
    const busy = peer.live ?? peer.dial ?? peer.shaking ?? peer.retry;
    if (address === undefined || busy !== undefined || this.#closing !== undefined) return;
    peer.attempts += 1;
    const cancelable = this.#options.network.dial(address, (outcome) => {
      peer.dial = undefined;
      if ('error' in outcome) {
        this.#unreachable(peer, outcome.error);
        return;
      }
      const connection = this.#begin(outcome.transport, 'dialer', peer);
      // It may be over already: the other side closed it while this process stood still.
      if (!this.#connections.has(connection)) return;
      peer.shaking = connection;
      connection.session.start();
    });
    peer.dial = { cancelable, sinceMs: this.#options.clock.monotonic() };
  }

  #unreachable(peer: KnownPeer, message: string): void {
    const { attempts, address } = peer;
    if (address !== undefined) {
      const event = { peer: peer.name, address: addressText(address), message, attempts };
      this.#reports.throttled({ type: 'unreachable', ...event });
    }
    this.#retryLater(peer);
  }

  /** Half to all of a pause that doubles: peers that lost the same node do not come back in step. */
  #retryLater(peer: KnownPeer): void {
    if (peer.address === undefined || peer.retry !== undefined || this.#closing !== undefined) return;
    const { backoffMs, backoffMaxMs } = this.limits;
    const pause = Math.min(backoffMaxMs, backoffMs * 2 ** Math.min(20, Math.max(0, peer.attempts - 1)));
    peer.retry = this.#options.scheduler.after(pause * (0.5 + this.#options.random.next() / 2), () => {
      peer.retry = undefined;
      this.#dialUnlessBusy(peer);
    });
  }

  #stopDialling(peer: KnownPeer): void {
    peer.retry?.cancel();
    peer.retry = undefined;
    peer.dial?.cancelable.cancel();
    peer.dial = undefined;
    const { shaking } = peer;
    peer.shaking = undefined;
    shaking?.session.close('no longer wanted');
  }

  #accept(transport: Transport): void {
    if (this.#closing !== undefined) {
      transport.destroy();
      return;
    }
    const shaking = [...this.#connections].filter(({ session }) => !session.isOpen && session.role === 'acceptor');
    // A node is done in milliseconds: who has been at it longest makes room, or strangers could keep nodes out by saying nothing.
    if (shaking.length >= this.limits.handshakes) {
      const message = `node ${this.identity.nodeName} is shaking hands with ${this.limits.handshakes} others: try again.`;
      shaking[0]?.session.refuse({ kind: 'busy', message });
    }
    this.#begin(transport, 'acceptor', undefined);
  }

  #begin(transport: Transport, role: Role, dialled: KnownPeer | undefined): Connection {
    const { identity, security, clock, randomBytes } = this.#options;
    const session: Session = new Session({
      role,
      local: identity,
      security,
      address: transport.remote,
      expectedName: dialled?.name,
      certificateNames: transport.certificateNames,
      randomBytes,
      clock,
      limits: this.limits,
      admit: (remote) => this.#admit(remote, role),
      output: {
        write: (bytes) => transport.write(bytes),
        buffered: () => transport.buffered,
        established: (remote) => this.#established(connection, remote),
        message: (channel, bytes) => this.#message(connection, channel, bytes),
        drained: (channel) => this.#drainedChannel(connection, channel),
        skewed: (skewMs) => this.#skewed(connection, skewMs),
        ended: (end) => this.#ended(connection, dialled, end),
      },
    });
    const connection: Connection = { session, transport };
    this.#connections.add(connection);
    transport.attach({
      data: (bytes) => session.receive(bytes),
      drained: () => session.flush(),
      closed: (reason) => session.lost(reason),
    });
    return connection;
  }

  // ---------------------------------------------------------------- who may be connected

  /** Asked at the end of each handshake, of a peer that has proven what it claims. */
  #admit(remote: RemoteNode, role: Role): Refusal | undefined {
    if (this.#closing !== undefined) return { kind: 'unwanted', message: `node ${this.identity.nodeName} is leaving.` };
    const own = conflict(this.identity, remote);
    if (own !== undefined) return own;
    for (const peer of this.#peers.values()) {
      const known = peer.remote;
      if (known === undefined) continue;
      const problem = conflict(known, remote);
      if (problem === undefined) continue;
      // The one we know may be dead without our having heard: if it does not answer soon, the newcomer's next attempt succeeds.
      peer.live?.session.probe();
      return problem;
    }
    const unwanted = this.#options.admit?.(remote);
    if (unwanted !== undefined) return unwanted;
    const peer = this.#peers.get(remote.nodeName);
    if (peer === undefined && this.#peers.size >= this.limits.peers) {
      return {
        kind: 'busy',
        message: `node ${this.identity.nodeName} has as many peers as it may (${this.limits.peers}).`,
      };
    }
    return role === 'acceptor' && peer !== undefined ? this.#oneOfTwo(peer, remote) : undefined;
  }

  /**
   * Only one connection between two nodes. A live one stays. Of two that meet in their handshakes, that dialled by the node whose name comes
   * first stays: both sides decide the same, each as the acceptor of the one it refuses or takes.
   */
  #oneOfTwo(peer: KnownPeer, remote: RemoteNode): Refusal | undefined {
    const duplicate: Refusal = {
      kind: 'duplicateLink',
      message: `nodes ${this.identity.nodeName} and ${remote.nodeName} are connected already, or about to be.`,
    };
    if (peer.live !== undefined) {
      peer.live.session.probe();
      return duplicate;
    }
    if (peer.shaking !== undefined && this.identity.nodeName < remote.nodeName) return duplicate;
    return undefined;
  }

  #established(connection: Connection, remote: RemoteNode): void {
    const peer = this.#peer(remote.nodeName);
    const { shaking, live } = peer;
    if (live !== undefined) {
      // Only a dialler can come here: the acceptor refused one of the two before it said yes.
      connection.session.close('connected twice');
      return;
    }
    peer.shaking = undefined;
    if (shaking !== connection) shaking?.session.close('the other connection was taken');
    peer.dial?.cancelable.cancel();
    peer.dial = undefined;
    peer.retry?.cancel();
    peer.retry = undefined;
    peer.live = connection;
    peer.upAt = this.#options.clock.monotonic();
    const { address, version, directoryId } = remote;
    this.#reports.tell({ type: 'up', peer: peer.name, address, version, directoryId });
    for (const channel of CHANNELS) {
      // A user may end the connection from within its up.
      if (peer.live === connection) this.#users[channel]?.up(peer, remote);
    }
    this.#flushSoon(peer);
  }

  // ---------------------------------------------------------------- what happens on a connection

  #peerOf(connection: Connection): KnownPeer | undefined {
    const name = connection.session.remote?.nodeName;
    const peer = name === undefined ? undefined : this.#peers.get(name);
    return peer?.live === connection ? peer : undefined;
  }

  #message(connection: Connection, channel: Channel, bytes: Uint8Array): void {
    const peer = this.#peerOf(connection);
    if (peer !== undefined) this.#users[channel]?.message(peer, bytes);
  }

  #drainedChannel(connection: Connection, channel: Channel): void {
    const peer = this.#peerOf(connection);
    if (peer !== undefined) this.#users[channel]?.drained?.(peer);
  }

  #skewed(connection: Connection, skewMs: number): void {
    const peer = connection.session.remote?.nodeName ?? '';
    const off = `${Math.abs(Math.round(skewMs))} ms ${skewMs > 0 ? 'ahead of' : 'behind'}`;
    const message = `the clock of node ${peer} has moved: it is ${off} that of node ${this.identity.nodeName}. Synchronise both (NTP).`;
    this.#reports.tell({ type: 'clockSkew', peer, skewMs, message });
  }

  #ended(connection: Connection, dialled: KnownPeer | undefined, end: SessionEnd): void {
    const { session, transport } = connection;
    this.#connections.delete(connection);
    // A refusal and a goodbye are still on their way; of the rest nobody reads a byte any more.
    if (end.type === 'refused' || end.type === 'goodbye' || end.type === 'closed') transport.close();
    else transport.destroy();
    const peer = this.#peerOf(connection);
    if (end.type === 'refused')
      this.#refused(end.refusal, end.by, end.claimed?.nodeName ?? dialled?.name, transport.remote);
    if (dialled?.shaking === connection) dialled.shaking = undefined;
    if (peer !== undefined) this.#down(peer, whyOf(end), transport.remote);
    else if (dialled !== undefined && dialled.live === undefined && !dialled.closed) {
      if (end.type === 'lost' && session.remote === undefined) this.#unreachable(dialled, end.message);
      else this.#retryLater(dialled);
    }
    if (this.#connections.size === 0) this.#drained?.();
  }

  #down(peer: KnownPeer, why: string, address: string): void {
    peer.live = undefined;
    if (this.#options.clock.monotonic() - peer.upAt >= this.limits.stableMs) peer.attempts = 0;
    this.#reports.tell({ type: 'down', peer: peer.name, address, why });
    for (const channel of CHANNELS) this.#users[channel]?.down(peer, why);
    if (peer.address === undefined || this.#closing !== undefined) this.#drop(peer);
    else this.#retryLater(peer);
  }

  // ---------------------------------------------------------------- reports and time

  #refused(refusal: Refusal, by: 'us' | 'peer', peer: string | undefined, address: string): void {
    // How two connections that met become one is nobody's business.
    if (refusal.kind === 'duplicateLink') return;
    this.#reports.throttled({ type: 'refused', by, kind: refusal.kind, peer, address, message: refusal.message });
  }

  #tick(): void {
    const now = this.#options.clock.monotonic();
    // Timers run before sockets are read: what peers sent while this process stood still is still to come.
    const late = now - this.#tickedAt - this.limits.tickMs;
    this.#tickedAt = now;
    if (late > OVERSLEPT_MS) for (const { session } of this.#connections) session.overslept(late);
    for (const { session } of [...this.#connections]) session.tick();
    for (const peer of this.#peers.values()) {
      if (peer.dial === undefined || now - peer.dial.sinceMs < this.limits.handshakeMs) continue;
      peer.dial.cancelable.cancel();
      peer.dial = undefined;
      this.#unreachable(peer, `no connection within ${this.limits.handshakeMs} ms`);
    }
    this.#ticker = this.#options.scheduler.after(this.limits.tickMs, () => this.#tick());
  }

  async #shutDown(): Promise<void> {
    const listening = this.#listening?.close();
    for (const peer of [...this.#peers.values()]) this.#stopDialling(peer);
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
        for (const { session } of [...this.#connections]) session.drain();
      });
    }
    this.#ticker?.cancel();
    for (const peer of [...this.#peers.values()]) this.#drop(peer);
    await listening;
  }
}
