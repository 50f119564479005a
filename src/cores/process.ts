// One core as the process that started it sees it: started, started again when it ends by itself, told to stop. What it says goes to its owner.

import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Door, FromCore, ToCore } from './messages.ts';

/** Before a core that ended is started again, ms: doubled each time, up to the second. */
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 5_000;
/** Connections on their way to one core, which has not said yet that it has them. */
const MAX_UNDER_WAY = 10_000;
/** One that ran for so long did not end because of its start, ms. */
const STEADY_MS = 60_000;

export interface CoreEvents {
  message(core: CoreProcess, message: FromCore): void;
  /** It ended without having been told to; it is started again in `againInMs`. */
  died(core: CoreProcess, how: string, againInMs: number): void;
}

export interface CoreProcessOptions {
  readonly core: number;
  /** Of the command that runs a core: a module and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly start: Extract<ToCore, { type: 'start' }>;
  readonly events: CoreEvents;
}

export class CoreProcess {
  readonly core: number;
  readonly #options: CoreProcessOptions;
  #child: ChildProcess | undefined;
  #again: NodeJS.Timeout | undefined;
  /** Open here, too, until the core has them: they end with it if it dies before. By number. */
  readonly #underWay = new Map<number, Socket>();
  #nextId = 1;
  #begunAt = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #stopping = false;
  /** Why it does not serve; undefined when it does. */
  notReady: string | undefined = 'starting';

  constructor(options: CoreProcessOptions) {
    this.core = options.core;
    this.#options = options;
    this.#spawn();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isUp(): boolean {
    return this.#child?.connected ?? false;
  }

  /** False: it is not there. */
  send(message: ToCore): boolean {
    const child = this.#child;
    if (child?.connected !== true) return false;
    child.send(message, () => {});
    return true;
  }

  /** The connection is the core's from now on; it is destroyed when the core is not there. Nothing may be read of it any more. */
  hand(door: Door, socket: Socket, head: Buffer): void {
    const child = this.#child;
    if (child?.connected !== true || this.#underWay.size >= MAX_UNDER_WAY) {
      socket.destroy();
      return;
    }
    const id = this.#nextId++;
    this.#underWay.set(id, socket);
    const message: ToCore = { type: 'socket', id, door, head: head.toString('base64') };
    // Node sends one after the other, each once the last was received, and forgets those that wait when the process dies: so they are kept here.
    child.send(message, socket, { keepOpen: true }, (error) => {
      if (error !== null) this.taken(id);
    });
  }

  /** The core has it: it is closed here, and open there. */
  taken(id: number): void {
    this.#underWay.get(id)?.destroy();
    this.#underWay.delete(id);
  }

  /** Resolves when its process is gone: after it closed, or when `graceMs` are over. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#again);
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.send({ type: 'stop' });
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await gone;
    clearTimeout(timer);
  }

  #spawn(): void {
    const [module, ...args] = this.#options.command;
    this.#begunAt = performance.now();
    const child = fork(module, args, { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child = child;
    // Sent by the same build: FromCore.
    child.on('message', (message) => this.#options.events.message(this, message as FromCore));
    child.once('error', (error) => this.#ended(child, error.message));
    child.once('exit', (code, signal) => this.#ended(child, signal ?? `exit code ${code}`));
    this.send(this.#options.start);
  }

  #ended(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    for (const id of [...this.#underWay.keys()]) this.taken(id);
    this.notReady = 'it is being started again';
    if (this.#stopping) return;
    if (performance.now() - this.#begunAt > STEADY_MS) this.#pauseMs = FIRST_PAUSE_MS;
    const againInMs = this.#pauseMs;
    this.#pauseMs = Math.min(2 * againInMs, LAST_PAUSE_MS);
    this.#again = setTimeout(() => this.#spawn(), againInMs);
    this.#options.events.died(this, how, againInMs);
  }
}
