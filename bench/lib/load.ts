// One load on a running system: warm up until the rate is steady, measure, let everything that began end. What began and has no right result fails it.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Clients } from './clients.ts';
import type { Progress, RunningSystem, ScenarioContext } from './model.ts';
import type { Path } from './multiples.ts';
import type { Plan } from './plan.ts';
import { type Recorded, Recorder } from './recorder.ts';
import { describeShape, type LoadShape, type Measurement, type Point, type RoleFigures } from './report.ts';
import { isSteady } from './steady.ts';
import { Watch } from './watch.ts';

export interface LoadSpec {
  readonly scenario: string;
  /** Default: the scenario has one only. */
  readonly case?: string;
  /** What is counted. Default: workflows. */
  readonly operation?: string;
  /** For each load a plan of its own: ids are used once. */
  readonly plan: (load: string) => Plan | Promise<Plan>;
  readonly shape: LoadShape;
  readonly path?: Path | undefined;
  /** Operations before the measured time, however steady the load is before: what is compared by CPU must have compiled all it will. */
  readonly warmUpLeast?: number | undefined;
  /** Happens while the last load is measured, from its beginning on; ends before the measured time does. */
  readonly during?: (() => Promise<void>) | undefined;
  /** Told after each load how many operations it had, all of them ended well, and how long that took from the first to the last. */
  readonly onAll?: ((operations: number, seconds: number) => void) | undefined;
}

export interface Times {
  readonly warmUpMostMs: number;
  readonly measuredMs: number;
}

const LOOK_MS = 100;
const SECOND_MS = 1_000;
/** A closed loop of a slow system is measured longer, by so much at most, until each of its lanes has ended so many operations on average: fewer tell
 * where the waves of the beginning happen to break, not how fast it is. */
const ENOUGH_PER_LANE = 2;
/** So many are enough, however many lanes there are. */
const ENOUGH = 1_000;
const LONGER_MOST_MS = 45_000;
/** A system that is too slow for the operations it was to warm up with is measured after so long. */
const LEAST_MOST_MS = 120_000;
/** What began is given so long to end after the last one began. */
const DRAIN_MS = 240_000;

const nowMs = (): number => performance.timeOrigin + performance.now();

export interface LoadResult {
  readonly recorded: Recorded;
  /** Operations before the measured time. */
  readonly warmUp: number;
  readonly all: number;
  /** @see Loop.notBegun */
  readonly notBegun: number;
  readonly roles: readonly RoleFigures[];
  readonly series: readonly Point[];
  readonly steady: Measurement['steady'];
}

let loads = 0;

export async function runLoad(
  { progress }: ScenarioContext,
  running: RunningSystem,
  clients: Clients,
  { scenario, case: which = '', plan, shape, warmUpLeast = 0, during, onAll }: LoadSpec,
  { warmUpMostMs, measuredMs }: Times,
): Promise<LoadResult> {
  loads += 1;
  const name = which === '' ? scenario : `${scenario}, ${which}`;
  progress.say(`${name}: ${describeShape(shape)}`);
  const planned = await plan(`${scenario}-${loads}`);
  const beganAtMs = nowMs();
  const recorder = new Recorder(beganAtMs);
  const watch = new Watch(() => [...running.processes(), ...clients.processes()]);
  const load = clients.load(planned, shape, (samples) => recorder.take(samples));
  const parts = { clients, recorder, watch, progress };
  const steady = await warmUp(parts, warmUpMostMs, warmUpLeast);

  await clients.unlessFailed(watch.begin());
  const before = recorder.total;
  recorder.measureFrom(nowMs());
  const happening = during?.() ?? Promise.resolve();
  // Awaited when the time is over.
  happening.catch(() => {});
  const enough = before + (shape.kind === 'closed' ? Math.min(ENOUGH, ENOUGH_PER_LANE * shape.concurrency) : 0);
  const ticks = await measuredTime(parts, measuredMs, enough);
  await clients.unlessFailed(happening);
  recorder.measureUntil(nowMs());
  load.stop();
  // Of the measured time only: what ends later costs too, but is not counted.
  const rolesOf = await clients.unlessFailed(watch.end());

  progress.tick('waiting for the last results');
  await ended(load.done);
  onAll?.(recorder.total, (nowMs() - beganAtMs) / 1000);
  const recorded = recorder.result();
  return {
    recorded,
    warmUp: before,
    all: recorder.total,
    notBegun: clients.notBegun,
    roles: rolesOf(recorded.done),
    series: recorded.perSecond.map((second, i) => ({ atS: i + 1, ...second, roles: ticks[i] ?? [] })),
    steady,
  };
}

interface Parts {
  readonly clients: Clients;
  readonly recorder: Recorder;
  readonly watch: Watch;
  readonly progress: Progress;
}

async function warmUp(
  { clients, recorder, progress }: Parts,
  mostMs: number,
  least: number,
): Promise<LoadResult['steady']> {
  const beganAtMs = nowMs();
  while (recorder.total < least || !isSteady(recorder.windows(nowMs()))) {
    const forMs = nowMs() - beganAtMs;
    if (forMs >= mostMs && (recorder.total >= least || forMs >= LEAST_MOST_MS)) return 'never';
    await clients.unlessFailed(sleep(LOOK_MS));
    progress.tick(`warming up, ${recorder.total} done`);
  }
  return { afterS: (nowMs() - beganAtMs) / 1000 };
}

/** Returns what the processes did in each second. @param enough operations, from the beginning of the load */
async function measuredTime(
  { clients, recorder, watch, progress }: Parts,
  forMs: number,
  enough: number,
): Promise<Point['roles'][]> {
  const fromMs = nowMs();
  const isOver = (atMs: number): boolean =>
    atMs > fromMs + forMs && (recorder.total >= enough || atMs > fromMs + forMs + LONGER_MOST_MS);
  const until = (atMs: number): Promise<void> => clients.unlessFailed(sleep(Math.max(0, atMs - nowMs())));
  const ticks: Point['roles'][] = [];
  for (let atMs = fromMs + SECOND_MS; !isOver(atMs); atMs += SECOND_MS) {
    await until(atMs);
    ticks.push(watch.tick());
    const [last] = recorder.secondsOver(nowMs()).slice(-1);
    if (last === undefined) continue;
    const p99 = last.p99Ms === undefined ? '' : `, p99 ${last.p99Ms.toFixed(1)} ms`;
    progress.tick(`${ticks.length} s: ${last.perSecond}/s${p99}`);
  }
  await until(fromMs + forMs);
  return ticks;
}

async function ended(done: Promise<void>): Promise<void> {
  let late: NodeJS.Timeout | undefined;
  const bound = new Promise<never>((_, reject) => {
    late = setTimeout(
      () => reject(new Error(`results are missing ${DRAIN_MS / 1000} s after the last operation began`)),
      DRAIN_MS,
    );
  });
  try {
    await Promise.race([done, bound]);
  } finally {
    clearTimeout(late);
  }
}
