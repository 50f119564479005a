// `npm run sim -- --cluster [--seeds N] [--seed S] [--trace] [--bug NAME]`: whole nodes, several of them, and everything that can happen to them.

import { parseArgs } from 'node:util';
import { outcome, runSeeds, seedRange, speed, sumOf, tally, wholeNumber } from '../seed-run.ts';
import { BUGS, isBug } from './bugs.ts';
import { FAULTS, isFault } from './plan.ts';
import { type ClusterReport, simulateCluster } from './simulate.ts';

const USAGE = `Usage: npm run sim -- --cluster [options]

  --seeds N    how many seeds to run (default 100)
  --seed S     the first seed (default 1); alone: only this one
  --seconds N  begin no seed after so many
  --calm       nothing goes wrong
  --only NAME  one kind of fault: ${FAULTS.join(', ')}
  --trace      print what happens
  --bug NAME   plant a bug: ${Object.keys(BUGS).join(', ')}; its being found is the success`;

/** What a campaign must have met, in this share of its seeds at least; judged once there are so many. */
const WANTED = [
  'election',
  'truncation',
  'snapshot installed',
  'configuration changed',
  'fenced commit',
  'hand-over',
  'undelivered start',
  'outbox repeat',
];
const LEAST_SHARE = 0.05;
const ENOUGH_SEEDS = 100;

/** Lines of trace shown of a seed that failed. */
const SHOWN_LINES = 80;

export async function clusterMain(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      seconds: { type: 'string' },
      calm: { type: 'boolean', default: false },
      only: { type: 'string' },
      trace: { type: 'boolean', default: false },
      bug: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const { bug: bugName, only } = values;
  if (only !== undefined && !isFault(only)) throw new Error(`there is no fault ${only}\n\n${USAGE}`);
  if (bugName !== undefined && !isBug(bugName)) throw new Error(`there is no bug ${bugName}\n\n${USAGE}`);
  const bug = bugName === undefined ? undefined : BUGS[bugName];
  const mostMs = (wholeNumber(values.seconds, 'seconds', USAGE) ?? Number.POSITIVE_INFINITY) * 1_000;
  const run = await runSeeds(
    seedRange(values, 100, USAGE),
    (seed) =>
      simulateCluster(seed, {
        calm: values.calm,
        only,
        bug,
        sink: values.trace ? (line) => process.stdout.write(`${line}\n`) : undefined,
      }),
    mostMs,
  );
  const { reports, failed } = run;
  if (failed !== undefined) {
    console.log(`\nseed ${failed.seed} failed: ${failed.failure?.stack}`);
    // The seed again: no trace is kept while seeds run.
    const trace: string[] = [];
    await simulateCluster(failed.seed, { calm: values.calm, only, bug, sink: (line) => void trace.push(line) });
    console.log(`\nits faults:\n${trace.filter((line) => / fault: | healed/.test(line)).join('\n')}`);
    console.log(`\nthe last events:\n${trace.slice(-SHOWN_LINES).join('\n')}`);
    console.log(
      `\nrun it again: npm run sim -- --cluster --seed ${failed.seed}${only === undefined ? '' : ` --only '${only}'`}${bugName === undefined ? '' : ` --bug ${bugName}`} --trace`,
    );
  }
  const sum = (of: (report: ClusterReport) => number): number => sumOf(reports, of);
  console.log(`\n${speed(run)}`);
  console.log(
    `${sum((r) => r.events)} events, ${sum((r) => r.operations)} client operations, ${sum((r) => r.entries)} entries committed, ` +
      `${Math.round(sum((r) => r.virtualMs) / 1_000)} s of virtual time; in place ${Math.round(sum((r) => r.healedMs) / reports.length)} ms after healing on average`,
  );
  console.log(`\nseeds that met each fault:\n${tally(reports, (report) => report.faults.keys())}`);
  console.log(`\nseeds that reached each event:\n${tally(reports, (report) => report.reached.keys())}`);
  const { code, said } = outcome(run, bugName);
  if (said !== undefined) console.log(said);
  if (bugName !== undefined || code !== 0) return code;
  const seldom = reports.length < ENOUGH_SEEDS ? [] : WANTED.filter((name) => shareOf(reports, name) < LEAST_SHARE);
  if (seldom.length > 0)
    console.log(`\nreached by fewer than ${LEAST_SHARE * 100} % of the seeds: ${seldom.join(', ')}`);
  return seldom.length === 0 ? 0 : 1;
}

const shareOf = (reports: readonly ClusterReport[], name: string): number =>
  reports.filter(({ reached }) => reached.has(name)).length / reports.length;
