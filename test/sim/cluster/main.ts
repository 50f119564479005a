// `npm run sim -- --cluster [--seeds N] [--seed S] [--trace] [--bug NAME]`: whole nodes, several of them, and everything that can happen to them.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type CampaignRun, runCampaign } from '../campaign.ts';
import { CampaignFile } from '../campaign-file.ts';
import { hereLane, LANE, processLane, serveLane } from '../lanes.ts';
import { seedRange, sumOf, tally, wholeNumber } from '../seed-run.ts';
import { BUGS, type BugName, isBug } from './bugs.ts';
import { seldomReached, whyUnworthy } from './coverage.ts';
import { FAULTS, type FaultName, isFault, makePlan } from './plan.ts';
import { type ClusterResult, lostResult, resultOf } from './seed-result.ts';
import { type ClusterOptions, simulateCluster } from './simulate.ts';

const USAGE = `Usage: npm run sim -- --cluster [options]

  --seeds N     how many seeds to run (default 100)
  --seed S      the first seed (default 1); alone: only this one
  --seconds N   begin no seed after so many
  --jobs N      seeds at once, each in a process of its own (default: as many as there are cores)
  --failures N  begin no seed after so many failed (default 1; with --out 20)
  --out FILE    append every result to it, a line of JSON each
  --resume      go on with the campaign that is in that file
  --calm        nothing goes wrong
  --only NAME   one kind of fault: ${FAULTS.join(', ')}
  --with NAME   only those of the seeds whose mix of faults has this one
  --store KIND  only those of the seeds whose shards are: replicated, or shared (in a database)
  --trace       print what happens
  --bug NAME    plant a bug: ${Object.keys(BUGS).join(', ')}; its being found is the success`;

/** Lines of trace shown of a seed that failed. */
const SHOWN_LINES = 80;
/** ms between two lines on how far a campaign is. */
const PROGRESS_MS = 10_000;
const MOST_FAILURES = 20;

interface Choices {
  readonly calm: boolean;
  readonly only: FaultName | undefined;
  readonly bugName: BugName | undefined;
}

const optionsOf = ({ calm, only, bugName }: Choices): ClusterOptions => ({
  calm,
  only,
  bug: bugName === undefined ? undefined : BUGS[bugName],
});

/** What has to be given again for the same histories. */
const argsOf = ({ calm, only, bugName }: Choices): string[] => [
  ...(calm ? ['--calm'] : []),
  ...(only === undefined ? [] : ['--only', only]),
  ...(bugName === undefined ? [] : ['--bug', bugName]),
];

function read(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      seconds: { type: 'string' },
      jobs: { type: 'string' },
      failures: { type: 'string' },
      out: { type: 'string' },
      resume: { type: 'boolean', default: false },
      calm: { type: 'boolean', default: false },
      only: { type: 'string' },
      with: { type: 'string' },
      store: { type: 'string' },
      trace: { type: 'boolean', default: false },
      bug: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { bug: bugName, only, with: having, store, calm } = values;
  if (store !== undefined && store !== 'replicated' && store !== 'shared')
    throw new Error(`there is no store ${store}\n\n${USAGE}`);
  if (having !== undefined && !isFault(having)) throw new Error(`there is no fault ${having}\n\n${USAGE}`);
  if (only !== undefined && !isFault(only)) throw new Error(`there is no fault ${only}\n\n${USAGE}`);
  if (bugName !== undefined && !isBug(bugName)) throw new Error(`there is no bug ${bugName}\n\n${USAGE}`);
  if (values.resume && values.out === undefined) throw new Error(`--resume goes with --out\n\n${USAGE}`);
  const choices: Choices = { calm, only, bugName };
  const isWanted = (seed: number): boolean => {
    const { kinds, durability } = makePlan(seed, choices);
    return (having === undefined || kinds.includes(having)) && (store === undefined || store === durability);
  };
  return { values, choices, isWanted };
}

export async function clusterMain(args: readonly string[]): Promise<number> {
  const isLane = args.includes(LANE);
  const { values, choices, isWanted } = read(args.filter((arg) => arg !== LANE));
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const one = async (seed: number, sink?: (line: string) => void): Promise<ClusterResult> =>
    resultOf(await simulateCluster(seed, { ...optionsOf(choices), sink }));
  if (isLane) {
    serveLane((seed) => one(seed));
    return new Promise(() => undefined);
  }
  const { from, seeds } = seedRange(values, 100, USAGE);
  const jobs = wholeNumber(values.jobs, 'jobs', USAGE) ?? availableParallelism();
  const lanes = values.trace ? 1 : Math.max(1, Math.min(jobs, seeds));
  const script = process.argv[1] ?? '';
  const file =
    values.out === undefined
      ? undefined
      : new CampaignFile<ClusterResult>(
          values.out,
          { code: createHash('sha256').update(readFileSync(script)).digest('hex'), options: argsOf(choices).join(' ') },
          values.resume ? 'resume' : 'new',
        );
  const said = progress(seeds, file?.results.size ?? 0);
  let isStopped = false;
  process.once('SIGINT', () => {
    console.log('no seed is begun any more; those that run come to their end');
    isStopped = true;
  });
  const run = await runCampaign<ClusterResult>({
    ...{ from, seeds, lanes, lost: lostResult },
    openLane: () =>
      lanes === 1
        ? hereLane((seed) => one(seed, values.trace ? (line) => process.stdout.write(`${line}\n`) : undefined))
        : processLane(script, ['--cluster', ...argsOf(choices)]),
    isWanted,
    known: file?.results ?? new Map(),
    mostFailures: wholeNumber(values.failures, 'failures', USAGE) ?? (file === undefined ? 1 : MOST_FAILURES),
    mostMs: (wholeNumber(values.seconds, 'seconds', USAGE) ?? Number.POSITIVE_INFINITY) * 1_000,
    onResult: (result, isLost) => {
      // A machine that stood still may have been why: a campaign that goes on tries it again.
      if (!isLost) file?.append(result);
      said(result);
    },
    isStopped: () => isStopped,
  });
  const failed = run.results.filter(({ failure }) => failure !== undefined);
  const [first] = failed;
  summary(run, lanes);
  // It may be one that runs in circles.
  if (first !== undefined) await explain(first, choices);
  const code = judge(run, choices);
  if (!isStopped) return code;
  console.log(`stopped by hand after ${run.results.length} of ${seeds} seeds`);
  return Math.max(1, code);
}

/** A line now and then while seeds run. */
function progress(seeds: number, known: number): (result: ClusterResult) => void {
  const startedAt = performance.now();
  let saidAt = startedAt;
  let ran = 0;
  let failed = 0;
  return ({ seed, failure }) => {
    ran += 1;
    if (failure !== undefined) {
      failed += 1;
      console.log(`seed ${seed} failed: ${failure.message.split('\n')[0]}`);
    }
    const now = performance.now();
    if (now - saidAt < PROGRESS_MS) return;
    saidAt = now;
    const perSecond = (1_000 * ran) / (now - startedAt);
    const minutes = Math.ceil((seeds - known - ran) / perSecond / 60);
    console.log(
      `${known + ran} of ${seeds} seeds, ${failed} failed; ${perSecond.toFixed(1)} seeds/s, ${minutes} min to go`,
    );
  };
}

/** The seed again: no trace is kept while seeds run. */
async function explain({ seed, failure }: ClusterResult, choices: Choices): Promise<void> {
  console.log(`\nseed ${seed} failed: ${failure?.stack ?? failure?.message}`);
  const trace: string[] = [];
  await simulateCluster(seed, { ...optionsOf(choices), sink: (line) => void trace.push(line) });
  console.log(`\nits faults:\n${trace.filter((line) => / fault: | healed/.test(line)).join('\n')}`);
  console.log(`\nthe last events:\n${trace.slice(-SHOWN_LINES).join('\n')}`);
  const again = argsOf(choices).map((arg) => (arg.includes(' ') ? `'${arg}'` : arg));
  console.log(`\nrun it again: ${['npm run sim -- --cluster', `--seed ${seed}`, ...again, '--trace'].join(' ')}`);
}

function summary({ results, ran, seconds, cpuSeconds }: CampaignRun<ClusterResult>, lanes: number): void {
  const sum = (of: (result: ClusterResult) => number): number => sumOf(results, of);
  console.log(
    `\n${results.length} seeds, ${ran} of them now in ${seconds.toFixed(1)} s on ${lanes} at once: ` +
      `${(ran / seconds).toFixed(1)} seeds/s, ${(ran / cpuSeconds).toFixed(1)} per second of CPU`,
  );
  console.log(
    `${sum((r) => r.events)} events, ${sum((r) => r.operations)} client operations, ${sum((r) => r.entries)} entries committed, ` +
      `${Math.round(sum((r) => r.virtualMs) / 1_000)} s of virtual time; in place ${Math.round(sum((r) => r.healedMs) / results.length)} ms after healing on average`,
  );
  console.log(`\nseeds that met each fault:\n${tally(results, ({ faults }) => faults)}`);
  console.log(`\nseeds that reached each event:\n${tally(results, ({ reached }) => reached)}`);
}

/** The exit code, and a last word. */
function judge({ results }: CampaignRun<ClusterResult>, { calm, only, bugName }: Choices): number {
  const failed = results.filter(({ failure }) => failure !== undefined);
  if (bugName !== undefined) {
    const [found] = failed;
    console.log(
      `\nthe planted bug ${bugName} was ${found === undefined ? 'NOT found' : `found by seed ${found.seed}: ${found.failure?.message.split('\n')[0]}`}`,
    );
    return found === undefined ? 1 : 0;
  }
  if (failed.length > 0)
    console.log(
      `\n${failed.length} failed:\n${failed.map(({ seed, failure }) => `  ${seed}  ${failure?.message.split('\n')[0]}`).join('\n')}`,
    );
  const isWhole = !calm && only === undefined;
  // One that failed may have ended before.
  const unworthy = isWhole ? results.filter((r) => r.failure === undefined && whyUnworthy(r) !== undefined) : [];
  for (const result of unworthy) console.log(`\nseed ${result.seed} is not worth its name: ${whyUnworthy(result)}`);
  const seldom = isWhole ? seldomReached(results) : [];
  for (const { name, share, least } of seldom) {
    console.log(
      `\n"${name}" was reached by ${(100 * share).toFixed(1)} % of the seeds; ${(100 * least).toFixed(0)} % are wanted`,
    );
  }
  return failed.length > 0 || unworthy.length > 0 || seldom.length > 0 ? 1 : 0;
}
