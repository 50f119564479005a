// One node as a worker sees it: requests go to this node, and what it pushes comes from it alone.

import type { Method, Methods, Pushes, PushTopic } from '../../src/wire/api.ts';
import type { Channel, PushedOver, Unsubscribe } from './channel.ts';
import type { OpenRequest, Route } from './request-table.ts';

export interface NodeRequestOptions {
  /** Time limit, ms; 0 or Infinity: none. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Called the moment the answer comes, before what the node pushed behind it; the promise resolves after that. */
  answered?: ((body: unknown) => void) | undefined;
  /** Called with each part of the answer, in the order of a link; after a reconnect parts may come again. */
  part?: ((body: unknown) => void) | undefined;
  /** What to ask when it is sent again, in place of what was asked first. */
  again?: (() => object) | undefined;
}

/** Opens a request on a route of the connection's. */
export type OpenOn = <M extends Method>(
  method: M,
  body: Methods[M]['request'],
  route: Route,
  repeat: OpenRequest['repeat'],
  options: NodeRequestOptions | undefined,
) => Promise<Methods[M]['response']>;

export class ServedNode {
  /** Its name in the cluster; undefined for the node at the main link, whichever it is. */
  readonly name: string | undefined;
  readonly #channel: Channel;
  readonly #open: OpenOn;
  readonly #only: Route;
  readonly #first: Route;

  constructor(channel: Channel, name: string | undefined, open: OpenOn) {
    this.name = name;
    this.#channel = channel;
    this.#open = open;
    this.#only = { kind: 'only', channel };
    this.#first = { kind: 'first', channel };
  }

  get isLinked(): boolean {
    return this.#channel.link !== undefined;
  }

  /** Where it is, for people. */
  get address(): string {
    return this.#channel.link?.address ?? this.#channel.linker.target;
  }

  /** Sends to this node, once: fails with UNAVAILABLE when its link is lost before the answer. Waits for a link while there is none. */
  request<M extends Method>(
    method: M,
    body: Methods[M]['request'],
    options?: Pick<NodeRequestOptions, 'timeoutMs' | 'answered'>,
  ): Promise<Methods[M]['response']> {
    return this.#open(method, body, this.#only, 'once', options);
  }

  /** Sends to this node, or to another while it is away; again and again until there is an answer. */
  ask<M extends Method>(method: M, body: Methods[M]['request']): Promise<Methods[M]['response']> {
    return this.#open(method, body, this.#first, 'again', undefined);
  }

  onPush<T extends PushTopic>(topic: T, handler: (body: Pushes[T], over: PushedOver) => void): Unsubscribe {
    return this.#channel.onPush(topic, handler);
  }

  /** Called whenever there is a new link, the first one too, before anything that waits is sent over it. */
  onLinked(handler: () => void): Unsubscribe {
    return this.#channel.onLinked(handler);
  }

  /** Called when the link is lost, or about to go; it is made again by itself. */
  onDisconnected(handler: (reason: string) => void): Unsubscribe {
    return this.#channel.onDisconnected(handler);
  }

  /** Called when the node leads shards that it did not lead before: it may owe tasks of theirs. */
  onLeads(handler: () => void): Unsubscribe {
    return this.#channel.onLeads(handler);
  }
}
