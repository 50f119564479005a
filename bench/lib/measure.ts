// A load that is measured: at the shape that was asked for, or stepped up to its knee first. Makes the measurement that the report holds.

import type { Clients } from './clients.ts';
import { kneeOf, nextStep } from './knee.ts';
import { type LoadSpec, runLoad, type Times } from './load.ts';
import type { RunningSystem, ScenarioContext } from './model.ts';
import { multiplesOf } from './multiples.ts';
import type { LoadShape, Measurement, Step } from './report.ts';

const USUAL: Times = { warmUpMostMs: 10_000, measuredMs: 15_000 };
const QUICK: Times = { warmUpMostMs: 2_000, measuredMs: 2_000 };
const STEP: Times = { warmUpMostMs: 2_500, measuredMs: 4_000 };

/** @throws Error when a result is wrong, missing, or a process dies */
export async function measure(
  context: ScenarioContext,
  running: RunningSystem,
  clients: Clients,
  spec: LoadSpec,
): Promise<Measurement> {
  const { load, mode, system, floors, parameters } = context;
  const usual = mode === 'quick' ? QUICK : USUAL;
  const times = {
    warmUpMostMs: atMost(load.durationMs, usual.warmUpMostMs),
    measuredMs: load.durationMs ?? usual.measuredMs,
  };
  const first = load.concurrency === undefined ? lowest(spec.shape) : spec.shape;
  const steps = load.step === 'no' ? [] : await stepUp(context, running, clients, { ...spec, shape: first });
  const shape = steps.length === 0 ? spec.shape : (kneeOf(steps) ?? steps[0])?.shape;
  if (shape === undefined) throw new Error('a load needs a shape');
  const measured = await runLoad(context, running, clients, { ...spec, shape }, times);
  const { recorded } = measured;
  const perSecond = recorded.done / recorded.seconds;
  const knew = steps.length === 0 || kneeOf(steps) !== undefined;
  return {
    scenario: spec.scenario,
    case: spec.case ?? '',
    system: { name: system.name, version: system.version, variant: system.variant },
    round: 1,
    parameters: { ...parameters },
    shape,
    ...(steps.length > 0 && { load: 'at its knee' }),
    clients: clients.count,
    operation: spec.operation ?? 'workflow',
    counts: { warmUp: measured.warmUp, done: recorded.done, all: measured.all, refused: clients.refused },
    seconds: recorded.seconds,
    perSecond,
    latency: recorded.latency,
    roles: [...measured.roles],
    series: [...measured.series],
    multiples: multiplesOf(floors, spec.path, { latency: recorded.latency, perSecond }),
    steady: measured.steady,
    steps,
    figures: [],
    notes: [
      ...(knew ? [] : ['the first step was past the knee already']),
      ...(measured.notBegun === 0
        ? []
        : [
            `${measured.notBegun.toLocaleString('en-US')} operations were due when the load ended and had not begun: so many are open already that a client begins no more, and how long these would have waited is not in the latencies`,
          ]),
      ...(recorded.done > 0 ? [] : ['nothing ended in the measured time; all of it ended later']),
    ],
  };
}

const atMost = (durationMs: number | undefined, usualMs: number): number => Math.min(usualMs, durationMs ?? usualMs);

/** Where a closed load begins that is to grow: a curve has more than its end. */
function lowest(shape: LoadShape): LoadShape {
  return shape.kind === 'open' ? shape : { ...shape, concurrency: Math.max(1, shape.concurrency >> 4) };
}

async function stepUp(
  context: ScenarioContext,
  running: RunningSystem,
  clients: Clients,
  spec: LoadSpec,
): Promise<Step[]> {
  const { durationMs } = context.load;
  const times = {
    warmUpMostMs: atMost(durationMs, STEP.warmUpMostMs),
    measuredMs: atMost(durationMs, STEP.measuredMs),
  };
  const steps: Step[] = [];
  for (let shape = nextStep(spec.shape, steps); shape !== undefined; shape = nextStep(spec.shape, steps)) {
    const { recorded } = await runLoad(context, running, clients, { ...spec, shape, during: undefined }, times);
    const { latency } = recorded;
    steps.push({
      shape,
      perSecond: recorded.done / recorded.seconds,
      p50Ms: latency?.p50Ms ?? 0,
      p99Ms: latency?.p99Ms ?? 0,
      refused: clients.refused,
    });
  }
  return steps;
}
