// Workflow code that changes while a worker runs: each version loaded is a generation with threads of its own. A run goes on in the generation it is
// pinned to, everything else in the newest. The worker sees one thread in each place, as ever; which generation a message is for is decided here.

import { IllegalStateError } from '../../common/errors.ts';
import { assertNever } from '../../common/type-helpers.ts';
import type { BusyLook } from '../busy-mark.ts';
import { type ThreadEvents, type ThreadFactory, type ThreadPort, tokenKey } from '../ports.ts';
import type { WorkflowBundle } from '../runtime/bundle.ts';
import type { FromWorkflowThread, ToWorkflowThread } from '../thread-protocol.ts';

/** A run that was there when new code was loaded. */
export interface PinnedRun {
  readonly workflowId: string;
  readonly runId: string;
}

/** How long threads may take to load new code, ms: an endless loop in a module is noticed. */
const LOAD_MS = 10_000;

export class Generations {
  readonly #make: (bundle: WorkflowBundle) => ThreadFactory;
  readonly #factories = new Map<number, ThreadFactory>();
  readonly #pins = new Map<string, PinnedRun & { generation: number }>();
  readonly #ports = new Set<GenerationsPort>();
  #newest = 1;
  /** Being loaded, and nobody's yet. */
  #incoming: number | undefined;

  constructor(make: (bundle: WorkflowBundle) => ThreadFactory, first: WorkflowBundle) {
    this.#make = make;
    this.#factories.set(1, make(first));
  }

  /** What the worker makes its threads with. */
  readonly factory: ThreadFactory = (events) => {
    const port = new GenerationsPort(this, events, () => this.#ports.delete(port));
    this.#ports.add(port);
    return port;
  };

  get newest(): number {
    return this.#newest;
  }

  /** Where a run's next task goes. */
  of(runId: string): number {
    return this.#pins.get(runId)?.generation ?? this.#newest;
  }

  threadsOf(generation: number): ThreadFactory {
    const factory = this.#factories.get(generation);
    if (factory === undefined) throw new IllegalStateError(`Generation ${generation} of the workflow code was retired`);
    return factory;
  }

  /**
   * Loads new code. From when this resolves runs that begin are its; those that some thread knows, and those listed, stay in their generation until
   * they are moved.
   *
   * @returns the runs that were pinned.
   * @throws Error when the code does not load: everything goes on as before.
   */
  async load(bundle: WorkflowBundle, running: readonly PinnedRun[]): Promise<PinnedRun[]> {
    const generation = Math.max(...this.#factories.keys()) + 1;
    this.#factories.set(generation, this.#make(bundle));
    this.#incoming = generation;
    try {
      await Promise.all([...this.#ports].map((port) => port.load(generation)));
    } catch (error) {
      for (const port of this.#ports) port.retire(generation);
      this.#factories.delete(generation);
      throw error;
    } finally {
      this.#incoming = undefined;
    }
    for (const run of [...running, ...[...this.#ports].flatMap((port) => port.runs)]) {
      if (!this.#pins.has(run.runId)) this.#pins.set(run.runId, { ...run, generation: this.#newest });
    }
    this.#newest = generation;
    return [...this.#pins.values()];
  }

  /** Workflow tasks that the run has been given so far, in this process. */
  tasksOf(runId: string): number {
    return [...this.#ports].reduce((sum, port) => sum + port.tasksOf(runId), 0);
  }

  /** The run goes on in the newest generation. `busy`: not now, it works on a task. */
  move(runId: string): 'moved' | 'busy' {
    for (const port of this.#ports) if (port.isBusy(runId)) return 'busy';
    this.#pins.delete(runId);
    for (const port of this.#ports) port.forget(runId);
    return 'moved';
  }

  /** The run is closed. */
  closed(runId: string): void {
    this.#pins.delete(runId);
    this.retireUnused();
  }

  /** Ends the threads of generations that nobody is pinned to any more. */
  retireUnused(): void {
    const used = new Set([...[...this.#pins.values()].map(({ generation }) => generation), this.#newest]);
    for (const generation of [...this.#factories.keys()]) {
      if (
        generation === this.#incoming ||
        used.has(generation) ||
        [...this.#ports].some((port) => port.worksIn(generation))
      )
        continue;
      for (const port of this.#ports) port.retire(generation);
      this.#factories.delete(generation);
    }
  }
}

/** What a port knows of a run it was given tasks of. */
interface Known {
  workflowId: string;
  generation: number;
  tasks: number;
}

class GenerationsPort implements ThreadPort {
  readonly #generations: Generations;
  readonly #events: ThreadEvents;
  readonly #ended: () => void;
  readonly #ports = new Map<number, ThreadPort>();
  /** By token: tasks being worked on. */
  readonly #working = new Map<string, { runId: string; generation: number }>();
  readonly #runs = new Map<string, Known>();
  readonly #loading = new Map<number, (error?: Error) => void>();

  constructor(generations: Generations, events: ThreadEvents, ended: () => void) {
    this.#generations = generations;
    this.#events = events;
    this.#ended = ended;
    this.#start(generations.newest);
  }

  get runs(): PinnedRun[] {
    return Array.from(this.#runs, ([runId, { workflowId }]) => ({ workflowId, runId }));
  }

  tasksOf(runId: string): number {
    return this.#runs.get(runId)?.tasks ?? 0;
  }

  isBusy(runId: string): boolean {
    for (const working of this.#working.values()) if (working.runId === runId) return true;
    return false;
  }

  worksIn(generation: number): boolean {
    for (const working of this.#working.values()) if (working.generation === generation) return true;
    return false;
  }

  load(generation: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => end(new Error(`The workflow code did not load within ${LOAD_MS} ms`)), LOAD_MS);
      const end = (error?: Error): void => {
        clearTimeout(timer);
        this.#loading.delete(generation);
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#loading.set(generation, end);
      this.#start(generation);
    });
  }

  /** A warm execution would hide that the run lives elsewhere now. */
  forget(runId: string): void {
    const known = this.#runs.get(runId);
    if (known === undefined) return;
    this.#ports.get(known.generation)?.post([{ type: 'evict', runId, reason: 'its code was loaded anew' }]);
    this.#runs.delete(runId);
  }

  retire(generation: number): void {
    this.#ports.get(generation)?.terminate();
    this.#ports.delete(generation);
    for (const [runId, known] of this.#runs) {
      if (known.generation !== generation) continue;
      this.#runs.delete(runId);
      this.#events.onMessages([{ type: 'evicted', runId }]);
    }
  }

  post(messages: ToWorkflowThread[]): void {
    for (const message of messages) for (const generation of this.#addressees(message)) this.#send(generation, message);
  }

  busy(now: number): BusyLook | undefined {
    for (const port of this.#ports.values()) {
      const busy = port.busy(now);
      if (busy !== undefined) return busy;
    }
    return undefined;
  }

  terminate(): void {
    for (const port of this.#ports.values()) port.terminate();
    this.#ports.clear();
    this.#ended();
  }

  #send(generation: number, message: ToWorkflowThread): void {
    const port = this.#ports.get(generation) ?? this.#start(generation);
    port.post([message]);
  }

  #addressees(message: ToWorkflowThread): number[] {
    switch (message.type) {
      case 'task': {
        const { workflowId, runId, token } = message.task;
        const generation = this.#generations.of(runId);
        this.#working.set(tokenKey(token), { runId, generation });
        this.#runs.set(runId, { workflowId, generation, tasks: this.tasksOf(runId) + 1 });
        return [generation];
      }
      case 'history':
      case 'historyFailed':
      case 'heartbeatDue': {
        const working = this.#working.get(tokenKey(message.token));
        return working === undefined ? [] : [working.generation];
      }
      case 'localActivityResolved':
      case 'evict': {
        const known = this.#runs.get(message.runId);
        return known === undefined ? [] : [known.generation];
      }
      case 'close':
        return [...this.#ports.keys()];
      default:
        return assertNever('Unknown message', message);
    }
  }

  #start(generation: number): ThreadPort {
    const port: ThreadPort = this.#generations.threadsOf(generation)({
      onMessages: (messages) => this.#onMessages(generation, messages),
      // Not of one that was ended here.
      onExit: (error) => this.#ports.get(generation) === port && this.#onExit(generation, error),
    });
    this.#ports.set(generation, port);
    return port;
  }

  #onMessages(generation: number, messages: FromWorkflowThread[]): void {
    const own = messages.filter((message) => this.#isForOwner(generation, message));
    if (own.length > 0) this.#events.onMessages(own);
  }

  #isForOwner(generation: number, message: FromWorkflowThread): boolean {
    switch (message.type) {
      case 'ready': {
        const loaded = this.#loading.get(generation);
        loaded?.();
        // The worker waits for its first threads only.
        return loaded === undefined;
      }
      case 'completed':
        this.#working.delete(tokenKey(message.request.token));
        // Not kept warm: it closed, or nothing is.
        if (!message.request.sticky) this.#closed(message.runId);
        return true;
      case 'failed':
        this.#working.delete(tokenKey(message.request.token));
        return true;
      case 'queryAnswered':
        this.#working.delete(tokenKey(message.token));
        return true;
      case 'evicted':
        // It may be warm in another generation by now.
        if (this.#runs.get(message.runId)?.generation !== generation) return false;
        if (!this.isBusy(message.runId)) this.#runs.delete(message.runId);
        return true;
      default:
        return true;
    }
  }

  #closed(runId: string): void {
    this.#runs.delete(runId);
    this.#generations.closed(runId);
  }

  #onExit(generation: number, error: Error): void {
    this.#ports.delete(generation);
    const loading = this.#loading.get(generation);
    if (loading !== undefined) loading(error);
    else {
      this.terminate();
      this.#events.onExit(error);
    }
  }
}
