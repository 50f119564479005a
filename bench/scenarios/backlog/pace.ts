// How a stretch of many goes: rates and CPU of its first and its last tenth, between which shows what grows with the depth, and memory.

import type { Progress } from '../../lib/model.ts';
import { usageOf } from '../../lib/proc.ts';
import type { Measurement } from '../../lib/report.ts';

type Figures = Measurement['figures'];

const PARTS = 10;
const SAMPLE_MS = 500;
const US_PER_S = 1e6;

/** Memory of the largest node, CPU of all. */
export class NodesWatch {
  readonly #pids: () => readonly number[];
  readonly #timer: NodeJS.Timeout;
  #peakMiB = 0;

  /** @param pids those of now */
  constructor(pids: () => readonly number[]) {
    this.#pids = pids;
    this.#timer = setInterval(() => this.rssAnonMiB(), SAMPLE_MS);
  }

  rssAnonMiB(): number {
    const mib = this.#largest(({ rssAnonMiB }) => rssAnonMiB);
    this.#peakMiB = Math.max(this.#peakMiB, mib);
    return mib;
  }

  rssMiB(): number {
    return this.#largest(({ rssMiB }) => rssMiB);
  }

  /** NaN where the kernel does not say. */
  cpuS(): number {
    return this.#pids().reduce((sum, pid) => sum + (usageOf(pid)?.cpuS ?? Number.NaN), 0);
  }

  /** The most since it was asked last. */
  takePeakMiB(): number {
    const peak = this.#peakMiB;
    this.#peakMiB = 0;
    return peak;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #largest(read: (usage: NonNullable<ReturnType<typeof usageOf>>) => number): number {
    return Math.max(
      0,
      ...this.#pids().map((pid) => {
        const usage = usageOf(pid);
        return usage === undefined ? 0 : read(usage);
      }),
    );
  }
}

interface Part {
  readonly perSecond: number;
  readonly cpuUs: number;
}

export class Pace {
  readonly #total: number;
  readonly #watch: NodesWatch;
  readonly #progress: Progress;
  readonly #begunMs = performance.now();
  readonly #cpuAtFirstS: number;
  readonly #parts: Part[] = [];
  #partCpuS: number;
  #partFrom = 0;
  #partBegunMs = this.#begunMs;
  #lastMs = this.#begunMs;

  constructor(total: number, watch: NodesWatch, progress: Progress) {
    this.#total = total;
    this.#watch = watch;
    this.#progress = progress;
    this.#cpuAtFirstS = watch.cpuS();
    this.#partCpuS = this.#cpuAtFirstS;
    watch.takePeakMiB();
  }

  get seconds(): number {
    return (this.#lastMs - this.#begunMs) / 1000;
  }

  /** So many are done. */
  at(count: number): void {
    this.#lastMs = performance.now();
    if (count < Math.ceil((this.#total * (this.#parts.length + 1)) / PARTS)) return;
    const cpuS = this.#watch.cpuS();
    const done = count - this.#partFrom;
    const perSecond = (done * 1000) / (this.#lastMs - this.#partBegunMs);
    const cpuUs = ((cpuS - this.#partCpuS) * US_PER_S) / done;
    this.#parts.push({ perSecond, cpuUs });
    this.#partFrom = count;
    this.#partCpuS = cpuS;
    this.#partBegunMs = this.#lastMs;
    const [rate, cost, mib] = [perSecond, cpuUs, this.#watch.rssAnonMiB()].map((value) => value.toFixed(0));
    this.#progress.tick(`${count}: ${rate}/s, ${cost} µs of CPU each, RssAnon ${mib} MiB`);
  }

  figures(): Figures {
    const [first, last] = [this.#parts[0], this.#parts.at(-1)];
    const figure = (name: string, value: number | undefined, unit: string) => ({
      name,
      value: value ?? Number.NaN,
      unit,
    });
    return [
      figure('rate', this.#total / this.seconds, '/s'),
      figure('rate, first tenth', first?.perSecond, '/s'),
      figure('rate, last tenth', last?.perSecond, '/s'),
      figure('CPU of all nodes, each', ((this.#watch.cpuS() - this.#cpuAtFirstS) * US_PER_S) / this.#total, 'µs'),
      figure('CPU each, first tenth', first?.cpuUs, 'µs'),
      figure('CPU each, last tenth', last?.cpuUs, 'µs'),
      figure('RssAnon, peak', this.#watch.takePeakMiB(), 'MiB'),
    ];
  }
}
