// Lanes of a campaign: in this process, or each in a process of its own, which is told a seed and answers with its result. The global clock and
// randomness are replaced while a seed runs, so one process runs one at a time.

import { fork } from 'node:child_process';
import type { Lane, SeedResult } from './campaign.ts';

/** The first argument of a process that serves a lane. */
export const LANE = '--lane';
/** ms a seed may take by the real clock: beyond it, it runs in circles. */
const SEED_MS = 600_000;
/** Short-lived objects of a whole world: a nursery of 64 MB is collected half as often as the usual one of 16. */
const NODE_OPTIONS = ['--enable-source-maps', '--max-semi-space-size=64'];

interface Done<R> {
  readonly result: R;
  readonly cpuMs: number;
}

export async function timed<R>(run: () => Promise<R>): Promise<Done<R>> {
  const before = process.cpuUsage();
  const result = await run();
  const { user, system } = process.cpuUsage(before);
  return { result, cpuMs: (user + system) / 1_000 };
}

export const hereLane = <R extends SeedResult>(one: (seed: number) => Promise<R>): Lane<R> => ({
  run: (seed) => timed(() => one(seed)),
  close: () => undefined,
});

/** In a process of its own: `script` with these arguments, which comes to `serveLane`. */
export function processLane<R extends SeedResult>(script: string, args: readonly string[]): Lane<R> {
  const child = fork(script, [LANE, ...args], {
    execArgv: NODE_OPTIONS,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let told: { resolve: (done: Done<R>) => void; reject: (error: Error) => void } | undefined;
  child.on('message', (done) => told?.resolve(done as Done<R>)); // serveLane's own word
  child.on('error', (error) => told?.reject(error));
  child.on('exit', (code, signal) =>
    told?.reject(new Error(`its process ended with ${signal ?? `exit code ${String(code)}`}`)),
  );
  return {
    run: (seed) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`it took longer than ${SEED_MS / 1_000} s`));
          child.kill('SIGKILL');
        }, SEED_MS);
        const over = (): void => {
          clearTimeout(timer);
          told = undefined;
        };
        told = {
          resolve: (done) => {
            over();
            resolve(done);
          },
          reject: (error) => {
            over();
            reject(error);
          },
        };
        child.send({ seed });
      }),
    close: () => {
      if (child.connected) child.disconnect();
    },
  };
}

/** Serves a lane until nobody is there to be served. */
export function serveLane<R extends SeedResult>(one: (seed: number) => Promise<R>): void {
  // What ends a campaign by hand ends it there: it lets this one finish its seed.
  process.on('SIGINT', () => undefined);
  process.on('disconnect', () => process.exit(0));
  process.on('message', (told) => {
    const { seed } = told as { seed: number }; // processLane's own word
    timed(() => one(seed)).then(
      (done) => process.send?.(done),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
