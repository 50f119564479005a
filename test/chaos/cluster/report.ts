// What came out of the runs, as the table that `npm run chaos` prints and keeps in docs/reliability.md.

import { cpus, totalmem } from 'node:os';
import { PROBE_EVERY_MS } from './probes.ts';
import type { Scenario } from './scenarios.ts';
import type { FaultSeen, RunReport } from './world.ts';

export interface Outcome {
  readonly scenario: Scenario;
  /** `not run`: this machine cannot. */
  readonly result: Result;
}

export type Result =
  | { readonly type: 'ran'; readonly report: RunReport }
  | { readonly type: 'failed'; readonly why: string }
  | { readonly type: 'not run'; readonly why: string };

/** What is wrong with a run; empty: nothing. */
export function faultsOf({ scenario, result }: Outcome): string[] {
  if (result.type === 'not run') return [];
  if (result.type === 'failed') return [result.why];
  const { problems, failedCalls, repeatedCalls } = result.report;
  if (scenario.clientsMustNotNotice !== true) return [...problems];
  const noticed = failedCalls.map(({ what, why }) => `a client's call failed, ${what}: ${why}`);
  if (repeatedCalls > 0) noticed.push(`${repeatedCalls} calls of the shop failed and were repeated`);
  return [...problems, ...noticed];
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

type Row = readonly (string | number)[];

/** A table as the formatter wants it: columns padded to their widest cell. */
function table(head: Row, rows: readonly Row[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => String(row[column]).length)));
  const line = (row: Row, padding: string): string =>
    `| ${row.map((cell, column) => String(cell).padEnd(widths[column] ?? 0, padding)).join(' | ')} |`;
  return [
    line(head, ' '),
    line(
      head.map(() => ''),
      '-',
    ),
    ...rows.map((row) => line(row, ' ')),
  ].join('\n');
}

function gaps(faults: readonly FaultSeen[]): (string | number)[] {
  const all = faults.flatMap(({ longestMs }) => longestMs);
  return [percentile(all, 0.5), percentile(all, 0.99), Math.max(0, ...all)];
}

function rowOf(outcome: Outcome): Row {
  const { scenario, result } = outcome;
  switch (result.type) {
    case 'not run':
      return [scenario.title, '', '', '', '', '', '', '', `not run: ${result.why}`];
    case 'failed':
      return [scenario.title, '', '', '', '', '', '', '', '**failed**'];
    case 'ran': {
      const { orders, starts, signals, failedCalls, repeatedCalls, longestCallMs, faults } = result.report;
      const wrong = faultsOf(outcome).length;
      const calls = [`${starts}, ${signals}`, failedCalls.length + repeatedCalls, longestCallMs];
      return [scenario.title, orders, ...calls, ...gaps(faults), wrong === 0 ? 'all there' : `**${wrong} wrong**`];
    }
  }
}

export function tableOf(outcomes: readonly Outcome[]): string {
  const calls = ['acknowledged: starts, signals', 'failed calls', 'longest call ms'];
  const head = ['scenario', 'orders', ...calls, 'not served, ms: p50', 'p99', 'max', 'result'];
  return table(head, outcomes.map(rowOf));
}

function detailsOf(outcomes: readonly Outcome[]): string {
  const rows = outcomes.flatMap(({ scenario, result }): Row[] => {
    if (result.type !== 'ran') return [];
    const { faults } = result.report;
    return [[`**${scenario.title}**`, '', '', ''], ...faults.map((fault): Row => [fault.what, ...gaps([fault])])];
  });
  return table(['fault', 'p50', 'p99', 'max'], rows);
}

/** The whole page. Times are this machine's, measured while it may have had other things to do. */
export function pageOf(outcomes: readonly Outcome[], atMs: number): string {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
  return `# What a cluster survives

\`npm run chaos\` runs real nodes (\`tenuto server start\`), a real Redis and real sockets, with proxies between the nodes and before Redis that can be cut one way or both. The order
pipeline of \`examples/order-fulfillment\` is the load: a worker, two services that fail at random, a shop. Beside it a client per shard starts workflows and signals them, and
writes down what was acknowledged. After the faults of a scenario this must hold, or the run fails:

- every order has ended, and the audit of the services' own files balances, to the cent and to the piece;
- every acknowledged start and signal is in its history, once and in order; a call that failed is there at most once;
- every history is numbered 1..n without a gap;
- operations that are under way throughout, each kind again and again, were each done once, as clients see it: every due second of the schedules has one run, batch jobs count exactly what they
  did, runs that a reset began have all signals in order, updates were accepted and completed once, children started and their messages delivered once, signals carried over every
  continue-as-new, activities without a workflow ended once, lists showed what was just started or upserted, and what was paused stood still (not in the upgrade, whose shop is of another build);
- no node ended by itself, and \`tenuto data verify\` finds nothing wrong in any node's directory, nor in the database;
- in a rolling restart, in a rolling upgrade, and while nodes come and go as planned, no call of a client has failed.

The upgrade comes from another revision of this repository, built for the run: its nodes, shop, a worker and a client, with a worker and a client of this build beside them. The
others are one build throughout.

Where nodes share a PostgreSQL, it is a real one, with a proxy before it as well: what a dead or stopped node led is taken over when gossip has given it up, after 5 s or so; there are no replicas that miss its heartbeats.

In the run of Temporal's own SDK a client and two workers of it come to the gRPC doors through a balancer, as users have one: what they signalled and updated must be there once and in order, queries must
show all that was acknowledged before them, each second of a schedule must have one run, and histories are numbered 1..n.

In a rolling deploy 2,000 workflows are started while the second version of their workers takes a tenth of what is new: it must have 10 % of them, within three points, and each must be where its id belongs. Pinned workflows must end on their version, others move, the first version must be said to be drained
once no pinned one is open and not before, and no task may time out, while all three nodes are restarted. At last a worker is killed with work in its hands: the registry must know within 60 s, and all of it must be done.

Three nodes with three replicas of 16 shards each, unless the scenario says otherwise. "Not served" is, for each shard and fault, the longest time between two answers of the shard to somebody who
asks it every ${PROBE_EVERY_MS} ms through all nodes in turn: about ${PROBE_EVERY_MS} ms when nothing happens. "Longest call" is what a client waited for one acknowledgement, its reconnecting included.
"Failed calls" reached a client as an error, and may have been applied or not. Times are measured, not judged.

Measured on ${new Date(atMs).toISOString().slice(0, 10)}: ${machine}, everything on this one machine, which may have had other things to do.

${tableOf(outcomes)}

## Fault by fault

Not served, ms:

${detailsOf(outcomes)}
`;
}
