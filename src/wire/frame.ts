// The frames of the WebSocket door; docs/protocol.md is the same in prose, for other languages.
//
// One binary WebSocket message holds one or more frames, each a MessagePack array that begins with its kind. Either side writes
// all frames of a tick as one message. Maps have string keys (no extension types, no records). Requests carry an id chosen by the client
// (unique among its open ones; 0 = no answer wanted); every other id is answered exactly once, unless cancelled, with `response` or `error`,
// after any number of `part`s.

import type { StatusCode, StatusDetail } from './status.ts';

/** The WebSocket subprotocol both sides name at the upgrade. */
export const SUBPROTOCOL = 'tenuto.v1';
/** Bytes of one message a server accepts; larger ones close the connection with 1009. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

export const FrameKind = {
  /** C→S, first: `[0, Hello]` */
  HELLO: 0,
  /** S→C, answer to hello: `[1, Welcome]` */
  WELCOME: 1,
  /**
   * C→S: `[2, id, method, timeoutMs, body, metadata?]`; timeoutMs is relative (clocks differ), 0 = the server's default. `metadata`: headers of this
   * request alone, strings by name, for servers that said `metadata`; `authorization: Bearer TOKEN` takes the place of hello's token.
   */
  REQUEST: 2,
  /** C→S: `[3, id]`: the caller no longer wants the answer; what was applied stays applied. */
  CANCEL: 3,
  /** S→C: `[4, id, body]` */
  RESPONSE: 4,
  /** S→C: `[5, id, Status]` */
  ERROR: 5,
  /** S→C: `[6, topic, body]` */
  PUSH: 6,
  /** S→C: `[7, reason]`: the node is about to go; open requests are still answered, new ones belong on another connection. */
  GOAWAY: 7,
  /** S→C: `[8, id, body]`: part of an answer, before its `response` or `error`; only of methods whose answer comes in parts. */
  PART: 8,
} as const;
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

export interface Hello {
  /** Inclusive range of protocol versions the client speaks. */
  protocol: [min: number, max: number];
  /** Name and version of the client library: `tenuto-js/0.1.0`. */
  client: string;
  identity: string;
  /** Bearer token of the namespaces this connection may use; absent where the server asks for none. */
  token?: string | undefined;
  /** Optional behaviours the client understands: see `CAPABILITIES`. */
  capabilities: string[];
}

export interface Welcome {
  protocol: number;
  /** `tenuto/0.1.0` */
  server: string;
  /** This node's id. Changes with its data directory. */
  nodeId: string;
  /** What both sides understand. */
  capabilities: string[];
  /** Milliseconds of silence after which either side should ping, and drop the connection when nothing answers in as long again. */
  idleMs: number;
  maxMessageBytes: number;
}

/**
 * `ahead`: workflow tasks may be pushed before their log entry is durable (I1), followed by a `durable` push.
 * `cluster`: the client knows several nodes, and takes `clusterMap` pushes. Understood by a node of a cluster only.
 * `metadata`: requests may have metadata of their own. A server that does not say it would do such a request with hello's token.
 */
export const CAPABILITIES = ['ahead', 'cluster', 'metadata'] as const;

export type HelloFrame = [kind: typeof FrameKind.HELLO, hello: Hello];
export type WelcomeFrame = [kind: typeof FrameKind.WELCOME, welcome: Welcome];
export type RequestFrame = [
  kind: typeof FrameKind.REQUEST,
  id: number,
  method: string,
  timeoutMs: number,
  body: unknown,
  metadata?: Readonly<Record<string, string>>,
];
export type CancelFrame = [kind: typeof FrameKind.CANCEL, id: number];
export type ResponseFrame = [kind: typeof FrameKind.RESPONSE, id: number, body: unknown];
export type ErrorFrame = [
  kind: typeof FrameKind.ERROR,
  id: number,
  status: { code: StatusCode; message: string; detail?: StatusDetail | undefined },
];
export type PushFrame = [kind: typeof FrameKind.PUSH, topic: string, body: unknown];
export type GoawayFrame = [kind: typeof FrameKind.GOAWAY, reason: string];

export type PartFrame = [kind: typeof FrameKind.PART, id: number, body: unknown];

export type ClientFrame = HelloFrame | RequestFrame | CancelFrame;
export type ServerFrame = WelcomeFrame | ResponseFrame | PartFrame | ErrorFrame | PushFrame | GoawayFrame;
