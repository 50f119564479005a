// Peers beside Tenuto as the terminal shows them: a line for each system under each load, and what Tenuto's figures are of the peer's.

import Table from 'cli-table3';
import pc from 'picocolors';
import type { Measurement } from '../lib/report.ts';
import { besideEachOther, type Row, type Spread } from './beside.ts';

/** Empty without peers. @param figure how numbers are written */
export function renderBeside(
  measurements: readonly Measurement[],
  figure: (value: number | undefined) => string,
): string {
  const rows = besideEachOther(measurements);
  if (rows.length === 0) return '';
  const spread = (of: Spread | undefined): string =>
    of === undefined
      ? ''
      : of.least === of.most
        ? figure(of.median)
        : `${figure(of.median)} (${figure(of.least)}–${figure(of.most)})`;
  const times = (value: number | undefined): string => (value === undefined ? '' : `${figure(value)} ×`);
  const table = new Table({
    head: ['scenario', 'load', 'system', '/s', 'p50 ms', 'p99 ms', 'tenuto: /s', 'p50', 'p99'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'left', 'left', 'right', 'right', 'right', 'right', 'right', 'right'],
  });
  for (const row of rows) {
    const { tenuto, load, perSecond, p50Ms, p99Ms } = row;
    table.push([
      scenarioOf(row),
      load,
      nameOf(row),
      spread(perSecond),
      spread(p50Ms),
      spread(p99Ms),
      times(tenuto?.perSecond),
      times(tenuto?.p50),
      times(tenuto?.p99),
    ]);
  }
  const rounds = Math.max(...rows.map((row) => row.rounds));
  const how = `medians of ${rounds} rounds (least–most), in turn; of a peer's variants the better one`;
  const worse = rows.flatMap((row) =>
    row.worse.map(
      ({ variant, perSecond, p50Ms }) =>
        `${scenarioOf(row)}: ${nameOf(row)} did better than ${variant} (${figure(perSecond)}/s, p50 ${figure(p50Ms)} ms)`,
    ),
  );
  return `${table.toString()}\n${pc.dim([how, ...worse].join('\n'))}`;
}

function scenarioOf({ scenario, case: which }: Row): string {
  return which === '' ? scenario : `${scenario}: ${which}`;
}

function nameOf({ system: { name, variant } }: Row): string {
  return variant === undefined ? name : `${name} (${variant})`;
}
