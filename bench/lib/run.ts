// A run: floors, then each scenario on each system, in turn A B A B where there are several, so that a machine that drifts drifts for all.

import { turnsOf } from '../peers/turns.ts';
import { type Flags, UsageError } from './flags.ts';
import type { Progress, Scenario, ScenarioContext, System } from './model.ts';
import { type Floors, type Measurement, REPORT_SCHEMA, type Report } from './report.ts';

export interface RunParts {
  readonly flags: Pick<Flags, 'scenarios' | 'mode' | 'load' | 'set'>;
  /** Tenuto first. */
  readonly systems: readonly System[];
  readonly floors: Floors;
  readonly machine: Report['machine'];
  readonly progress: Progress;
}

export interface Failure {
  readonly scenario: string;
  readonly system: string;
  readonly error: unknown;
}

/** Rounds when several systems take turns. */
const ROUNDS = { quick: 2, usual: 3 };

/** One failed scenario does not end the run; it is told, and the run's exit code is 1. */
export async function runAll(parts: RunParts): Promise<{ report: Report; failures: readonly Failure[] }> {
  const { flags, systems, floors, machine, progress } = parts;
  const date = new Date().toISOString();
  const measurements: Measurement[] = [];
  const failures: Failure[] = [];
  for (const scenario of flags.scenarios) {
    const able = systems.filter((system) => canRun(system, scenario));
    for (const { system, round } of turnsOf(able, ROUNDS[flags.mode])) {
      try {
        const made = await scenario.run(contextOf(scenario, system, parts));
        measurements.push(...made.map((measurement) => ({ ...measurement, round })));
      } catch (error) {
        if (error instanceof UsageError) throw error;
        failures.push({ scenario: scenario.name, system: labelOf(system), error });
        progress.say(`${scenario.name} on ${labelOf(system)} failed`);
      }
    }
  }
  const versions = {
    node: process.version,
    ...Object.fromEntries(systems.map(({ name, version }) => [name, version])),
  };
  return {
    report: { schema: REPORT_SCHEMA, date, mode: flags.mode, machine, versions, floors, measurements },
    failures,
  };
}

function labelOf({ name, variant }: System): string {
  return variant === undefined ? name : `${name} (${variant})`;
}

function canRun({ name, kinds }: System, { needs }: Scenario): boolean {
  return needs === 'tenuto' ? name === 'tenuto' : needs.every((kind) => kinds.includes(kind));
}

function contextOf(scenario: Scenario, system: System, { flags, floors, progress }: RunParts): ScenarioContext {
  const { mode, load, set } = flags;
  const parameters = Object.entries(scenario.parameters).map(([name, parameter]): [string, number] => [
    name,
    set.get(name) ?? (mode === 'quick' ? parameter.quick : parameter.usual),
  ]);
  return { system, parameters: Object.fromEntries(parameters), load, mode, floors, progress };
}
