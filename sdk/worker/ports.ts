// What the worker's parts ask of the world: a connection and workflow threads. Production wires the real ones in worker.ts;
// tests give fakes.

import type { Method, Methods, Pushes, PushTopic } from '../../src/wire/api.ts';
import type { BusyLook } from './busy-mark.ts';
import type { FromWorkflowThread, ToWorkflowThread } from './thread-protocol.ts';

/** One node that a worker takes tasks from. */
export interface WorkerNode {
  /** Its name in the cluster; undefined where the connection does not tell: whichever node it is linked to. */
  readonly name: string | undefined;
  /** Where it is, for people. */
  readonly address: string;
  /**
   * Sends once, to this node, waiting for a link while there is none. Rejects with an error whose `code` is a gRPC status number when the server
   * refused, or UNAVAILABLE when the link was lost before the answer; with any other error when the connection failed. `answered` is called the
   * moment the answer comes, before what the node pushed behind it; the promise resolves after that.
   */
  request<M extends Method>(
    method: M,
    body: Methods[M]['request'],
    options?: { timeoutMs?: number; answered?: () => void },
  ): Promise<Methods[M]['response']>;
  /** Sends to this node, to another while it is away, again and again until there is an answer. */
  ask<M extends Method>(method: M, body: Methods[M]['request']): Promise<Methods[M]['response']>;
  /** `over`: whether it came over the link that requests take, or late over one that is being left. Returns what removes the handler. */
  onPush<T extends PushTopic>(topic: T, handler: (body: Pushes[T], over: 'current' | 'leaving') => void): () => void;
  readonly isLinked: boolean;
  /** Called whenever there is a new link, the first one too, before anything that waits is sent over it. */
  onLinked(handler: () => void): () => void;
  /** Called when the link is lost, or about to go; it tries again by itself. */
  onDisconnected(handler: (reason: string) => void): () => void;
  /** Called when the node leads shards that it did not lead before. */
  onLeads(handler: () => void): () => void;
}

/** The part of a connection a worker uses. */
export interface WorkerConnection {
  /**
   * Calls `handler` now and after each change with the nodes to register on, at least one; the same object for the same node. One that is not listed any more has been
   * left. Returns what ends it.
   */
  serveNodes(handler: (nodes: readonly WorkerNode[]) => void): () => void;
  /** Where a worker makes itself known to clients of this process, for eager starts. */
  readonly ownWorkers?: Map<string, { namespace: string; taskQueue: string }>;
}

/** One workflow thread, as its owner sees it. */
export interface ThreadPort {
  /** The batch is cloned before this returns. */
  post(messages: ToWorkflowThread[]): void;
  /** The run whose code runs now. Looked at by the deadlock watch. @param now monotonic ms */
  busy(now: number): BusyLook | undefined;
  /** Ends the thread at once, also out of an endless loop; `onExit` is not called for it. */
  terminate(): void;
}

export interface ThreadEvents {
  onMessages(messages: FromWorkflowThread[]): void;
  /** The thread ended without having been asked to. */
  onExit(error: Error): void;
}

export type ThreadFactory = (events: ThreadEvents) => ThreadPort;

/** A task token as a map key. */
export function tokenKey(token: Uint8Array): string {
  return Buffer.from(token.buffer, token.byteOffset, token.byteLength).toString('latin1');
}

/** Bytes of their own, so that what outlives a frame does not pin it. Small ones share a few kilobytes: an allocation each costs more than the copy. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return Buffer.from(bytes);
}
