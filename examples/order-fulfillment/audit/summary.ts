// The closing tables: how the orders ended, what went wrong on the way, and whether the books balance.

import Table from 'cli-table3';
import pc from 'picocolors';
import { ENDINGS, type Ending, euros } from '../model.ts';
import type { LaneReport } from '../operations/lane.ts';
import type { Outcome } from '../supervisor/desk.ts';
import type { Tally } from '../supervisor/tally.ts';
import { colourOf } from '../supervisor/view.ts';
import type { AuditReport } from './audit.ts';

/** Discrepancies printed one by one; the rest is counted. */
const MAX_SHOWN = 40;

export interface SummaryInput {
  report: AuditReport;
  outcomes: ReadonlyMap<string, Outcome>;
  tally: Tally;
  approvals: { approved: number; rejected: number; unanswered: number };
  repeatedCalls: number;
  seconds: number;
  records: { payment: number; warehouse: number };
  /** Of a run with chaos: what else was under way. */
  operations?: readonly LaneReport[] | undefined;
}

export function summaryOf(input: SummaryInput): string {
  const { report, operations } = input;
  const tables = [endingsTable(input), happenedTable(input), booksTable(report)];
  if (operations !== undefined) tables.push(operationsTable(operations));
  return [...tables, verdict(report, operations)].join('\n\n');
}

function endingsTable({ outcomes }: SummaryInput): string {
  const table = plainTable(['ended as', 'orders', 'charged', 'refunded', 'kept']);
  for (const ending of ENDINGS) {
    const results = resultsOf(outcomes, ending);
    if (results.length === 0) continue;
    const charged = sum(results.map((result) => result.chargedCents));
    const refunded = sum(results.map((result) => result.refundedCents));
    const name = colourOf(ending)(ending.replaceAll('_', ' '));
    table.push([name, results.length, euros(charged), euros(refunded), euros(charged - refunded)]);
  }
  const without = [...outcomes.values()].filter((outcome) => outcome.kind === 'failed').length;
  if (without > 0) table.push([pc.red('workflow failed'), without, '?', '?', '?']);
  return table.toString();
}

function happenedTable(input: SummaryInput): string {
  const { tally, approvals, records } = input;
  const table = plainTable(['what happened', '']);
  const list = (counts: ReadonlyMap<string, number>) => {
    return [...counts].map(([name, count]) => `${count} × ${name}`).join(', ') || 'none';
  };
  table.push(
    ['time', `${input.seconds.toFixed(1)} s, ${(outcomesPerSecond(input)).toFixed(1)} orders/s`],
    ['service faults', list(tally.faults)],
    ['activity retries', `${tally.retries}, of which ${tally.resumed} went on from a heartbeat`],
    ['repeats answered', `${tally.replayed} requests the services had performed before`],
    [
      'approvals',
      `${approvals.approved} approved, ${approvals.rejected} rejected, ${approvals.unanswered} left unanswered`,
    ],
    ['SIGKILLs', list(tally.kills)],
  );
  if (tally.deaths.size > 0) table.push(['other deaths', list(tally.deaths)]);
  table.push(
    ['client calls repeated', String(input.repeatedCalls)],
    ['records audited', `${records.payment} payment, ${records.warehouse} warehouse`],
  );
  return table.toString();
}

function booksTable(report: AuditReport): string {
  const table = plainTable(['books', '', '']);
  const { chargedCents, refundedCents, earnedCents, tillCents } = report;
  const { piecesAtStart, piecesShipped, piecesOnShelf } = report;
  table.push(
    ['money', `${euros(chargedCents)} charged − ${euros(refundedCents)} refunded`, `= ${euros(tillCents)} in the till`],
    ['', `${euros(earnedCents)} is what shipped orders are worth`, mark(tillCents === earnedCents)],
    ['stock', `${piecesAtStart} pieces − ${piecesShipped} shipped`, `= ${piecesOnShelf} on the shelf`],
    ['', `${piecesAtStart - piecesShipped} ought to be there`, mark(piecesAtStart - piecesShipped === piecesOnShelf)],
  );
  return table.toString();
}

function operationsTable(operations: readonly LaneReport[]): string {
  const table = plainTable(['operations', '', 'audited', '']);
  for (const { name, performed, counted, holds, problems } of operations) {
    const counts = counted === performed ? String(performed) : `${performed}, of ${counted}`;
    table.push([name, counts, holds, mark(problems.length === 0)]);
  }
  return table.toString();
}

function verdict(report: AuditReport, operations: readonly LaneReport[] | undefined): string {
  if (report.discrepancies.length === 0) {
    const also =
      operations === undefined ? '' : ` So do ${sum(operations.map(({ counted }) => counted))} other operations.`;
    const sentence = `The books balance: ${report.orders} orders, each charged once and shipped once, or undone.${also}`;
    return pc.bold(pc.green(sentence));
  }
  const lines = report.discrepancies.slice(0, MAX_SHOWN).map(({ orderId, what }) => {
    return `  ${pc.red('✗')} ${orderId ? `${pc.bold(orderId)}: ` : ''}${what}`;
  });
  const more = report.discrepancies.length - lines.length;
  if (more > 0) lines.push(`  … and ${more} more`);
  return [pc.bold(pc.red(`The books do NOT balance: ${report.discrepancies.length} discrepancies.`)), ...lines].join(
    '\n',
  );
}

function resultsOf(outcomes: ReadonlyMap<string, Outcome>, ending: Ending) {
  return [...outcomes.values()].flatMap((outcome) => {
    return outcome.kind === 'result' && outcome.result.status === ending ? [outcome.result] : [];
  });
}

function plainTable(head: string[]): Table.Table {
  const style = { head: [], border: [], compact: true };
  return new Table({ head: head.map((title) => pc.bold(title)), style });
}

function mark(holds: boolean): string {
  return holds ? pc.green('✓') : pc.red('✗');
}

function outcomesPerSecond({ outcomes, seconds }: SummaryInput): number {
  return outcomes.size / Math.max(seconds, 0.1);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
