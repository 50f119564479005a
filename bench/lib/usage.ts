// What `--help` and `--list` say.

import type { Scenario } from './model.ts';

const WHEN: Readonly<Record<Scenario['runs'], string>> = {
  quick: 'quick, usual',
  usual: 'usual',
  asked: 'only by name',
};

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
  --address H:P      of --peer temporal: a server that runs already (default: a Tenuto node of its own, by its gRPC door)
  --json FILE        writes the report
  --html FILE        writes the report as a page: one file that needs nothing else
  --baseline FILE    compares with such a report
  --list             scenarios and their parameters
  --help
`;

/** By when they run: with `--quick`, without it, or only by name. */
export function renderList(scenarios: readonly Scenario[]): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return scenarios
    .map(({ name, runs, shows, parameters }) => {
      const list = Object.entries(parameters).map(
        ([key, { what, usual, quick }]) => `${' '.repeat(width + 2)}--set ${key}=${usual}  ${what} (quick: ${quick})`,
      );
      return [`${name.padEnd(width)}  ${shows} [${WHEN[runs]}]`, ...list].join('\n');
    })
    .join('\n')
    .concat('\n');
}
