// The gRPC door of a node: opened beside the WebSocket one, with the same services; and its methods for clients of that one. Used by node.ts.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NodeConfig } from './config/config.ts';
import type { Admission } from './frontend/admission.ts';
import type { Call, Caller, RpcGateway, Services } from './frontend/door.ts';
import type { GrpcDoor } from './frontend/grpc/door.ts';
import type { HandedSockets } from './frontend/handed-sockets.ts';
import type { Tls } from './frontend/http/server.ts';
import type { Namespaces } from './frontend/namespaces.ts';
import { startErrorOf } from './node-errors.ts';
import type { Metrics } from './observe/metrics.ts';
import type { Log } from './ports/log.ts';
import { systemScheduler } from './runtime/index.ts';
import type { CallServiceRequest } from './wire/server.ts';
import { StatusCode } from './wire/status.ts';

export interface GrpcParts {
  readonly config: NodeConfig;
  readonly namespaces: Namespaces;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Known by the time of the first call. */
  services(): Services;
  admission(): Admission;
  notReady(): string | undefined;
}

/** A door of its own where the configuration has one, and the same calls for clients of the native door, which load it with the first. */
export class NodeGrpc implements RpcGateway {
  readonly #parts: GrpcParts;
  #door: Promise<GrpcDoor> | undefined;
  /** `host:port`, once it listens. */
  address: string | undefined;

  constructor(parts: GrpcParts) {
    this.#parts = parts;
  }

  /**
   * Without a door where none is configured, or where the port is taken that nobody asked for by name.
   *
   * @throws NodeStartError when the port that was asked for is taken or may not be used
   */
  async open(sockets: HandedSockets | undefined, tls: Tls | undefined): Promise<void> {
    const { config, log } = this.#parts;
    const { grpc } = config;
    if (grpc === undefined) return;
    this.#door = this.#make(tls);
    const door = await this.#door;
    if (sockets !== undefined) {
      door.take(sockets);
    } else {
      try {
        await door.listen(grpc.ip, grpc.port);
      } catch (error) {
        const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
        if (!taken || grpc.whenTaken === 'refuse') throw startErrorOf(error, grpc, '--grpc-port');
        // Who starts it at a terminal is told there.
        log.info({ port: grpc.port }, 'no gRPC door: its port is taken by another process');
        return;
      }
    }
    this.address = door.address;
  }

  call(request: CallServiceRequest, caller: Caller, call: Call): void {
    this.#made().then(
      (door) => door.call(request, caller, call),
      () => call.refuse({ code: StatusCode.INTERNAL, message: 'The API could not be loaded.' }),
    );
  }

  /** The JSON API; 503 where there is no door. */
  answerHttp(request: IncomingMessage, response: ServerResponse): void {
    if (this.address === undefined) response.writeHead(503).end();
    else
      this.#made().then(
        (door) => door.answerHttp(request, response),
        () => response.destroy(),
      );
  }

  async drain(graceMs: number): Promise<void> {
    const door = await this.#door?.catch(() => undefined);
    await door?.drain(graceMs);
  }

  #made(): Promise<GrpcDoor> {
    this.#door ??= this.#make(undefined);
    return this.#door;
  }

  async #make(tls: Tls | undefined): Promise<GrpcDoor> {
    const { config, services, namespaces, admission, metrics, log, notReady } = this.#parts;
    const { GrpcDoor } = await import('./frontend/grpc/door.ts');
    return new GrpcDoor({
      services: services(),
      reference: { crossNamespaceCommands: config.grpc?.crossNamespaceCommands ?? 'refused' },
      ...{ namespaces, admission: admission(), metrics, tls, notReady },
      scheduler: systemScheduler,
      limits: config.doorLimits,
      onFault: (error, method) => {
        metrics.faults += 1;
        const fault = error instanceof Error ? error : new Error(String(error));
        log.error({ method, error: fault }, 'a gRPC request failed by a fault of the server: please report it');
      },
    });
  }
}
