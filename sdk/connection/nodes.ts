// The nodes of a cluster as one connection uses them, beside its channel to whichever node answers (the main one): a channel to each node that
// workers serve, and to those that lead the shards its calls go to, opened when first wanted and closed when idle. Bounded (I9).
//
// What the maps say only chooses among ways that all lead there: a call to the wrong node is passed on by it, and a node whose own address
// cannot be reached from here is reached by way of the main channel.

import type { ClusterMap, ClusterNode } from '../../src/wire/server.ts';
import { learnedUrl } from './address.ts';
import type { AddressBook } from './address-book.ts';
import type { Channel } from './channel.ts';
import { ownerIn, spokenOf, unionOfNodes } from './cluster-map.ts';
import type { Link } from './link.ts';
import type { Cancelable, Scheduler } from './scheduler.ts';

/** Nodes a worker serves, the main channel's included; of more a sample, each worker its own. */
export const MAX_SERVED_NODES = 32;
/** Channels to owners at once; past it calls go by the main channel. */
const MAX_OWNER_CHANNELS = 32;
/** A channel to an owner that no call took for so long is closed, ms. */
const OWNER_IDLE_MS = 60_000;
const IDLE_LOOK_MS = 10_000;
/** Between two moves of the main channel away from a draining node, ms: it may find no other. */
const MOVE_EVERY_MS = 5_000;

export interface NodesHost {
  readonly main: Channel;
  readonly book: AddressBook;
  readonly scheduler: Scheduler;
  /** The first address given: the others' scheme. */
  readonly firstUrl: string;
  open(url: string): Channel;
  /** Whether requests are open over it. */
  isBusy(channel: Channel): boolean;
  /** Not wanted any more; what is open on it is sent elsewhere. */
  drop(channel: Channel): void;
}

interface NodeChannel {
  readonly url: string;
  readonly channel: Channel;
  /** Workers serve it, or are about to leave it. */
  served: boolean;
  /** Monotonic ms of the last call that wanted it. */
  usedAt: number;
}

/** A node to serve. `main`: the one the main channel is linked to, whichever it is. */
export interface ServedNode {
  readonly channel: Channel;
  /** Undefined: of the main channel. */
  readonly name: string | undefined;
}

export class Nodes {
  readonly #host: NodesHost;
  readonly #channels = new Map<string, NodeChannel>();
  readonly #servers = new Set<(nodes: readonly ServedNode[]) => void>();
  #nodes: ReadonlyMap<string, ClusterNode> = new Map();
  /** Nodes that another one named in its last map. */
  #spokenOf: ReadonlySet<string> = new Set();
  /** Who leads what: the map that came last. */
  #leaders: ClusterMap | undefined;
  /** The node the main channel is, or was last, linked to. */
  #mainNode: string | undefined;
  #idleTimer: Cancelable | undefined;
  #movedAt = Number.NEGATIVE_INFINITY;
  #served: ServedNode[];

  constructor(host: NodesHost) {
    this.#host = host;
    this.#served = [{ channel: host.main, name: undefined }];
  }

  /** Whether more than the main channel is known of. */
  get known(): boolean {
    return this.#leaders !== undefined;
  }

  /** Links of single nodes, beside the main channel's. */
  get links(): Link[] {
    return [...this.#channels.values()].flatMap(({ channel }) => channel.link ?? []);
  }

  /** Whether what is asked of one node could be asked of another. */
  get several(): boolean {
    return (this.#nodes.size > 0 ? this.#nodes.size : this.#host.book.size) > 1;
  }

  /** Whether workers serve this channel's node. */
  serves(channel: Channel): boolean {
    return this.#servers.size > 0 && this.#served.some((node) => node.channel === channel);
  }

  /** Whether a channel of a single node is to be kept. */
  wants(channel: Channel): boolean {
    for (const entry of this.#channels.values()) if (entry.channel === channel) return true;
    return false;
  }

  all(): Channel[] {
    return [...this.#channels.values()].map(({ channel }) => channel);
  }

  /** The link to the owner of a workflow id, if it is known, not the main channel's, and open. One that is not yet open is opened for later. */
  linkOfOwner(namespace: string, workflowId: string): Link | undefined {
    const name = this.#leaders && ownerIn(this.#leaders, namespace, workflowId);
    if (name === undefined || name === this.#mainNode) return undefined;
    const entry = this.#channels.get(name) ?? this.#openForCalls(name);
    if (entry === undefined) return undefined;
    entry.usedAt = this.#host.scheduler.monotonic();
    return entry.channel.link;
  }

  /** A way to one more node, for what those there are do not answer. It is there for the next attempt. */
  openAnother(): void {
    const names = [...this.#nodes.keys()].filter((name) => name !== this.#mainNode && !this.#channels.has(name));
    const name = names[Math.floor(this.#host.scheduler.random() * names.length)];
    if (name !== undefined) this.#openForCalls(name);
  }

  /** Calls `handler` now and after each change with the nodes a worker should serve. Returns what ends it. */
  serve(handler: (nodes: readonly ServedNode[]) => void): () => void {
    this.#servers.add(handler);
    if (this.#chooseServed() === 'same') handler(this.#served);
    return () => {
      if (this.#servers.delete(handler) && this.#servers.size === 0) this.#chooseServed();
    };
  }

  /** A channel's map is new, or gone. */
  onMap(from: Channel): void {
    const { main } = this.#host;
    if (from.map !== undefined) this.#leaders = from.map;
    if (main.map !== undefined) this.#mainNode = main.map.self;
    const maps = [main, ...this.all()].flatMap(({ map }) => (map === undefined ? [] : [map]));
    // While nobody can be asked the nodes are those known last.
    if (maps.length === 0) return;
    const nodes = unionOfNodes(maps);
    const gone = this.#gone(maps);
    for (const name of gone) nodes.delete(name);
    this.#nodes = nodes;
    const abandoned = gone.flatMap((name) => {
      const channel = name === this.#mainNode ? main : this.#channels.get(name)?.channel;
      return channel === undefined ? [] : [{ name, channel }];
    });
    const up = [...this.#nodes.values()].filter(({ draining }) => !draining);
    this.#host.book.learn(up.flatMap((node) => this.#urlOf(node) ?? []));
    this.#dropUnusable();
    this.#chooseServed();
    this.#leaveDraining(up);
    for (const { name, channel } of abandoned) channel.linker.abandon(`node ${name} is gone, say the others`);
  }

  /** Nodes that others named and name no more. A stopped process keeps its links: its silence would be noticed far later. */
  #gone(maps: readonly ClusterMap[]): string[] {
    const before = this.#spokenOf;
    this.#spokenOf = spokenOf(maps);
    return [...before].filter((name) => !this.#spokenOf.has(name) && maps.some(({ self }) => self !== name));
  }

  close(): void {
    this.#idleTimer?.cancel();
    this.#servers.clear();
  }

  #urlOf(node: ClusterNode): string | undefined {
    return learnedUrl(node.address, this.#host.firstUrl);
  }

  #openForCalls(name: string): NodeChannel | undefined {
    const node = this.#nodes.get(name);
    if (node === undefined || node.draining || this.#channels.size >= MAX_OWNER_CHANNELS) return undefined;
    const entry = this.#open(node);
    this.#lookForIdle();
    return entry;
  }

  #open(node: ClusterNode): NodeChannel | undefined {
    const url = this.#urlOf(node);
    if (url === undefined) return undefined;
    const usedAt = this.#host.scheduler.monotonic();
    const entry = { url, channel: this.#host.open(url), served: false, usedAt };
    this.#channels.set(node.name, entry);
    entry.channel.linker.connect();
    return entry;
  }

  #drop(name: string, entry: NodeChannel): void {
    this.#channels.delete(name);
    this.#host.drop(entry.channel);
  }

  /** Nodes that are gone, drain, or have another address: whoever serves them is told by `#chooseServed`. */
  #dropUnusable(): void {
    for (const [name, entry] of this.#channels)
      if (!entry.served && !this.#isUsable(name, entry)) this.#drop(name, entry);
  }

  #isUsable(name: string, { url }: NodeChannel): boolean {
    const node = this.#nodes.get(name);
    return node !== undefined && !node.draining && this.#urlOf(node) === url;
  }

  #chooseServed(): 'same' | 'changed' {
    const left = [...this.#channels].filter(([name, entry]) => entry.served && !this.#isUsable(name, entry));
    // A node that has another address now is served anew.
    for (const [name] of left) this.#channels.delete(name);
    const names = this.#servers.size === 0 ? [] : this.#sample();
    for (const [name, entry] of this.#channels) {
      if (!entry.served || names.includes(name)) continue;
      left.push([name, entry]);
      this.#channels.delete(name);
    }
    const served: ServedNode[] = [{ channel: this.#host.main, name: undefined }];
    for (const name of names) {
      const node = this.#nodes.get(name);
      const entry = this.#channels.get(name) ?? (node && this.#open(node));
      if (entry === undefined) continue;
      entry.served = true;
      served.push({ channel: entry.channel, name });
    }
    const same =
      served.length === this.#served.length && served.every((node, i) => node.channel === this.#served[i]?.channel);
    this.#served = served;
    if (!same) for (const handler of this.#servers) handler(served);
    // Those who served them have said goodbye by now.
    for (const [, { channel }] of left) this.#host.drop(channel);
    return same ? 'same' : 'changed';
  }

  /** Those to serve beside the main channel's: the ones served already stay, so that a newcomer moves nobody. */
  #sample(): string[] {
    const usable = [...this.#nodes.values()].filter(({ name, draining }) => name !== this.#mainNode && !draining);
    const names = usable.map(({ name }) => name);
    const kept = names.filter((name) => this.#channels.get(name)?.served === true);
    const others = names.filter((name) => !kept.includes(name));
    while (kept.length < MAX_SERVED_NODES - 1 && others.length > 0) {
      kept.push(...others.splice(Math.floor(this.#host.scheduler.random() * others.length), 1));
    }
    return kept.slice(0, MAX_SERVED_NODES - 1);
  }

  #leaveDraining(up: readonly ClusterNode[]): void {
    const { main, scheduler } = this.#host;
    const node = this.#mainNode === undefined ? undefined : this.#nodes.get(this.#mainNode);
    const now = scheduler.monotonic();
    if (node?.draining !== true || up.length === 0 || main.link === undefined) return;
    if (now - this.#movedAt < MOVE_EVERY_MS) return;
    this.#movedAt = now;
    main.linker.moveOn(`node ${node.name} drains`);
  }

  #lookForIdle(): void {
    this.#idleTimer ??= this.#host.scheduler.after(IDLE_LOOK_MS, () => {
      this.#idleTimer = undefined;
      const before = this.#host.scheduler.monotonic() - OWNER_IDLE_MS;
      for (const [name, entry] of this.#channels) {
        if (!entry.served && entry.usedAt < before && !this.#host.isBusy(entry.channel)) this.#drop(name, entry);
      }
      if (this.#channels.size > 0) this.#lookForIdle();
    });
  }
}
