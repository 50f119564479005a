// One supervised process: started, waited for, killed on purpose, restarted when it died otherwise, and ended politely.
// The child leads a process group of its own, so that Ctrl-C reaches the supervisor alone and it decides the order of the end.

import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, readFileSync, type WriteStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { asChildMessage, type ChildMessage } from './messages.ts';

export interface ChildSpec {
  name: string;
  /** Script and arguments, for this same Node.js. */
  args: readonly string[];
  cwd: string;
  /** Gets stdout and stderr of all its lives. */
  logFile: string;
  env?: Readonly<Record<string, string>>;
  /** Resolves when the process serves; the default is its `ready` message. Aborted when the process died first. */
  ready?: (signal: AbortSignal) => Promise<void>;
}

export interface ChildEvents {
  message(child: Child, message: ChildMessage): void;
  /** It died and nobody here asked for that; it is being restarted. */
  died(child: Child, how: string): void;
  /** It came up again. */
  revived(child: Child): void;
  /** It keeps dying and is not started any more. */
  lost(child: Child, why: Error): void;
}

type State = 'down' | 'starting' | 'up' | 'ending';

/** A process that does not become ready in this time is broken, not slow. */
const READY_PATIENCE_MS = 30_000;
const END_PATIENCE_MS = 8_000;
/** Starts without a life of `STEADY_MS` between them before it is given up: what cannot run should be looked at. */
const MAX_STARTS_IN_A_ROW = 6;
const STEADY_MS = 2_000;
/** Lines of its log that are shown when it cannot start. */
const LAST_WORDS = 8;

export class ChildFailedError extends Error {
  override readonly name = 'ChildFailedError';
}

export class Child {
  readonly spec: ChildSpec;
  readonly #events: ChildEvents;
  readonly #preload: string;
  readonly #log: WriteStream;
  #process: ChildProcess | undefined;
  #gone: Promise<void> = Promise.resolve();
  #state: State = 'down';
  #killedOnPurpose = false;
  #startsInARow = 0;
  #upSince = 0;

  /** @param preload URL of the module that ends the child when this process is gone */
  constructor(spec: ChildSpec, preload: string, events: ChildEvents) {
    this.spec = spec;
    this.#preload = preload;
    this.#events = events;
    this.#log = createWriteStream(spec.logFile, { flags: 'a' });
  }

  get name(): string {
    return this.spec.name;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  /** Starts the process and resolves when it serves. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, ['--import', this.#preload, ...this.spec.args], {
      cwd: this.spec.cwd,
      env: { ...process.env, ...this.spec.env },
      detached: true,
      windowsHide: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#process = child;
    this.#state = 'starting';
    this.#killedOnPurpose = false;
    child.stdout?.pipe(this.#log, { end: false });
    child.stderr?.pipe(this.#log, { end: false });

    const died = new AbortController();
    let how = '';
    this.#gone = new Promise((resolve) => {
      child.once('error', (error) => {
        how = error.message;
        died.abort();
        resolve();
      });
      child.once('exit', (code, signal) => {
        how = signal ? `killed by ${signal}` : `exited with code ${code}`;
        died.abort();
        resolve();
        this.#onExit(child, how);
      });
    });
    const said = new Promise<void>((resolve) => {
      child.on('message', (value) => {
        const message = asChildMessage(value);
        if (message?.kind === 'ready') resolve();
        if (message) this.#events.message(this, message);
      });
    });

    const patience = AbortSignal.timeout(READY_PATIENCE_MS);
    const stop = AbortSignal.any([died.signal, patience]);
    const failed = new Promise<never>((_, reject) => {
      const fail = () => {
        const what = patience.aborted
          ? `was not ready within ${READY_PATIENCE_MS / 1000} s`
          : `${how} before it was ready`;
        reject(new ChildFailedError(`${this.name} ${what}; its log: ${this.spec.logFile}${this.#lastWords()}`));
      };
      stop.addEventListener('abort', fail, { once: true });
    });
    // The race may be over long before the patience is: its late rejection concerns nobody.
    failed.catch(() => {});
    await Promise.race([this.spec.ready ? this.spec.ready(stop) : said, failed]);
    // An end asked for meanwhile stands.
    if (this.#process === child && this.#state === 'starting') {
      this.#state = 'up';
      this.#upSince = Date.now();
    }
  }

  /** Starts it again after `kill`, as often as it takes. */
  async restart(): Promise<void> {
    let why = new ChildFailedError(`${this.name} keeps dying right after its start; its log: ${this.spec.logFile}`);
    while (this.#state === 'down') {
      if (this.#startsInARow >= MAX_STARTS_IN_A_ROW) return this.#events.lost(this, why);
      await sleep(50 * 2 ** this.#startsInARow);
      this.#startsInARow += 1;
      if (this.#state !== 'down') return;
      try {
        await this.start();
        this.#events.revived(this);
      } catch (error) {
        if (error instanceof ChildFailedError) why = error;
      }
    }
  }

  /** SIGKILL, as a crash would. Resolves when the process is gone; it is not restarted. */
  async kill(): Promise<void> {
    this.#killedOnPurpose = true;
    this.#startsInARow = 0;
    this.#process?.kill('SIGKILL');
    await this.#gone;
  }

  /** SIGTERM, and SIGKILL for one that does not listen. */
  async end(): Promise<void> {
    this.#state = 'ending';
    const child = this.#process;
    if (child && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), END_PATIENCE_MS);
      await this.#gone;
      clearTimeout(late);
    }
    await new Promise<void>((resolve) => this.#log.end(resolve));
  }

  /** For the supervisor's own death throes. */
  killNow(): void {
    this.#state = 'ending';
    this.#process?.kill('SIGKILL');
  }

  /** The end of its log, indented: usually it says there what is wrong. */
  #lastWords(): string {
    const lines = readFileSync(this.spec.logFile, 'utf8').trimEnd().split('\n').slice(-LAST_WORDS);
    return lines.map((line) => `\n    ${line}`).join('');
  }

  #onExit(child: ChildProcess, how: string): void {
    if (this.#process !== child || this.#state === 'ending') return;
    const wasUp = this.#state === 'up';
    this.#state = 'down';
    if (wasUp && Date.now() - this.#upSince >= STEADY_MS) this.#startsInARow = 0;
    if (this.#killedOnPurpose || !wasUp) return;
    this.#events.died(this, how);
    void this.restart();
  }
}
