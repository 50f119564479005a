// The client processes of the load generator, from outside: forked, connected, loaded, stopped. A client that fails fails the run.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { askInside } from './inside.ts';
import type { SystemProcess, Target } from './model.ts';
import type { Plan } from './plan.ts';
import type { LoadShape } from './report.ts';
import type { TakenSamples } from './samples.ts';
import { tell } from './tell.ts';

export type ToClient =
  | { readonly do: 'connect'; readonly target: Target }
  | {
      readonly do: 'load';
      readonly plan: Plan;
      readonly shape: LoadShape;
      /** This client, of how many. */
      readonly client: number;
      readonly clients: number;
    }
  | { readonly do: 'stop' }
  | { readonly do: 'end' };

export type FromClient =
  | { readonly say: 'connected' }
  /** `refused`: since the load began. */
  | ({ readonly say: 'samples'; readonly refused: number } & TakenSamples)
  /** @see Loop.notBegun */
  | { readonly say: 'done'; readonly notBegun: number }
  | { readonly say: 'failed'; readonly why: string };

export type Sink = (samples: TakenSamples) => void;

const CLIENT = fileURLToPath(new URL('./client-process.js', import.meta.url));
const END_MS = 5_000;

export class Clients {
  readonly #children: readonly ChildProcess[];
  /** Rejects when any client fails or dies. */
  readonly #failed: Promise<never>;
  #sink: Sink = () => {};
  #refused: number[] = [];
  #notBegun: number[] = [];
  #ending = false;

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
    this.#failed = new Promise((_, reject) => {
      children.forEach((child, client) => {
        child.on('message', (message) => this.#read(message as FromClient, client, reject));
        child.once('exit', (code, signal) => {
          if (!this.#ending) reject(new Error(`client process ${child.pid} ended with ${signal ?? `code ${code}`}`));
        });
      });
    });
    // Told to whoever waits for the clients next.
    this.#failed.catch(() => {});
  }

  /** @param count of client processes */
  static async connect(target: Target, count: number): Promise<Clients> {
    const children = Array.from({ length: count }, () => fork(CLIENT, { serialization: 'advanced' }));
    const clients = new Clients(children);
    try {
      await clients.#all({ do: 'connect', target }, 'connected');
      return clients;
    } catch (error) {
      await clients.close();
      throw error;
    }
  }

  get count(): number {
    return this.#children.length;
  }

  /** Of the load under way, or of the last one. */
  get refused(): number {
    return this.#refused.reduce((sum, each) => sum + each, 0);
  }

  /** Of the load that ended last: operations that were due and had not begun. */
  get notBegun(): number {
    return this.#notBegun.reduce((sum, each) => sum + each, 0);
  }

  processes(): readonly SystemProcess[] {
    return this.#children.map((child, i) => ({
      role: 'client',
      name: `client ${i + 1}`,
      pid: child.pid ?? -1,
      inside: () => askInside(child),
    }));
  }

  /** Begins a load. `done` resolves when all that began has ended with the right result, after `stop`; it rejects with the first that has not. */
  load(plan: Plan, shape: LoadShape, sink: Sink): { stop(): void; readonly done: Promise<void> } {
    this.#sink = sink;
    this.#refused = this.#children.map(() => 0);
    this.#notBegun = this.#children.map(() => 0);
    const clients = this.count;
    const done = this.#replies('done');
    for (const [client, child] of this.#children.entries()) {
      tell(child, { do: 'load', plan, shape, client, clients } satisfies ToClient);
    }
    return { stop: () => this.#tell({ do: 'stop' }), done };
  }

  /** Rejects when `work` does, or a client fails before. */
  unlessFailed<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failed]);
  }

  async close(): Promise<void> {
    this.#ending = true;
    this.#tell({ do: 'end' });
    await Promise.all(this.#children.map(gone));
  }

  #tell(message: ToClient): void {
    for (const child of this.#children) tell(child, message);
  }

  async #all(message: ToClient, reply: FromClient['say']): Promise<void> {
    const replies = this.#replies(reply);
    this.#tell(message);
    await replies;
  }

  #replies(reply: FromClient['say']): Promise<void> {
    const all = this.#children.map(
      (child) =>
        new Promise<void>((resolve) => {
          const read = (message: unknown): void => {
            if ((message as FromClient).say !== reply) return;
            child.off('message', read);
            resolve();
          };
          child.on('message', read);
        }),
    );
    const done = Promise.race([Promise.all(all).then(() => {}), this.#failed]);
    done.catch(() => {});
    return done;
  }

  #read(message: FromClient, client: number, reject: (error: Error) => void): void {
    if (message.say === 'failed') reject(new Error(`client ${client + 1}: ${message.why}`));
    if (message.say === 'done') this.#notBegun[client] = message.notBegun;
    if (message.say !== 'samples') return;
    this.#refused[client] = message.refused;
    this.#sink(message);
  }
}

async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    const late = setTimeout(() => child.kill('SIGKILL'), END_MS);
    child.once('exit', () => {
      clearTimeout(late);
      resolve();
    });
  });
}
