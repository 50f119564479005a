// One core: a node in a process of its own that is handed its connections (core of `tenuto server … --cores`). It lives as long as the process that
// started it; signals are that one's business.

import type { Socket } from 'node:net';
import { IpcCoordinator } from '../../cluster/ownership/ipc/client.ts';
import type { HandedSockets } from '../frontend/handed-sockets.ts';
import { type CoreOptions, NodeStartError, type RunningNode, startNode } from '../node.ts';
import { createLogger } from '../observe/logger.ts';
import type { Log, LogFields } from '../ports/log.ts';
import { systemClock, systemScheduler } from '../runtime/index.ts';
import type { Door, FromCore, ToCore } from './messages.ts';
import { corePath } from './peek.ts';

/** How often it is looked whether this core serves, ms. */
const LOOK_MS = 100;
/** How long the others may take to say their metrics, ms: then those at hand are all. */
const METRICS_MS = 2_000;

type StartMessage = Extract<ToCore, { type: 'start' }>;
type Take = (socket: Socket, head: Buffer) => void;

class Core {
  readonly #takers = new Map<Door, Take>();
  readonly #asked = new Map<number, (body: string) => void>();
  readonly #coordinator = new IpcCoordinator({
    ...{ clock: systemClock, scheduler: systemScheduler },
    send: (call) => send(call),
  });
  readonly #giveUp = new AbortController();
  #nextId = 1;
  #othersNotReady: string | undefined = 'the other cores are starting';
  #node: RunningNode | undefined;
  #told: string | undefined = 'starting';

  receive(message: ToCore, socket: Socket | undefined): void {
    switch (message.type) {
      case 'start':
        void this.#start(message);
        return;
      case 'socket':
        send({ type: 'socketTaken', id: message.id });
        this.#take(message.door, socket, message.head);
        return;
      case 'others':
        this.#othersNotReady = message.notReady;
        return;
      case 'metrics':
        void this.#node?.renderMetrics().then(({ body }) => send({ type: 'metricsAre', id: message.id, body }));
        return;
      case 'allMetrics':
        this.#asked.get(message.id)?.(message.body);
        return;
      case 'stop':
        void this.#stop();
        return;
      case 'coordinatorAnswer':
        this.#coordinator.receive(message);
    }
  }

  async #start({ core, config, address, grpcAddress }: StartMessage): Promise<void> {
    const options: CoreOptions = {
      path: corePath(core),
      sockets: this.#handed('native', address),
      grpcSockets: grpcAddress === undefined ? undefined : this.#handed('grpc', grpcAddress),
      coordinator: config.cluster?.redis === undefined ? this.#coordinator : undefined,
      othersNotReady: () => this.#othersNotReady,
      allMetrics: (own) => this.#allMetrics(own),
    };
    const log = ofCore(createLogger(config.logLevel), core);
    try {
      this.#node = await startNode(config, { log, giveUp: this.#giveUp.signal, core: options });
    } catch (error) {
      if (this.#giveUp.signal.aborted) process.exit(0);
      const known = error instanceof NodeStartError ? error : undefined;
      const message = error instanceof Error ? error.message : String(error);
      send({ type: 'startFailed', kind: known?.kind ?? 'fault', message, hint: known?.hint ?? '' });
      return;
    }
    send({ type: 'started' });
    this.#look();
    setInterval(() => this.#look(), LOOK_MS);
  }

  async #stop(): Promise<void> {
    this.#giveUp.abort();
    await this.#node?.close();
    process.exit(0);
  }

  #take(door: Door, socket: Socket | undefined, head: string): void {
    // The peer may have gone while it was handed over.
    if (socket === undefined) return;
    const take = this.#takers.get(door);
    if (take === undefined) socket.destroy();
    else take(socket, Buffer.from(head, 'base64'));
  }

  #handed(door: Door, address: string): HandedSockets {
    return { address, onSocket: (take) => void this.#takers.set(door, take) };
  }

  #look(): void {
    const notReady = this.#node?.notReady();
    if (notReady === this.#told) return;
    this.#told = notReady;
    send({ type: 'standing', notReady });
  }

  #allMetrics(own: string): Promise<string> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const end = (body: string): void => {
        clearTimeout(timer);
        this.#asked.delete(id);
        resolve(body);
      };
      const timer = setTimeout(() => end(own), METRICS_MS);
      this.#asked.set(id, end);
      if (!send({ type: 'askMetrics', id, own })) end(own);
    });
  }
}

/** False: there is nobody any more. */
function send(message: FromCore): boolean {
  if (!process.connected) return false;
  // Without a callback a channel that closes meanwhile would be an uncaught error.
  process.send?.(message, undefined, undefined, () => {});
  return true;
}

/** Lines of all cores go to one place. */
function ofCore(log: Log, core: number): Log {
  const at =
    (name: keyof Log) =>
    (fields: LogFields, message: string): void =>
      log[name]({ core, ...fields }, message);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** The life of a core's process: until it is told to stop, or the process that started it is gone. */
export function runCore(): void {
  const core = new Core();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  // Its life is the channel's, also where something that was loaded before (`node --import`, which a fork inherits) has let go of it.
  process.channel?.ref();
  // What is on its way is as safe as in a crash; nobody would hand it connections any more.
  process.on('disconnect', () => process.exit(1));
  // The other side sends nothing else.
  process.on('message', (message, handle) => core.receive(message as ToCore, handle as Socket | undefined));
}
