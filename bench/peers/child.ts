// A process of a peer: its last words kept for error messages, ended with the bench whatever happens.

import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { atEnd } from '../lib/at-end.ts';
import type { Command } from './isolation.ts';

const TAIL_CHARACTERS = 4_000;
const END_MS = 10_000;
const LOOK_MS = 20;

export class Child {
  readonly process: ChildProcess;
  readonly #name: string;
  readonly #forget: () => void;
  #tail = '';

  private constructor(name: string, process: ChildProcess) {
    this.#name = name;
    this.process = process;
    this.#forget = atEnd(() => process.kill('SIGKILL'));
    const read = (chunk: Buffer): void => {
      this.#tail = (this.#tail + chunk.toString()).slice(-TAIL_CHARACTERS);
    };
    process.stdout?.on('data', read);
    process.stderr?.on('data', read);
    process.once('error', (error) => read(Buffer.from(`${error.message}\n`)));
  }

  /** @param options.env in addition to ours
   * @param options.ipc `yes`: it can send messages */
  static spawn(
    name: string,
    { command, args }: Command,
    options: { readonly env?: Readonly<Record<string, string>>; readonly ipc: 'yes' | 'no' },
  ): Child {
    const child = spawn(command, args, {
      env: { ...process.env, ...options.env },
      stdio: options.ipc === 'yes' ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
    });
    return new Child(name, child);
  }

  get pid(): number {
    return this.process.pid ?? -1;
  }

  get #gone(): string | undefined {
    const { pid, exitCode, signalCode } = this.process;
    if (pid === undefined) return 'could not be started';
    if (exitCode !== null) return `ended with code ${exitCode}`;
    return signalCode === null ? undefined : `ended by ${signalCode}`;
  }

  /** Asks until `ready` resolves with true; what it throws counts as no. @throws Error with the last words of the process */
  async until(ready: () => Promise<boolean>, withinMs: number): Promise<void> {
    const giveUpAtMs = performance.now() + withinMs;
    let why: unknown;
    for (;;) {
      try {
        if (await ready()) return;
      } catch (error) {
        why = error;
      }
      if (this.#gone !== undefined) throw new Error(`${this.#name} ${this.#gone}${this.#lastWords()}`);
      if (performance.now() > giveUpAtMs)
        throw new Error(`${this.#name} was not ready after ${withinMs} ms${this.#lastWords()}`, { cause: why });
      await sleep(LOOK_MS);
    }
  }

  /** Its first message. @throws Error with the last words of the process */
  async message(withinMs: number): Promise<unknown> {
    let got: { readonly message: unknown } | undefined;
    this.process.once('message', (message) => {
      got = { message };
    });
    await this.until(async () => got !== undefined, withinMs);
    return got?.message;
  }

  /** That it ends of itself, with code 0. @throws Error with its last words */
  async success(withinMs: number): Promise<void> {
    const giveUpAtMs = performance.now() + withinMs;
    while (this.#gone === undefined) {
      if (performance.now() > giveUpAtMs)
        throw new Error(`${this.#name} did not end in ${withinMs} ms${this.#lastWords()}`);
      await sleep(LOOK_MS);
    }
    if (this.process.exitCode !== 0) throw new Error(`${this.#name} ${this.#gone}${this.#lastWords()}`);
  }

  async stop(): Promise<void> {
    if (this.#gone === undefined) {
      const exited = new Promise((resolve) => this.process.once('exit', resolve));
      const late = setTimeout(() => this.process.kill('SIGKILL'), END_MS);
      this.process.kill('SIGTERM');
      await exited;
      clearTimeout(late);
    }
    this.#forget();
  }

  #lastWords(): string {
    return this.#tail.trim() === '' ? '' : `; its last words:\n${this.#tail.trim()}`;
  }
}
