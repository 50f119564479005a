// The server of a run: a real process on a directory of its own, which can be killed as by a crash and started again on the same ports.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const READY = /Tenuto is ready on ([^\s,]+), gRPC on ([^\s,]+),/;
/** A port that was just given back may be someone else's for a moment. */
const RESTARTS = 100;
const RESTART_EVERY_MS = 100;

export class ServerProcess {
  readonly #main: string;
  readonly #directory: string;
  #child: ChildProcess | undefined;
  #address = '127.0.0.1:0';
  #grpcAddress = '127.0.0.1:0';

  /** @param main the `tenuto` command's script */
  constructor(main: string, directory: string) {
    this.#main = main;
    this.#directory = directory;
    // However this process ends, the server ends with it.
    process.once('exit', () => this.#child?.kill('SIGKILL'));
  }

  /** `host:port` of the native door. */
  get address(): string {
    return this.#address;
  }

  /** `host:port` of the gRPC door. */
  get grpcAddress(): string {
    return this.#grpcAddress;
  }

  /** Resolves when it serves: at first on free ports, later on the same ones. */
  async start(): Promise<void> {
    const ports = ['--port', portOf(this.#address), '--grpc-port', portOf(this.#grpcAddress)];
    const args = [this.#main, 'server', 'start-dev', '--data-dir', this.#directory, ...ports];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    for await (const line of createInterface({ input: child.stdout })) {
      const [, address, grpcAddress] = READY.exec(line) ?? [];
      if (address === undefined || grpcAddress === undefined) continue;
      this.#address = address;
      this.#grpcAddress = grpcAddress;
      return;
    }
    throw new Error('the server ended before it was ready');
  }

  /** SIGKILL, and up again. */
  async killAndRestart(): Promise<void> {
    await this.#end('SIGKILL');
    for (let tried = 1; ; tried += 1) {
      try {
        return await this.start();
      } catch (error) {
        if (tried === RESTARTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, RESTART_EVERY_MS));
      }
    }
  }

  async close(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }
}

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(':') + 1);
}
