// The way to one server: a linker that keeps a link to it, and those who listen to what that server pushes and to links that come and go.
// A connection has one channel to whichever node answers, and in a cluster further ones to single nodes (nodes.ts).

import type { Pushes, PushTopic } from '../../src/wire/api.ts';
import type { Welcome } from '../../src/wire/frame.ts';
import type { ClusterMap } from '../../src/wire/server.ts';
import type { Status } from '../../src/wire/status.ts';
import type { Patience } from './attention.ts';
import { leadsMore, readClusterMap } from './cluster-map.ts';
import type { Link } from './link.ts';
import { type Destinations, Linker } from './linker.ts';
import type { CompiledConnectionOptions } from './options.ts';
import type { RpcError } from './rpc-error.ts';
import type { OpenOn } from './served-node.ts';
import type { TransportFactory } from './transport.ts';

const DESCRIBE_TIMEOUT_MS = 10_000;

/** Whether a push came over the link that new requests take, or late over one that is being left. */
export type PushedOver = 'current' | 'leaving';

export type Unsubscribe = () => void;
type PushHandler = (body: unknown, over: PushedOver) => void;

/** The connection, as its channels see it. */
export interface ChannelHost {
  /** Whether requests wait for a link of this channel, or it is to be kept for another reason. */
  isWanted(channel: Channel): boolean;
  onLinked(channel: Channel, link: Link, again: 'first' | 'again'): void;
  onLost(channel: Channel, link: Link, reason: Error): void;
  onRefused(channel: Channel, error: RpcError): void;
  onResponse(id: number, body: unknown): void;
  onPart(id: number, body: unknown): void;
  onError(id: number, status: Status): void;
  openOn(link: Link): number;
  /** Somebody waits for the server of this link, and another one could do instead. */
  isAwaited(channel: Channel, link: Link): boolean;
  /** The map of the cluster that this channel's node gave, or it gave none and its last one counts no more. */
  onMap(channel: Channel): void;
  /** Whether the process must stay alive may have changed. */
  onWaitersChanged(): void;
}

export class Channel {
  readonly linker: Linker;
  readonly #host: ChannelHost;
  readonly #pushHandlers = new Map<string, Set<PushHandler>>();
  readonly #reconnectedHandlers = new Set<(welcome: Welcome) => void>();
  readonly #linkedHandlers = new Set<() => void>();
  readonly #disconnectedHandlers = new Set<(reason: string) => void>();
  readonly #leadsHandlers = new Set<() => void>();
  #map: ClusterMap | undefined;

  constructor(
    factory: TransportFactory,
    to: Destinations,
    options: CompiledConnectionOptions,
    patience: Patience,
    host: ChannelHost,
  ) {
    this.#host = host;
    this.linker = new Linker(factory, to, options, patience, {
      hasWork: () => this.#pushHandlers.size > 0 || host.isWanted(this),
      onLinked: (link, again) => host.onLinked(this, link, again),
      onRetired: (_link, reason) => {
        this.#forgetMap();
        this.#tellDisconnected(reason);
      },
      onLost: (link, wasCurrent, reason) => {
        if (wasCurrent) this.#forgetMap();
        host.onLost(this, link, reason);
        if (wasCurrent) this.#tellDisconnected(reason.message);
      },
      onRefused: (error) => host.onRefused(this, error),
      onResponse: (id, body) => host.onResponse(id, body),
      onPart: (id, body) => host.onPart(id, body),
      onError: (id, status) => host.onError(id, status),
      onPush: (topic, body, link) => this.#onPush(topic, body, link),
      openOn: (link) => host.openOn(link),
      isAwaited: (link) => host.isAwaited(this, link),
      onWaitersChanged: () => host.onWaitersChanged(),
    });
  }

  /** Where new requests go; undefined while there is no link. */
  get link(): Link | undefined {
    return this.linker.current;
  }

  /** The cluster as this channel's node sees it; undefined while that is not known, and where it stands alone. */
  get map(): ClusterMap | undefined {
    return this.#map;
  }

  get hasPushHandlers(): boolean {
    return this.#pushHandlers.size > 0;
  }

  onPush<T extends PushTopic>(topic: T, handler: (body: Pushes[T], over: PushedOver) => void): Unsubscribe {
    const handlers = this.#pushHandlers.get(topic) ?? new Set();
    this.#pushHandlers.set(topic, handlers);
    // The server pushes on a topic what the topic says.
    const untyped = handler as PushHandler;
    handlers.add(untyped);
    this.#host.onWaitersChanged();
    this.linker.connect();
    return () => {
      handlers.delete(untyped);
      if (handlers.size === 0 && this.#pushHandlers.get(topic) === handlers) this.#pushHandlers.delete(topic);
      this.#host.onWaitersChanged();
    };
  }

  onReconnected(handler: (welcome: Welcome) => void): Unsubscribe {
    this.#reconnectedHandlers.add(handler);
    return () => this.#reconnectedHandlers.delete(handler);
  }

  /** As `onReconnected`, and for the first link too. */
  onLinked(handler: () => void): Unsubscribe {
    this.#linkedHandlers.add(handler);
    return () => this.#linkedHandlers.delete(handler);
  }

  onDisconnected(handler: (reason: string) => void): Unsubscribe {
    this.#disconnectedHandlers.add(handler);
    return () => this.#disconnectedHandlers.delete(handler);
  }

  /** Called when the node leads shards it did not lead before, as it says itself. */
  onLeads(handler: () => void): Unsubscribe {
    this.#leadsHandlers.add(handler);
    return () => this.#leadsHandlers.delete(handler);
  }

  tellLinked(welcome: Welcome, again: 'first' | 'again'): void {
    for (const handler of this.#linkedHandlers) handler();
    if (again === 'again') for (const handler of this.#reconnectedHandlers) handler(welcome);
  }

  /** Asks the node for its map, and to be told when it changes. Before all else: a registration that follows knows more. */
  askForMap(open: OpenOn): void {
    const asked = open('describeCluster', { watch: true }, { kind: 'only', channel: this }, 'once', {
      timeoutMs: DESCRIBE_TIMEOUT_MS,
      // A push behind it may bring a newer one.
      answered: (map) => this.gaveMap(map),
    });
    // Without a map everything goes by way of the main link.
    asked.catch(() => undefined);
  }

  /** What the node answered to `describeCluster`, or pushed. */
  gaveMap(value: unknown): void {
    const map = readClusterMap(value);
    if (map === undefined) return;
    // What it led when it was asked, the registration that follows asks for.
    const more = this.#map !== undefined && leadsMore(this.#map, map);
    this.#map = map;
    this.#host.onMap(this);
    if (more) for (const handler of this.#leadsHandlers) handler();
  }

  close(error: Error): void {
    this.linker.close(error);
    this.#pushHandlers.clear();
  }

  #forgetMap(): void {
    if (this.#map === undefined) return;
    this.#map = undefined;
    this.#host.onMap(this);
  }

  #onPush(topic: string, body: unknown, link: Link): void {
    const over = link === this.link ? 'current' : 'leaving';
    if (topic === 'clusterMap' && over === 'current') this.gaveMap(body);
    for (const handler of this.#pushHandlers.get(topic) ?? []) {
      try {
        handler(body, over);
      } catch (err) {
        // A handler's bug must neither be hidden nor stop the other frames of this message.
        queueMicrotask(() => {
          throw err;
        });
      }
    }
  }

  #tellDisconnected(reason: string): void {
    for (const handler of this.#disconnectedHandlers) handler(reason);
  }
}
