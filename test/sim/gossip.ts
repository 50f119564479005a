// `npm run sim -- --gossip N [--loss P] [--seeds N] [--seed S] [--deaths D] [--steady S]`: a settled cluster of N members in virtual time; how long
// until all know of a death, what each node sends per second, and whether anybody who runs is called dead. Exit code 1 past the bounds.

import { parseArgs } from 'node:util';
import { type Measured, measure } from '../../cluster/gossip/simulation/measure.test-support.ts';

const USAGE = `Usage: npm run sim -- --gossip N [options]

  --gossip N   members
  --loss P     share of packets lost, 0 to 1 (default 0.1)
  --seeds N    how many seeds to run (default 1)
  --seed S     the first seed (default 1)
  --deaths D   members killed one after the other in each seed (default 3)
  --steady S   virtual seconds observed before (default 60)`;

/** What the project promises (docs/cluster/gossip.md). */
const DEATH_KNOWN_MS = 20_000;
const BYTES_PER_SECOND = 5_000;

function number(text: string | undefined, name: string, fallback: number, max = Number.MAX_SAFE_INTEGER): number {
  const value = text === undefined ? fallback : Number(text);
  if (!(value >= 0 && value <= max))
    throw new Error(`--${name} must be a number up to ${max}, not ${text}\n\n${USAGE}`);
  return value;
}

const seconds = (ms: number): string => (Number.isFinite(ms) ? `${(ms / 1_000).toFixed(1)} s` : 'never');
const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(2)} KB/s`;

function problemsOf({ deaths, steady, whileDying, falseDeaths }: Measured): string[] {
  const slowest = Math.max(0, ...deaths.map(({ allMs }) => allMs));
  const busiest = Math.max(steady.meanSent, whileDying.meanSent);
  return [
    ...(slowest > DEATH_KNOWN_MS ? [`a death was known to all only after ${seconds(slowest)}`] : []),
    ...(busiest > BYTES_PER_SECOND ? [`a node sends ${kilobytes(busiest)}`] : []),
    ...(falseDeaths > 0 ? [`${falseDeaths} false verdicts`] : []),
  ];
}

function print(result: Measured, tookMs: number): void {
  const { nodes, loss, seed, steady, whileDying, deaths, falseDeaths, suspicions } = result;
  console.log(`seed ${seed}: ${nodes} members, ${loss * 100} % of packets lost (ran ${seconds(tookMs)})`);
  console.log(
    `  steady      ${kilobytes(steady.meanSent)} sent per node (most: ${kilobytes(steady.maxSent)}), ${kilobytes(steady.meanReceived)} received`,
  );
  console.log(
    `  with deaths ${kilobytes(whileDying.meanSent)} sent per node (most: ${kilobytes(whileDying.maxSent)}), ${kilobytes(whileDying.meanReceived)} received`,
  );
  for (const { suspectedMs, firstMs, halfMs, mostMs, allMs } of deaths) {
    console.log(
      `  death       suspected after ${seconds(suspectedMs)}, called dead after ${seconds(firstMs)}; half knew after ${seconds(halfMs)}, 99 % after ${seconds(mostMs)}, all after ${seconds(allMs)}`,
    );
  }
  console.log(`  false deaths ${falseDeaths}; needless suspicions per node ${(suspicions / nodes).toFixed(2)}`);
}

function main(): number {
  const { values } = parseArgs({
    options: {
      gossip: { type: 'string' },
      loss: { type: 'string' },
      seeds: { type: 'string' },
      seed: { type: 'string' },
      deaths: { type: 'string' },
      steady: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const nodes = number(values.gossip, 'gossip', 0, 4_000);
  if (nodes < 3) throw new Error(`--gossip needs at least 3 members\n\n${USAGE}`);
  const loss = number(values.loss, 'loss', 0.1, 1);
  const first = number(values.seed, 'seed', 1);
  const deaths = Math.min(nodes - 2, number(values.deaths, 'deaths', 3));
  const steadyMs = number(values.steady, 'steady', 60) * 1_000;
  const problems: string[] = [];
  for (let seed = first; seed < first + number(values.seeds, 'seeds', 1); seed += 1) {
    const startedAt = performance.now();
    const result = measure({ nodes, loss, seed, deaths, steadyMs });
    print(result, performance.now() - startedAt);
    problems.push(...problemsOf(result).map((problem) => `seed ${seed}: ${problem}`));
  }
  for (const problem of problems) console.log(`FAILED ${problem}`);
  return problems.length === 0 ? 0 : 1;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
