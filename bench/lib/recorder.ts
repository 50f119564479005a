// Makes figures of what clients note: rates by window while a load warms up, then latency and rate of the measured time. Instants are epoch ms.
// An operation counts for the rate when it ends in the measured time, and for latency when it should have begun in it, so that what a stalled
// system has not answered when the time is over is still waited for and counted.

import { LatencyHistogram } from './histogram.ts';
import type { Latency } from './report.ts';
import type { TakenSamples } from './samples.ts';

export const WINDOW_MS = 400;
const SECOND_MS = 1_000;
/** What clients noted may be under way for so long. */
const LAG_MS = 300;

export interface SecondFigures {
  readonly perSecond: number;
  readonly p50Ms?: number | undefined;
  readonly p99Ms?: number | undefined;
}

export interface Recorded {
  readonly done: number;
  readonly seconds: number;
  readonly latency: Latency | undefined;
  readonly perSecond: readonly SecondFigures[];
}

export class Recorder {
  readonly #beganAtMs: number;
  readonly #windows: number[] = [];
  readonly #histogram = new LatencyHistogram();
  readonly #ended: number[] = [];
  readonly #seconds: SecondFigures[] = [];
  readonly #second = new LatencyHistogram();
  #waiting: [secondEndedIn: number, us: number][] = [];
  #fromMs = Number.POSITIVE_INFINITY;
  #untilMs = Number.POSITIVE_INFINITY;
  #done = 0;
  #total = 0;

  constructor(beganAtMs: number) {
    this.#beganAtMs = beganAtMs;
  }

  /** All operations so far, measured or not. */
  get total(): number {
    return this.#total;
  }

  /** Operations that ended in each whole window since the beginning. */
  windows(nowMs: number): readonly number[] {
    const whole = Math.max(0, Math.floor((nowMs - LAG_MS - this.#beganAtMs) / WINDOW_MS));
    return Array.from({ length: whole }, (_, i) => this.#windows[i] ?? 0);
  }

  measureFrom(ms: number): void {
    this.#fromMs = ms;
  }

  measureUntil(ms: number): void {
    this.#untilMs = ms;
  }

  take({ beganAtMs, endedAtMs }: TakenSamples): void {
    for (let i = 0; i < endedAtMs.length; i += 1) this.#add(beganAtMs[i] ?? 0, endedAtMs[i] ?? 0);
  }

  /** Figures of the seconds that are over and were not told yet. */
  secondsOver(nowMs: number): readonly SecondFigures[] {
    const told = this.#seconds.length;
    const over = Math.floor((Math.min(nowMs - LAG_MS, this.#untilMs) - this.#fromMs) / SECOND_MS);
    for (let n = told; n < over; n += 1) this.#seconds.push(this.#figuresOf(n));
    return this.#seconds.slice(told);
  }

  result(): Recorded {
    this.secondsOver(Number.POSITIVE_INFINITY);
    return {
      done: this.#done,
      seconds: (this.#untilMs - this.#fromMs) / SECOND_MS,
      latency: this.#histogram.toLatency(),
      perSecond: this.#seconds,
    };
  }

  #add(beganAtMs: number, endedAtMs: number): void {
    this.#total += 1;
    const window = Math.floor((endedAtMs - this.#beganAtMs) / WINDOW_MS);
    if (window >= 0) this.#windows[window] = (this.#windows[window] ?? 0) + 1;
    const us = (endedAtMs - beganAtMs) * 1000;
    if (beganAtMs >= this.#fromMs && beganAtMs < this.#untilMs) this.#histogram.record(us);
    if (endedAtMs < this.#fromMs || endedAtMs >= this.#untilMs) return;
    this.#done += 1;
    const second = Math.floor((endedAtMs - this.#fromMs) / SECOND_MS);
    this.#ended[second] = (this.#ended[second] ?? 0) + 1;
    this.#waiting.push([second, us]);
  }

  #figuresOf(second: number): SecondFigures {
    this.#second.reset();
    const later: [number, number][] = [];
    for (const sample of this.#waiting) {
      if (sample[0] === second) this.#second.record(sample[1]);
      else if (sample[0] > second) later.push(sample);
    }
    this.#waiting = later;
    const perSecond = this.#ended[second] ?? 0;
    if (this.#second.count === 0) return { perSecond };
    return { perSecond, p50Ms: this.#second.atMs(50), p99Ms: this.#second.atMs(99) };
  }
}
