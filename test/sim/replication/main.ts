// `npm run sim -- --replication [--seeds N] [--seed S] [--trace] [--bug NAME]`: the replication protocol alone, a thousand seeds a minute.
// With `--nodes`: the driver, the store and the frames too, for many shards.

import { parseArgs } from 'node:util';
import { outcome, runSeeds, seedRange, speed, sumOf, tally } from '../seed-run.ts';
import { BUGS, isBug } from './bugs.ts';
import { type NodesReport, simulateNodes } from './node-faults.ts';
import { type ReplicationReport, simulateReplication } from './simulate.ts';

const USAGE = `Usage: npm run sim -- --replication [options]

  --seeds N    how many seeds to run (default 1000)
  --seed S     the first seed (default 1); alone: only this one
  --trace      print what happens
  --nodes      the driver, store and frames too, several shards (no --bug, no --trace)
  --bug NAME   plant a bug: ${Object.keys(BUGS).join(', ')}; its being found is the success`;

/** Lines of trace shown of a seed that failed. */
const SHOWN_LINES = 60;

/** The seed again, with its trace: nothing is kept while seeds run. */
function explain({ seed, hosts, replicas }: ReplicationReport, bug: string | undefined): string {
  const trace: string[] = [];
  const again = simulateReplication(seed, {
    bug: bug !== undefined && isBug(bug) ? BUGS[bug] : undefined,
    sink: (line) => trace.push(line),
  });
  return [
    `\nseed ${seed} (${hosts} hosts, R = ${replicas}) failed: ${again.failure?.stack ?? 'not the second time'}`,
    `\nthe last events:\n${trace.slice(-SHOWN_LINES).join('\n')}`,
    `\nrun it again: npm run sim -- --replication --seed ${seed}${bug === undefined ? '' : ` --bug ${bug}`} --trace`,
  ].join('\n');
}

async function nodesMain(range: { from: number; seeds: number }): Promise<number> {
  const run = await runSeeds(range, simulateNodes);
  const { reports, failed } = run;
  if (failed !== undefined) console.log(`\nseed ${failed.seed} failed: ${failed.failure?.stack}`);
  const sum = (of: (report: NodesReport) => number): number => sumOf(reports, of);
  console.log(`\n${speed(run)}`);
  console.log(
    `${sum((r) => r.acknowledged)} writes acknowledged, ${sum((r) => r.reads)} fresh reads, ${sum((r) => r.frames)} frames, ` +
      `${sum((r) => r.installs)} snapshots installed, ${sum((r) => r.wiped)} directories wiped, ` +
      `${sum((r) => r.writeErrors)} writes failed, ${sum((r) => r.moves)} members moved`,
  );
  return outcome(run, undefined).code;
}

export async function replicationMain(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      bug: { type: 'string' },
      nodes: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const { bug } = values;
  if (bug !== undefined && !isBug(bug)) throw new Error(`there is no bug ${bug}\n\n${USAGE}`);
  const range = seedRange(values, 1_000, USAGE);
  if (values.nodes) return nodesMain(range);
  const run = await runSeeds(range, (seed) =>
    simulateReplication(seed, {
      bug: bug === undefined ? undefined : BUGS[bug],
      sink: values.trace ? (line) => process.stdout.write(`${line}\n`) : undefined,
    }),
  );
  const { reports, failed } = run;
  if (failed !== undefined) console.log(explain(failed, bug));
  const sum = (of: (report: ReplicationReport) => number): number => sumOf(reports, of);
  console.log(`\n${speed(run)}`);
  console.log(
    `${sum((r) => r.events)} events, ${sum((r) => r.messages)} messages, ${sum((r) => r.committed)} entries committed, ` +
      `${sum((r) => r.writes)} writes acknowledged, ${sum((r) => r.reads)} reads; healed in ${Math.round(sum((r) => r.healedMs) / reports.length)} ms on average`,
  );
  console.log(`\nseeds that met each fault:\n${tally(reports, (report) => report.faults)}`);
  console.log(`\nseeds that reached each event:\n${tally(reports, (report) => report.reached.keys())}`);
  const { code, said } = outcome(run, bug);
  if (said !== undefined) console.log(said);
  return code;
}
