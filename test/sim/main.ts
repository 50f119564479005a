// `npm run sim -- --seeds N [--seed S] [--trace] [--bug NAME]`: runs seeds, says how fast, what was reached, and what failed.
// With `--replication`: of the replication protocol alone.

import { parseArgs } from 'node:util';
import { BUGS, isBug } from './bugs.ts';
import { clusterMain } from './cluster/main.ts';
import { makeRealm } from './realm.ts';
import { replicationMain } from './replication/main.ts';
import { outcome, runSeeds, seedRange, speed, sumOf, tally } from './seed-run.ts';
import { type SeedReport, simulate } from './simulate.ts';

const USAGE = `Usage: npm run sim -- [options]

  --seeds N    how many seeds to run (default 100)
  --seed S     the first seed (default 1); alone: only this one
  --trace      print every event
  --bug NAME   plant a bug: ${Object.keys(BUGS).join(', ')}; its being found is the success
  --cluster      whole nodes, several of them (its own --help)
  --replication  the replication protocol alone (its own --help)`;

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
  const range = seedRange(values, 100, USAGE);
  const realm = await makeRealm();
  const run = await runSeeds(range, (seed) =>
    simulate(seed, {
      realm,
      plant: bug === undefined ? undefined : BUGS[bug],
      sink: values.trace ? (line) => process.stdout.write(`${line}\n`) : undefined,
    }),
  );
  const { reports, failed } = run;
  if (failed !== undefined) console.log(explain(failed, bug));
  const sum = (of: (report: SeedReport) => number): number => sumOf(reports, of);
  console.log(`\n${speed(run)}`);
  console.log(
    `${sum((r) => r.events)} events, ${sum((r) => r.messages)} messages, ${sum((r) => r.entries)} log entries, ${Math.round(sum((r) => r.virtualMs) / 1_000)} s of virtual time, ${sum((r) => r.core.comparisons)} states compared with their rows`,
  );
  console.log(`\nseeds that met each fault:\n${tally(reports, (report) => report.faults)}`);
  console.log(`\nseeds that went through each recovery:\n${tally(reports, (report) => report.recoveries.keys())}`);
  console.log(`\nseeds that met each operation:\n${tally(reports, (report) => report.met)}`);
  const { code, said } = outcome(run, bug);
  if (said !== undefined) console.log(said);
  return code;
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
