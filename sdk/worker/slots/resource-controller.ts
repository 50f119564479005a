// Says whether the machine has room for one more task: memory and processors, each below its target and not on the way past it. One controller may
// serve several workers. Used by the resource-based slot supplier.
//
// A proportional-derivative controller in effect: what decides is where usage will be one sample on, if it goes on as it just did.

import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { ValueError } from '../../common/errors.ts';

export interface ResourceBasedTunerOptions {
  /** 0..1 of the memory that the process may use: the machine's, or its container's. */
  targetMemoryUsage: number;
  /** 0..1 of all processors. */
  targetCpuUsage: number;
}

/** What a process sees of its machine. */
export interface ResourceReading {
  /** 0..1. */
  memoryUsage: number;
  /** ms that all processors together have worked, and have passed for them, since the machine started. */
  cpuBusyMs: number;
  cpuTotalMs: number;
}

/** Not more often looked at, ms: processor times move in steps of 10. */
const SAMPLE_MS = 100;
/** How much of a new sample of the processors counts: the rest is what was before. */
const CPU_SMOOTHING = 0.3;

/** Coordinates slots by resources; see {@link ResourceBasedTunerOptions}. */
export class ResourceBasedController {
  readonly #targets: ResourceBasedTunerOptions;
  readonly #read: () => ResourceReading;
  readonly #clock: () => number;
  #sampledAt = Number.NEGATIVE_INFINITY;
  #last: ResourceReading | undefined;
  #memory = { now: 0, before: 0 };
  #cpu = { now: 0, before: 0 };

  private constructor(targets: ResourceBasedTunerOptions, read: () => ResourceReading, clock: () => number) {
    this.#targets = targets;
    this.#read = read;
    this.#clock = clock;
  }

  /** @throws ValueError for a target that is not within 0..1. */
  static create(options: ResourceBasedTunerOptions): ResourceBasedController {
    return ResourceBasedController.over(options, readMachine, () => performance.now());
  }

  /** @internal For tests: the machine and the time (monotonic ms) given. */
  static over(
    options: ResourceBasedTunerOptions,
    read: () => ResourceReading,
    clock: () => number,
  ): ResourceBasedController {
    const { targetMemoryUsage, targetCpuUsage } = options;
    for (const [name, target] of Object.entries({ targetMemoryUsage, targetCpuUsage })) {
      if (!(target >= 0 && target <= 1)) throw new ValueError(`${name} must be within 0 and 1, got ${target}`);
    }
    return new ResourceBasedController({ targetMemoryUsage, targetCpuUsage }, read, clock);
  }

  /** Whether there is room for one more task now. */
  hasRoom(): boolean {
    this.#sample();
    return heading(this.#memory) < this.#targets.targetMemoryUsage && heading(this.#cpu) < this.#targets.targetCpuUsage;
  }

  #sample(): void {
    const now = this.#clock();
    if (now - this.#sampledAt < SAMPLE_MS) return;
    this.#sampledAt = now;
    const reading = this.#read();
    const last = this.#last;
    this.#last = reading;
    if (last === undefined) {
      this.#memory = { now: reading.memoryUsage, before: reading.memoryUsage };
      return;
    }
    this.#memory = { now: reading.memoryUsage, before: this.#memory.now };
    const passedMs = reading.cpuTotalMs - last.cpuTotalMs;
    if (passedMs <= 0) return;
    const busy = (reading.cpuBusyMs - last.cpuBusyMs) / passedMs;
    this.#cpu = { now: this.#cpu.now + CPU_SMOOTHING * (busy - this.#cpu.now), before: this.#cpu.now };
  }
}

/** Where it will be one sample on, if it rises as it just did; what falls is taken as it is. */
function heading({ now, before }: { now: number; before: number }): number {
  return now + Math.max(0, now - before);
}

function readMachine(): ResourceReading {
  let cpuBusyMs = 0;
  let cpuTotalMs = 0;
  for (const { times } of cpus()) {
    cpuBusyMs += times.user + times.nice + times.sys + times.irq;
    cpuTotalMs += times.user + times.nice + times.sys + times.irq + times.idle;
  }
  // Where the system tells no times of its processors, the process's own are what there is.
  if (cpuTotalMs === 0) {
    const { user, system } = process.cpuUsage();
    cpuBusyMs = (user + system) / 1000;
    cpuTotalMs = performance.now() * availableParallelism();
  }
  return { memoryUsage: memoryUsage(), cpuBusyMs, cpuTotalMs };
}

/** Of a container's limit where there is one. */
function memoryUsage(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  const total = limit > 0 && limit < totalmem() ? limit : totalmem();
  const available = process.availableMemory?.() ?? freemem();
  return Math.min(1, Math.max(0, 1 - available / total));
}
