// A report as the terminal shows it: floors, a line per measurement, then what scenarios measured of their own. Pure but for colours.

import Table from 'cli-table3';
import pc from 'picocolors';
import { renderBeside } from '../peers/table.ts';
import type { Baseline, Ratios } from './compare.ts';
import { describeShape, type Measurement, type Report } from './report.ts';

export function renderReport(report: Report, baseline: Baseline | undefined): string {
  const parts = [
    renderHead(report),
    renderMeasurements(report.measurements, baseline),
    renderBeside(report.measurements, figure),
    renderSteps(report),
    renderFigures(report),
    renderNotes(report, baseline),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function renderHead({ machine, versions, floors }: Report): string {
  const systems = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const load = machine.load === undefined ? '' : `, load ${figure(machine.load)} before`;
  return [
    `${machine.cores} cores, ${machine.cpu}, ${machine.os}, data on ${machine.fileSystem}${load}; ${systems.join(', ')}`,
    [
      `this machine: fsync ${figure(floors.fsyncP50Ms)} ms (p99 ${figure(floors.fsyncP99Ms)}, ${figure(floors.fsyncsPerSecond)}/s)`,
      `loopback round trip ${figure(floors.roundTripP50Ms)} ms (p99 ${figure(floors.roundTripP99Ms)}, ${figure(floors.echoesPerSecond)}/s)`,
      `msgpack ${figure(floors.msgpackPerSecond)} frames/s`,
    ].join(', '),
  ].join('\n');
}

function renderMeasurements(measurements: readonly Measurement[], baseline: Baseline | undefined): string {
  const withLoad = measurements.filter(({ shape }) => shape !== undefined);
  if (withLoad.length === 0) return '';
  const peers = withLoad.some(({ system }) => system.name !== 'tenuto');
  const table = new Table({
    head: [
      'scenario',
      ...(peers ? ['system'] : []),
      'load',
      '/s',
      'p50 ms',
      'p99 ms',
      'p50, p99 × floor',
      'limit × /s',
      'node µs',
      'worker µs',
      'client µs',
      'fsyncs',
      'KB written',
      ...(baseline === undefined ? [] : ['/s × before', 'p50 × before']),
    ],
    style: { head: [], border: [], compact: true },
    colAligns: [
      'left',
      ...(peers ? (['left'] as const) : []),
      'left',
      ...Array.from({ length: 14 }, () => 'right' as const),
    ],
  });
  for (const measurement of withLoad) {
    const { system, shape, latency, multiples } = measurement;
    const node = roleOf(measurement, 'node');
    const written = addUp(node?.bytesWrittenPerOperation, roleOf(measurement, 'store')?.bytesWrittenPerOperation);
    table.push([
      nameOf(measurement),
      ...(peers ? [system.variant === undefined ? system.name : `${system.name} (${system.variant})`] : []),
      shape === undefined ? '' : describeShape(shape),
      `${measurement.steady === 'never' ? '~ ' : ''}${figure(measurement.perSecond)}`,
      figure(latency?.p50Ms),
      figure(latency?.p99Ms),
      multiplesOf(multiples),
      figure(timesOfLimit(multiples)),
      figure(addUp(node?.cpuUsPerOperation, roleOf(measurement, 'store')?.cpuUsPerOperation)),
      figure(roleOf(measurement, 'worker')?.cpuUsPerOperation),
      figure(roleOf(measurement, 'client')?.cpuUsPerOperation),
      figure(node?.fsyncsPerOperation),
      figure(written === undefined ? undefined : written / 1000),
      ...(baseline === undefined ? [] : cells(baseline.ratiosOf(measurement))),
    ]);
  }
  const unsteady = withLoad.some(({ steady }) => steady === 'never') ? '; ~ the rate was not steady' : '';
  const legend = `per operation (a workflow unless its name says otherwise), every result checked${unsteady}`;
  return `${table.toString()}\n${pc.dim(legend)}`;
}

/** `1.4, 3.9`; empty where there is no floor. */
function multiplesOf(multiples: Measurement['multiples']): string {
  const times = (['p50', 'p99'] as const).flatMap((of) => multiples.find(({ what }) => what === of)?.times ?? []);
  return times.map(figure).join(', ');
}

/** Of the limits of its rate the nearest one, as a multiple of the rate. */
function timesOfLimit(multiples: Measurement['multiples']): number | undefined {
  const limits = multiples.filter(({ what }) => what === 'per second').map(({ times }) => times);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/** With `--step`: how the knee was found. */
function renderSteps({ measurements }: Report): string {
  const table = new Table({
    head: ['step by step', 'load', '/s', 'p50 ms', 'p99 ms'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'left', 'right', 'right', 'right'],
  });
  for (const measurement of measurements) {
    measurement.steps.forEach(({ shape, perSecond, p50Ms, p99Ms }, i) => {
      const whose = i === 0 ? `${nameOf(measurement)}, ${measurement.system.name}` : '';
      table.push([whose, describeShape(shape), figure(perSecond), figure(p50Ms), figure(p99Ms)]);
    });
  }
  return table.length === 0 ? '' : table.toString();
}

/** What scenarios measured of their own: a line each. */
function renderFigures({ measurements }: Report): string {
  const table = new Table({
    head: ['scenario', 'figure', ''],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'left', 'right'],
  });
  const peers = measurements.some(({ system, figures }) => figures.length > 0 && system.name !== 'tenuto');
  for (const measurement of measurements) {
    const whose = peers ? `${nameOf(measurement)}, ${measurement.system.name}` : nameOf(measurement);
    measurement.figures.forEach(({ name, value, unit }, i) => {
      table.push([i === 0 ? whose : '', name, `${figure(value)}${unit === '' ? '' : ` ${unit}`}`]);
    });
  }
  return table.length === 0 ? '' : table.toString();
}

function renderNotes({ measurements }: Report, baseline: Baseline | undefined): string {
  const notes = measurements.flatMap((measurement) =>
    measurement.notes.map((note) => `${nameOf(measurement)}: ${note}`),
  );
  return [...notes, ...(baseline?.warnings ?? [])].map((note) => `! ${note}`).join('\n');
}

function cells(ratios: Ratios | undefined): string[] {
  return [times(ratios?.perSecond), times(ratios?.p50)];
}

function times(value: number | undefined): string {
  return value === undefined ? '' : `${figure(value)} ×`;
}

export function nameOf({ scenario, case: which, round }: Measurement): string {
  const name = which === '' ? scenario : `${scenario}: ${which}`;
  return round === 1 ? name : `${name} (${round})`;
}

function roleOf({ roles }: Measurement, role: string): Measurement['roles'][number] | undefined {
  return roles.find((each) => each.role === role);
}

function addUp(...values: readonly (number | undefined)[]): number | undefined {
  const known = values.flatMap((value) => value ?? []);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}

/** Three digits are what a bench can tell. */
export function figure(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '';
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 1000) return Math.round(value).toLocaleString('en-US');
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toPrecision(size >= 1 ? 3 : 2);
}
