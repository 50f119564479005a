// `npm run sim -- --seeds N [--seed S] [--trace] [--bug NAME]`: runs seeds, says how fast, what was reached, and what failed.
// With `--replication`: of the replication protocol alone.

import { parseArgs } from 'node:util';
import { BUGS, isBug } from './bugs.ts';
import { clusterMain } from './cluster/main.ts';
import { makeRealm } from './realm.ts';
import { replicationMain } from './replication/main.ts';
import { type SeedReport, simulate } from './simulate.ts';

const USAGE = `Usage: npm run sim -- [options]

  --seeds N    how many seeds to run (default 100)
  --seed S     the first seed (default 1); alone: only this one
  --trace      print every event
  --bug NAME   plant a bug: ${Object.keys(BUGS).join(', ')}; its being found is the success
  --cluster      whole nodes, several of them (its own --help)
  --replication  the replication protocol alone (its own --help)`;

function count(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new Error(`--${name} must be a whole number, not ${text}\n\n${USAGE}`);
  return value;
}

function tally(reports: readonly SeedReport[], of: (report: SeedReport) => Iterable<string>): string {
  const counts = new Map<string, number>();
  for (const report of reports) for (const name of of(report)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, n]) => `  ${String(n).padStart(6)}  ${name}`)
    .join('\n');
}

function explain(report: SeedReport, bug: string | undefined): string {
  const { seed, failure, plan, trace } = report;
  const again = `npm run sim -- --seed ${seed}${bug === undefined ? '' : ` --bug ${bug}`} --trace`;
  return [
    `\nseed ${seed} failed: ${failure?.stack ?? failure?.message}`,
    `\nits plan: ${JSON.stringify(plan, null, 1)}`,
    `\nthe last events:\n${trace.join('\n')}`,
    `\nrun it again: ${again}`,
  ].join('\n');
}

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  if (args.includes('--cluster')) return clusterMain(args.filter((arg) => arg !== '--cluster'));
  if (args.includes('--replication')) return replicationMain(args.filter((arg) => arg !== '--replication'));
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      bug: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const { bug } = values;
  if (bug !== undefined && !isBug(bug)) throw new Error(`there is no bug ${bug}\n\n${USAGE}`);
  const from = count(values.seed, 'seed') ?? 1;
  const seeds = count(values.seeds, 'seeds') ?? (values.seed === undefined ? 100 : 1);
  const realm = await makeRealm();
  const reports: SeedReport[] = [];
  let failed: SeedReport | undefined;
  const startedAt = performance.now();
  for (let seed = from; seed < from + seeds && failed === undefined; seed += 1) {
    const report = await simulate(seed, {
      realm,
      plant: bug === undefined ? undefined : BUGS[bug],
      sink: values.trace ? (line) => process.stdout.write(`${line}\n`) : undefined,
    });
    reports.push(report);
    if (report.failure !== undefined) failed = report;
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  if (failed !== undefined) console.log(explain(failed, bug));
  const sum = (of: (report: SeedReport) => number): number => reports.reduce((total, report) => total + of(report), 0);
  console.log(`\n${reports.length} seeds in ${seconds.toFixed(1)} s: ${(reports.length / seconds).toFixed(1)} seeds/s`);
  console.log(
    `${sum((r) => r.events)} events, ${sum((r) => r.messages)} messages, ${sum((r) => r.entries)} log entries, ${Math.round(sum((r) => r.virtualMs) / 1_000)} s of virtual time, ${sum((r) => r.core.comparisons)} states compared with their rows`,
  );
  console.log(`\nseeds that met each fault:\n${tally(reports, (report) => report.faults)}`);
  console.log(`\nseeds that went through each recovery:\n${tally(reports, (report) => report.recoveries.keys())}`);
  if (bug !== undefined) {
    console.log(
      failed === undefined
        ? `\nthe planted bug ${bug} was NOT found`
        : `\nthe planted bug ${bug} was found by seed ${failed.seed}`,
    );
    return failed === undefined ? 1 : 0;
  }
  return failed === undefined ? 0 : 1;
}

main().then(
  (code) => {
    process.exit(code);
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  },
);
