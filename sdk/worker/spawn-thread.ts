// Starts workflow threads: node:worker_threads running runtime/thread. From the package's built files the entry is loaded as it is;
// from its sources (the project's own tests) it is bundled first, because a thread of Node 20 cannot load TypeScript.

import { Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';
import { BusyWatch, newBusyMark } from './busy-mark.ts';
import {
  answerWhetherToPatch,
  isPatchQuestion,
  newPatchAnswer,
  type PatchActivationCallback,
  type PatchQuestion,
} from './patch-activation.ts';
import type { ThreadEvents, ThreadFactory, ThreadPort } from './ports.ts';
import { type Batch, packBatch, unpackBatch } from './thread-batch.ts';
import type { FromWorkflowThread, SpareThread, ToWorkflowThread, WorkflowThreadOptions } from './thread-protocol.ts';

/**
 * What is young in a workflow thread: two halves of 32 MiB instead of 16. An execution's objects live as long as it is warm, a second or so under
 * load, and are copied from half to half meanwhile (decision 0006).
 */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 96 };

let sourceBundle: string | undefined;

function spawn(workerData: WorkflowThreadOptions | SpareThread): Worker {
  if (!import.meta.url.endsWith('.ts')) {
    return new Worker(new URL('./runtime/thread.js', import.meta.url), { workerData, resourceLimits: RESOURCE_LIMITS });
  }
  sourceBundle ??= bundleEntry(new URL('./runtime/thread.ts', import.meta.url));
  // The flags of a test runner are not the thread's.
  return new Worker(sourceBundle, { workerData, eval: true, execArgv: [], resourceLimits: RESOURCE_LIMITS });
}

function bundleEntry(entry: URL): string {
  const { outputFiles } = buildSync({
    entryPoints: [entry.pathname],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: 'inline',
    external: ['esbuild', 'msgpackr-extract'],
    define: { 'import.meta.url': JSON.stringify(entry.href) },
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

/** The part of a node:worker_threads Worker that is used: the package's types need no types of Node. */
export interface StartedThread {
  postMessage(value: unknown, transfer?: readonly ArrayBuffer[]): void;
  on(event: 'message', listener: (message: Batch<FromWorkflowThread> | PatchQuestion) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  terminate(): unknown;
}

/** A thread that has started before its code is known: half of what loading new code takes. For code that changes (dev/). */
export class SpareThreads {
  #spare: Worker | undefined;

  /** There will be one to take. */
  prepare(): void {
    if (this.#spare !== undefined) return;
    const spare = spawn({ spare: true });
    spare.unref();
    // One that ends before it is used is not used.
    const forget = (): void => {
      if (this.#spare === spare) this.#spare = undefined;
    };
    spare.once('error', forget).once('exit', forget);
    this.#spare = spare;
  }

  take(options: WorkflowThreadOptions): StartedThread | undefined {
    const spare = this.#spare;
    if (spare === undefined) return undefined;
    this.#spare = undefined;
    spare.ref();
    spare.postMessage(options);
    return spare;
  }

  close(): void {
    void this.#spare?.terminate();
  }
}

/** What threads are started with, and what the main thread answers them. */
export interface ThreadsOptions extends Omit<WorkflowThreadOptions, 'busyMark' | 'patchAnswer'> {
  patchActivationCallback?: PatchActivationCallback | undefined;
}

/** Threads that run the workflows of one bundle. */
export function workflowThreads(
  { patchActivationCallback, ...options }: ThreadsOptions,
  spares?: Pick<SpareThreads, 'take'>,
): ThreadFactory {
  return (events: ThreadEvents): ThreadPort => {
    const busyMark = newBusyMark();
    const watch = new BusyWatch(busyMark);
    const patchAnswer = patchActivationCallback === undefined ? undefined : newPatchAnswer();
    const started: WorkflowThreadOptions = { ...options, busyMark, patchAnswer };
    const worker: StartedThread = spares?.take(started) ?? spawn(started);
    worker.on('message', (message) => {
      if (!isPatchQuestion(message)) events.onMessages(unpackBatch(message));
      else if (patchActivationCallback !== undefined && patchAnswer !== undefined) {
        answerWhetherToPatch(patchActivationCallback, patchAnswer, message);
      }
    });
    worker.on('error', (error: Error) => events.onExit(error));
    worker.on('exit', (code) => events.onExit(new Error(`it exited with code ${code}`)));
    return {
      post: (messages: ToWorkflowThread[]) => {
        const { value, transfer } = packBatch(messages);
        worker.postMessage(value, transfer);
      },
      busy: (now) => watch.look(now, processCpuMs()),
      terminate: () => void worker.terminate(),
    };
  };
}

function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
