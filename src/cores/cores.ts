// Several cores as one server: the process that listens, starts a node per core, hands connections to them, coordinates them where there is no Redis,
// and takes them down together. It holds no data and decides nothing about it: a core that ends is started again, and the others serve on meanwhile.

import type { Socket } from 'node:net';
import { answerCoordinatorCall } from '../../cluster/ownership/ipc/serve.ts';
import { MemoryCoordinatorServer } from '../../cluster/ownership/memory/server.ts';
import { ConfigError, type NodeConfig } from '../config/config.ts';
import { NodeStartError, startErrorOf } from '../node-errors.ts';
import type { Log } from '../ports/log.ts';
import { systemClock } from '../runtime/index.ts';
import { coreConfigs } from './config.ts';
import { DoorListener } from './doors.ts';
import { checkLayout } from './layout.ts';
import type { Door, FromCore, ToCore } from './messages.ts';
import { mergeExpositions } from './metrics.ts';
import { CoreProcess } from './process.ts';

/** Beyond the grace that each core gives its clients, ms. */
const CLOSE_MS = 5_000;
/** How long cores may take to say their metrics, ms. */
const METRICS_MS = 1_500;

export interface CoresOptions {
  readonly log: Log;
  /** Of the command that runs a core: a module and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** Aborted: the start is given up. */
  readonly giveUp: AbortSignal;
}

interface MetricsRound {
  readonly bodies: Map<number, string>;
  readonly end: () => void;
}

export class Cores {
  readonly #config: NodeConfig;
  readonly #options: CoresOptions;
  readonly #coordinator = new MemoryCoordinatorServer(systemClock);
  readonly #cores: CoreProcess[] = [];
  readonly #doors: DoorListener[] = [];
  readonly #rounds = new Map<number, MetricsRound>();
  readonly #starting = new Map<number, { started: () => void; failed: (error: Error) => void }>();
  #nextRound = 1;
  #turn = 0;
  #closing: Promise<void> | undefined;
  address: string | undefined;
  grpcAddress: string | undefined;

  private constructor(config: NodeConfig, options: CoresOptions) {
    this.#config = config;
    this.#options = options;
  }

  /**
   * All cores serve when this resolves, unless they wait for others of their cluster.
   *
   * @throws NodeStartError with one line for people and a hint; ConfigError for what several cores cannot serve
   */
  static async start(config: NodeConfig, options: CoresOptions): Promise<Cores> {
    const cores = new Cores(config, options);
    try {
      await cores.#start();
      return cores;
    } catch (error) {
      await cores.close();
      throw error instanceof ConfigError ? error : startErrorOf(error, config.listen);
    }
  }

  /** Why not all of it serves; undefined when all does. */
  notReady(): string | undefined {
    return this.#whyNot(undefined);
  }

  /** Resolves when every core is gone. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #start(): Promise<void> {
    const { cores: count, dataDirectory } = this.#config;
    const configOf = coreConfigs(this.#config);
    if (dataDirectory !== undefined) checkLayout(dataDirectory, count);
    await this.#listen();
    const { address = '', grpcAddress } = this;
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    const started = numbers.map(
      (core) => new Promise<void>((resolve, reject) => this.#starting.set(core, { started: resolve, failed: reject })),
    );
    for (const core of numbers) {
      const start = { type: 'start', core, config: configOf(core), address, grpcAddress } as const;
      this.#cores.push(new CoreProcess({ core, command: this.#options.command, start, events: this.#events }));
    }
    const givenUp = new Promise<never>((_, reject) => {
      const end = (): void => reject(new NodeStartError('fault', 'the start was given up', 'Start it again.'));
      this.#options.giveUp.addEventListener('abort', end, { once: true });
    });
    await Promise.race([Promise.all(started), givenUp]);
  }

  async #listen(): Promise<void> {
    const { listen, grpc, tls } = this.#config;
    if (listen === undefined) throw new NodeStartError('config', 'cores have nowhere to listen', 'Set listen.port.');
    const encryption = tls === undefined ? 'plain' : 'tls';
    const open = async (door: Door, { ip, port }: { ip: string; port: number }): Promise<string> => {
      const hand = (wanted: number | 'any', socket: Socket, head: Buffer): void => {
        const core = this.#coreFor(wanted);
        if (core === undefined) socket.destroy();
        else core.hand(door, socket, head);
      };
      const listener = await DoorListener.listen({ door, ip, port, tls: encryption, hand });
      this.#doors.push(listener);
      return listener.address;
    };
    this.address = await open('native', listen);
    if (grpc === undefined) return;
    try {
      this.grpcAddress = await open('grpc', grpc);
    } catch (error) {
      const taken = error instanceof NodeStartError && error.kind === 'portTaken';
      if (!taken || grpc.whenTaken === 'refuse') throw error;
      // Who starts it at a terminal is told there.
      this.#options.log.info({ port: grpc.port }, 'no gRPC door: its port is taken by another process');
    }
  }

  /** The one that is named; for `any` the next in turn, of those that serve if any does. Undefined while there is none yet. */
  #coreFor(wanted: number | 'any'): CoreProcess | undefined {
    const named = this.#cores.find(({ core }) => core === wanted);
    if (named !== undefined) return named;
    const serving = this.#cores.filter(({ notReady }) => notReady === undefined);
    const up = serving.length > 0 ? serving : this.#cores.filter(({ isUp }) => isUp);
    const among = up.length > 0 ? up : this.#cores;
    return among[this.#turn++ % among.length];
  }

  readonly #events = {
    message: (core: CoreProcess, message: FromCore): void => this.#message(core, message),
    died: (core: CoreProcess, how: string, againInMs: number): void => {
      this.#options.log.error({ core: core.core, how, againInMs }, 'a core ended by itself and is started again');
      this.#tellStandings();
    },
  };

  #message(core: CoreProcess, message: FromCore): void {
    switch (message.type) {
      case 'coordinatorCall':
        core.send(answerCoordinatorCall(this.#coordinator, message));
        return;
      case 'started':
        this.#options.log.info({ core: core.core, pid: core.pid }, 'a core started');
        this.#starting.get(core.core)?.started();
        return;
      case 'startFailed':
        this.#startFailed(core, message);
        return;
      case 'standing':
        core.notReady = message.notReady;
        this.#tellStandings();
        return;
      case 'socketTaken':
        core.taken(message.id);
        return;
      case 'askMetrics':
        void this.#metrics(core, message.own).then((body) => core.send({ type: 'allMetrics', id: message.id, body }));
        return;
      case 'metricsAre': {
        const round = this.#rounds.get(message.id);
        round?.bodies.set(core.core, message.body);
        if (round?.bodies.size === this.#cores.length) round.end();
      }
    }
  }

  /** At the first start everything ends with it; later the core is tried again, as if it had died. */
  #startFailed(core: CoreProcess, { kind, message, hint }: Extract<FromCore, { type: 'startFailed' }>): void {
    // Said by a NodeStartError of this build: `kind` is one of its kinds.
    const error = new NodeStartError(kind as NodeStartError['kind'], `core ${core.core}: ${message}`, hint);
    this.#starting.get(core.core)?.failed(error);
    this.#options.log.error({ core: core.core, hint }, `a core could not start: ${message}`);
    core.send({ type: 'stop' });
  }

  #tellStandings(): void {
    for (const core of this.#cores) {
      const message: ToCore = { type: 'others', notReady: this.#whyNot(core) };
      core.send(message);
    }
  }

  #whyNot(except: CoreProcess | undefined): string | undefined {
    const idle = this.#cores.find((core) => core !== except && core.notReady !== undefined);
    return idle && `core ${idle.core}: ${idle.notReady}`;
  }

  /** Those of all cores that answer in time. */
  async #metrics(asking: CoreProcess, own: string): Promise<string> {
    const id = this.#nextRound++;
    const bodies = new Map([[asking.core, own]]);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, METRICS_MS);
      const end = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#rounds.set(id, { bodies, end });
      const asked = this.#cores.filter((core) => core !== asking && core.send({ type: 'metrics', id }));
      if (asked.length === 0) end();
    });
    this.#rounds.delete(id);
    return mergeExpositions(new Map([...bodies].sort(([a], [b]) => a - b)));
  }

  async #shutDown(): Promise<void> {
    for (const door of this.#doors) door.close();
    await Promise.all(this.#cores.map((core) => core.stop(this.#config.shutdownGraceMs + CLOSE_MS)));
  }
}
