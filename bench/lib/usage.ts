// What `--help` and `--list` say.

import Table from 'cli-table3';
import type { Scenario } from './model.ts';

export const USAGE = `usage: npm run bench -- [scenario …] [options]

Without names: the scenarios that --list marks with "usual", or with --quick those marked with "quick" (three minutes at most).

options
  --quick            short: small counts, seconds of load
  --rate N           open loop: N begin per second, whatever becomes of those before; latency from when each should have begun
  --concurrency N    closed loop: N at a time
  --clients N        client processes (default 1; 2 on machines of 4 cores and more)
  --duration TIME    how long each load is measured: 30s, 10m, 2h
  --step             raise the load until the knee, then measure there
  --set NAME=N       a scenario's parameter (--list shows them); may be repeated
  --peer NAME        the same on another system, in turn A B A B: restate, dbos, temporal; may be repeated
  --address H:P      of --peer temporal: a server that runs already
  --json FILE        writes the report
  --baseline FILE    compares with such a report
  --list             scenarios and their parameters
  --help
`;

export function renderList(scenarios: readonly Scenario[]): string {
  const table = new Table({
    head: ['scenario', 'runs', 'shows', 'parameters: usual, quick'],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, runs, shows, parameters } of scenarios) {
    const list = Object.entries(parameters).map(
      ([key, { what, usual, quick }]) => `${key} ${usual}, ${quick}: ${what}`,
    );
    table.push([name, runs === 'quick' ? 'quick, usual' : runs, shows, list.join('\n')]);
  }
  return `${table.toString()}\n`;
}
