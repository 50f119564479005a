// The gRPC door of a node: opened beside the WebSocket one, with the same services. Used by node.ts.

import type { NodeConfig } from './config/config.ts';
import type { Admission } from './frontend/admission.ts';
import type { Services } from './frontend/door.ts';
import { GrpcDoor } from './frontend/grpc/door.ts';
import type { HandedSockets } from './frontend/handed-sockets.ts';
import type { Tls } from './frontend/http/server.ts';
import type { Namespaces } from './frontend/namespaces.ts';
import { startErrorOf } from './node-errors.ts';
import type { Metrics } from './observe/metrics.ts';
import type { Log } from './ports/log.ts';
import { systemScheduler } from './runtime/index.ts';

export interface GrpcParts {
  readonly config: NodeConfig;
  readonly services: Services;
  readonly namespaces: Namespaces;
  readonly admission: Admission;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly tls: Tls | undefined;
  /** Where its connections come from, when it does not listen itself. */
  readonly sockets: HandedSockets | undefined;
  notReady(): string | undefined;
}

/**
 * Undefined where none is configured, or the port is taken that nobody asked for by name.
 *
 * @throws NodeStartError when the port that was asked for is taken or may not be used
 */
export async function openGrpcDoor(parts: GrpcParts): Promise<GrpcDoor | undefined> {
  const { config, services, namespaces, admission, metrics, log, tls } = parts;
  const { grpc } = config;
  if (grpc === undefined) return undefined;
  const door = new GrpcDoor({
    services,
    reference: { crossNamespaceCommands: grpc.crossNamespaceCommands },
    namespaces,
    admission,
    metrics,
    tls,
    scheduler: systemScheduler,
    limits: config.doorLimits,
    notReady: () => parts.notReady(),
    onFault: (error, method) => {
      metrics.faults += 1;
      const fault = error instanceof Error ? error : new Error(String(error));
      log.error({ method, error: fault }, 'a gRPC request failed by a fault of the server: please report it');
    },
  });
  if (parts.sockets !== undefined) {
    door.take(parts.sockets);
    return door;
  }
  try {
    await door.listen(grpc.ip, grpc.port);
    return door;
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    if (!taken || grpc.whenTaken === 'refuse') throw startErrorOf(error, grpc, '--grpc-port');
    log.warn({ port: grpc.port }, 'no gRPC door: its port is taken by another process; choose one with --grpc-port');
    return undefined;
  }
}
