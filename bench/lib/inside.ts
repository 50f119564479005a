// What only a process itself knows: garbage collection and event-loop delay. Workers and clients of the bench answer over IPC, nodes of Tenuto
// through `/metrics`.

import type { ChildProcess } from 'node:child_process';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { BroadcastChannel } from 'node:worker_threads';
import type { InsideFigures } from './model.ts';
import { tell } from './tell.ts';

const ASK = 'bench: inside?';
const PATIENCE_MS = 10_000;
const DELAY_RESOLUTION_MS = 5;

/** Between the threads of one process: the main thread asks, the others say that they are there, and answer. */
export const THREADS = 'bench: inside';
export interface ToThread {
  readonly ask: number;
}
export interface FromThread {
  readonly thread: number;
  readonly answers?: number;
  readonly figures?: InsideFigures;
}
/** A thread that has not answered by then has ended, or is stuck. */
const THREAD_PATIENCE_MS = 1_000;

/** In a thread: sums from now on, and the delay since they were taken last. */
export function collect(): () => InsideFigures {
  let gcMs = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) gcMs += duration;
  }).observe({ entryTypes: ['gc'] });
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  return () => {
    // What is measured includes the wait for the timer itself.
    const eventLoopDelayP99Ms = Math.max(0, delay.percentile(99) / 1e6 - DELAY_RESOLUTION_MS);
    delay.reset();
    return { gcMs, eventLoopDelayP99Ms };
  };
}

/** In the child: answers its parent from now on, for all of its threads that have inside-thread.ts in them. */
export function answerInside(): void {
  const own = collect();
  const threads = new Threads();
  process.on('message', (message) => {
    if (message !== ASK) return;
    const figures = own();
    void threads.ask().then((others) => process.send?.({ inside: together([figures, ...others]) }));
  });
}

/** Collecting of all of them, and the worst delay. */
export const together = (figures: readonly InsideFigures[]): InsideFigures => ({
  gcMs: figures.reduce((sum, { gcMs = 0 }) => sum + gcMs, 0),
  eventLoopDelayP99Ms: Math.max(...figures.map(({ eventLoopDelayP99Ms = 0 }) => eventLoopDelayP99Ms)),
});

/** The other threads of this process, as the main one knows them. */
class Threads {
  readonly #channel = new BroadcastChannel(THREADS);
  /** What each said last: sums go on, also of one that has ended. */
  readonly #last = new Map<number, InsideFigures>();
  readonly #there = new Set<number>();
  #asked = 0;
  #answered: () => void = () => {};
  #open = new Set<number>();

  constructor() {
    this.#channel.onmessage = (event) => {
      // Only inside-thread.ts sends to it.
      const { thread, answers, figures } = (event as { data: FromThread }).data;
      this.#there.add(thread);
      if (figures === undefined) return;
      this.#last.set(thread, figures);
      if (answers === this.#asked && this.#open.delete(thread) && this.#open.size === 0) this.#answered();
    };
    this.#channel.unref();
  }

  async ask(): Promise<readonly InsideFigures[]> {
    if (this.#there.size === 0) return [];
    this.#asked += 1;
    this.#open = new Set(this.#there);
    const all = new Promise<void>((resolve) => {
      this.#answered = resolve;
    });
    this.#channel.postMessage({ ask: this.#asked } satisfies ToThread);
    const late = new AbortController();
    await Promise.race([all, sleep(THREAD_PATIENCE_MS, undefined, { signal: late.signal }).catch(() => {})]);
    late.abort();
    for (const thread of this.#open) {
      this.#there.delete(thread);
      this.#last.set(thread, { ...this.#last.get(thread), eventLoopDelayP99Ms: 0 });
    }
    return [...this.#last.values()];
  }
}

/** In the parent. A child that is gone has no figures. */
export function askInside(child: ChildProcess): Promise<InsideFigures> {
  if (!child.connected) return Promise.resolve({});
  return new Promise((resolve, reject) => {
    const done = (figures: InsideFigures): void => {
      clearTimeout(late);
      child.off('message', read);
      child.off('exit', gone);
      resolve(figures);
    };
    const read = (message: unknown): void => {
      // Only `answerInside` sends such a message.
      if (typeof message === 'object' && message !== null && 'inside' in message) done(message.inside as InsideFigures);
    };
    const gone = (): void => done({});
    const late = setTimeout(() => {
      reject(new Error(`process ${child.pid} did not tell its figures in ${PATIENCE_MS} ms`));
      done({});
    }, PATIENCE_MS);
    child.on('message', read);
    child.once('exit', gone);
    tell(child, ASK);
  });
}

/** Of a node's `/metrics`, or of those of several cores together: their sums, and the worst delay. */
export function insideOfMetrics(text: string): InsideFigures {
  let gcS: number | undefined;
  const figures: { -readonly [name in keyof InsideFigures]: InsideFigures[name] } = {};
  for (const line of text.split('\n')) {
    const value = Number(line.slice(line.lastIndexOf(' ') + 1));
    // Known, and none yet.
    if (line.startsWith('# TYPE nodejs_gc_duration_seconds ')) gcS ??= 0;
    switch (/^[a-z0-9_]+(?=[ {])/.exec(line)?.[0]) {
      case 'nodejs_gc_duration_seconds_sum':
        gcS = (gcS ?? 0) + value;
        break;
      case 'tenuto_store_fsyncs_total':
        figures.fsyncs = (figures.fsyncs ?? 0) + value;
        break;
      case 'tenuto_engine_refused_total':
        figures.refused = (figures.refused ?? 0) + value;
        break;
      case 'nodejs_eventloop_lag_p99_seconds':
        // prom-client measures with a resolution of 10 ms, and includes it.
        figures.eventLoopDelayP99Ms = Math.max(figures.eventLoopDelayP99Ms ?? 0, value * 1000 - 10);
    }
  }
  return gcS === undefined ? figures : { ...figures, gcMs: gcS * 1000 };
}
