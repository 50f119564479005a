// What the worker's parts ask of the world: a connection and workflow threads. Production wires the real ones in worker.ts;
// tests give fakes.

import type { Method, Methods, Pushes, PushTopic } from '../../src/wire/api.ts';
import type { FromWorkflowThread, ToWorkflowThread } from './thread-protocol.ts';

/** The part of a connection a worker uses. */
export interface WorkerConnection {
  readonly options: {
    /** Whom it speaks with, for people. */
    readonly target: string;
  };
  /** Rejects with an error whose `code` is a gRPC status number when the server refused, with any other error when the connection failed. */
  request<M extends Method>(
    method: M,
    body: Methods[M]['request'],
    options?: { timeoutMs?: number },
  ): Promise<Methods[M]['response']>;
  /** Returns what removes the handler. */
  onPush<T extends PushTopic>(topic: T, handler: (body: Pushes[T]) => void): () => void;
  /** Called after every reconnect, never for the first connect. */
  onReconnected(handler: () => void): () => void;
  /** Called when the link is lost, or about to go; it tries again by itself. */
  onDisconnected(handler: (reason: string) => void): () => void;
}

/** One workflow thread, as its owner sees it. */
export interface ThreadPort {
  /** The batch is cloned before this returns. */
  post(messages: ToWorkflowThread[]): void;
  /** The run whose code runs now, and since when at least (monotonic ms). Looked at by the deadlock watch. */
  busy(now: number): { runId: string; since: number } | undefined;
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

/** Bytes of their own, so that what outlives a frame does not pin it, and a clone for another thread copies only them. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
