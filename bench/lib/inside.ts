// What only a process itself knows: garbage collection and event-loop delay. Workers and clients of the bench answer over IPC, nodes of Tenuto
// through `/metrics`.

import type { ChildProcess } from 'node:child_process';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import type { InsideFigures } from './model.ts';
import { tell } from './tell.ts';

const ASK = 'bench: inside?';
const PATIENCE_MS = 10_000;
const DELAY_RESOLUTION_MS = 5;

/** In the child: answers its parent from now on. */
export function answerInside(): void {
  let gcMs = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) gcMs += duration;
  }).observe({ entryTypes: ['gc'] });
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  process.on('message', (message) => {
    if (message !== ASK) return;
    // What is measured includes the wait for the timer itself.
    const eventLoopDelayP99Ms = Math.max(0, delay.percentile(99) / 1e6 - DELAY_RESOLUTION_MS);
    delay.reset();
    process.send?.({ inside: { gcMs, eventLoopDelayP99Ms } });
  });
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
