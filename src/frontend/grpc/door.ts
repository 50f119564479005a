// The Temporal-compatible door: a socket that listens at once, and everything behind it (the transport, the API's descriptors) loaded when the first client
// connects, or the first one of the native door sends this API's messages; so that a node nobody calls this way starts and sleeps as before. Drains at shutdown: long polls are answered empty.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import type { Scheduler } from '../../ports/clock.ts';
import { StatusCode } from '../../wire/status.ts';
import type { Admission } from '../admission.ts';
import type { Call, Caller, ReferenceWays, Services } from '../door.ts';
import type { HandedSockets } from '../handed-sockets.ts';
import type { Tls } from '../http/server.ts';
import type { DoorLimits } from '../limits.ts';
import type { Namespaces } from '../namespaces.ts';
import type { NamedRequest, ServiceCalls } from './calls.ts';
import type { GrpcServer } from './server.ts';

export interface GrpcDoorContext {
  readonly services: Services;
  readonly reference: ReferenceWays;
  readonly namespaces: Namespaces;
  readonly scheduler: Scheduler;
  readonly admission: Admission;
  readonly limits: DoorLimits;
  readonly metrics: GrpcMetrics;
  /** PEM; absent: plain text. */
  readonly tls: Tls | undefined;
  /** Why the node does not serve; undefined when it does. */
  notReady(): string | undefined;
  /** A method threw something that is no refusal: a bug of ours. */
  onFault(error: unknown, method: string): void;
}

export interface GrpcMetrics {
  messageIn(bytes: number): void;
  callEnded(method: string, code: StatusCode, durationMs: number): void;
}

export class GrpcDoor {
  readonly #context: GrpcDoorContext;
  readonly #sockets = new Set<Socket>();
  #listener: NetServer | undefined;
  #isOpen = false;
  #calls: Promise<ServiceCalls> | undefined;
  #server: Promise<GrpcServer> | undefined;
  /** `host:port`, once it listens. */
  address: string | undefined;

  constructor(context: GrpcDoorContext) {
    this.#context = context;
  }

  /** Rejects with the listening error: the port is taken, or may not be used. */
  async listen(ip: string, port: number): Promise<void> {
    // Paused: the first bytes of a client are for the HTTP/2 session that takes its socket over.
    const listener = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => this.#accept(socket));
    listener.maxConnections = this.#context.limits.connections;
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen({ host: ip, port }, resolve);
    });
    this.#listener = listener;
    this.#isOpen = true;
    const bound = listener.address();
    if (typeof bound === 'object' && bound !== null) {
      this.address = `${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
    }
  }

  /** A request of the JSON API, which came in at the node's HTTP port. */
  answerHttp(request: IncomingMessage, response: ServerResponse): void {
    this.#server ??= this.#load();
    this.#server.then(
      (server) => server.answerHttp(request, response),
      () => response.destroy(),
    );
  }

  /** A call that a client of the native door names, in this API's messages. */
  call(request: NamedRequest, caller: Caller, call: Call): void {
    this.#calls ??= this.#loadCalls();
    this.#calls.then(
      (calls) => {
        try {
          calls.call(request, caller, call);
        } catch (error) {
          call.refuse({ code: StatusCode.INTERNAL, message: `${request.method} failed inside the server.` });
          this.#context.onFault(error, request.method);
        }
      },
      () => call.refuse({ code: StatusCode.INTERNAL, message: 'The API could not be loaded.' }),
    );
  }

  /** Takes connections that another process accepted, paused, instead of listening. */
  take(sockets: HandedSockets): void {
    this.#isOpen = true;
    this.address = sockets.address;
    sockets.onSocket((socket) => {
      socket.pause();
      if (this.#sockets.size < this.#context.limits.connections) this.#accept(socket);
      else socket.destroy();
    });
  }

  /** Answers what waits, lets open requests be answered for up to `graceMs`, then closes every connection. */
  async drain(graceMs: number): Promise<void> {
    this.#isOpen = false;
    this.#listener?.close();
    const server = await this.#server?.catch(() => undefined);
    server?.retire();
    const calls = await this.#calls?.catch(() => undefined);
    await calls?.drain(graceMs);
    await server?.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // A client that goes in the midst of its request is no fault of anybody's.
    socket.on('error', () => socket.destroy());
    this.#server ??= this.#load();
    this.#server.then(
      (server) => {
        if (!this.#isOpen || socket.destroyed) socket.destroy();
        else server.accept(socket);
      },
      () => socket.destroy(),
    );
  }

  async #loadCalls(): Promise<ServiceCalls> {
    try {
      const { ServiceCalls } = await import('./calls.ts');
      return new ServiceCalls(this.#context);
    } catch (error) {
      this.#context.onFault(error, 'grpc');
      throw error;
    }
  }

  async #load(): Promise<GrpcServer> {
    this.#calls ??= this.#loadCalls();
    const calls = await this.#calls;
    try {
      const { GrpcServer } = await import('./server.ts');
      return new GrpcServer(this.#context, calls);
    } catch (error) {
      this.#context.onFault(error, 'grpc');
      throw error;
    }
  }
}
