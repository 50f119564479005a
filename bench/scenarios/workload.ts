// A scenario that executes workflows of one kind, case after case on one fresh system. Most are that.

import { measure } from '../lib/measure.ts';
import type { Parameter, Scenario, ScenarioContext, WorkflowKind } from '../lib/model.ts';
import type { Path } from '../lib/multiples.ts';
import type { Measurement } from '../lib/report.ts';
import { shapeOf, withSystem } from '../lib/scenario.ts';

export interface Case {
  /** Empty where there is only one. */
  readonly name: string;
  readonly kind: WorkflowKind;
  readonly count: number;
  readonly payloadBytes?: number;
  readonly concurrency: number;
  readonly path?: Path;
}

export interface Workload extends Pick<Scenario, 'name' | 'shows' | 'runs'> {
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** A system must be able to run one of them; what it cannot is passed over. */
  readonly kinds: readonly WorkflowKind[];
  readonly cases: (parameter: (name: string) => number) => readonly Case[];
}

/** Payloads of a workload that is not about payloads: an id. */
const SMALL = 0;

export function workload({ kinds, cases, ...scenario }: Workload): Scenario {
  return {
    ...scenario,
    shapes: ['closed', 'open'],
    needs: kinds.slice(0, 1),
    run: async (context) => {
      const all = cases((name) => context.parameters[name] ?? 0);
      const able = all.filter(({ kind }) => context.system.kinds.includes(kind));
      return await withSystem(context, async (running, clients) => {
        const measurements: Measurement[] = [];
        for (const each of able)
          measurements.push(await measure(context, running, clients, specOf(scenario.name, each, context)));
        return measurements;
      });
    },
  };
}

function specOf(
  scenario: string,
  { name, kind, count, payloadBytes = SMALL, concurrency, path }: Case,
  context: ScenarioContext,
) {
  return {
    scenario,
    case: name,
    plan: (prefix: string) => ({ of: 'execute' as const, kind, prefix, count, payloadBytes }),
    shape: shapeOf(context.load, concurrency),
    path,
  };
}
