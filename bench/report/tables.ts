// Tables of a scenario: a row for each system under each load, and the figures that are the scenario's own. On a narrow page each row is a card,
// so each cell carries its column's name.

import type { Measurement, RoleFigures } from '../lib/report.ts';
import { figure } from '../lib/table.ts';
import { type Entry, type Load, over, type Read, timesOf } from './loads.ts';
import { html, type Markup } from './markup.ts';

type Cell = Markup | string | undefined;

interface Column {
  readonly name: string;
  readonly kind: 'text' | 'number';
  cell(entry: Entry, load: Load): Cell;
}

const perSecond: Read = (measurement) => measurement.perSecond;
const p50: Read = ({ latency }) => latency?.p50Ms;
const p99: Read = ({ latency }) => latency?.p99Ms;

const LOAD: Column = { name: 'load', kind: 'text', cell: (_, load) => load.name };
const SYSTEM: Column = { name: 'system', kind: 'text', cell: ({ system }) => system };

const SPEED: readonly Column[] = [
  {
    name: '/s',
    kind: 'number',
    cell: ({ rounds }) =>
      html`${rounds.some(({ steady }) => steady === 'never') ? '~ ' : ''}${spread(rounds, perSecond)}`,
  },
  { name: 'p50 ms', kind: 'number', cell: ({ rounds }) => spread(rounds, p50) },
  { name: 'p99 ms', kind: 'number', cell: ({ rounds }) => spread(rounds, p99) },
  number('p99.9 ms', ({ latency }) => latency?.p999Ms),
  number('p50 × floor', (measurement) => multipleOf(measurement, 'p50')),
  number('p99 × floor', (measurement) => multipleOf(measurement, 'p99')),
];

/** Per operation. */
const COST: readonly Column[] = [
  number('node µs', (measurement) => ofNode(measurement, 'cpuUsPerOperation')),
  number('worker µs', (measurement) => roleOf(measurement, 'worker')?.cpuUsPerOperation),
  number('client µs', (measurement) => roleOf(measurement, 'client')?.cpuUsPerOperation),
  number('fsyncs', (measurement) => roleOf(measurement, 'node')?.fsyncsPerOperation),
  number('KB written', (measurement) => {
    const bytes = ofNode(measurement, 'bytesWrittenPerOperation');
    return bytes === undefined ? undefined : bytes / 1000;
  }),
];

const BEFORE: readonly Column[] = [
  ratio('/s × before', perSecond, 'higher'),
  ratio('p50 × before', p50, 'lower'),
  ratio('p99 × before', p99, 'lower'),
];

const PEERS: readonly Column[] = [
  beside('tenuto: /s ×', perSecond, 'higher'),
  beside('tenuto: p50 ×', p50, 'lower'),
  beside('tenuto: p99 ×', p99, 'lower'),
];

/** Of what had a load: how fast, and what an operation cost. Nothing without any. */
export function renderLoads(loads: readonly Load[]): Markup | undefined {
  const shown = loads.filter(({ entries }) => entries.some(({ rounds }) => rounds[0].shape !== undefined));
  if (shown.length === 0) return undefined;
  const speed = renderColumns([...SPEED, ...BEFORE, ...PEERS], shown);
  const cost = renderColumns(COST, shown);
  return html`${speed}${cost === undefined ? undefined : html`<h3>Per operation</h3>${cost}`}`;
}

/** Of all processes of a role together, in the measured time. */
const PROCESSES: readonly { readonly name: string; read(figures: RoleFigures): number | undefined }[] = [
  { name: 'processes', read: ({ processes }) => processes },
  { name: 'cores', read: ({ cores }) => cores },
  { name: 'CPU µs each', read: ({ cpuUsPerOperation }) => cpuUsPerOperation },
  { name: 'collecting %', read: ({ gcShare }) => (gcShare === undefined ? undefined : 100 * gcShare) },
  { name: 'event loop late, p99 ms', read: ({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms },
  { name: 'RssAnon MiB', read: ({ rssAnonMiB }) => rssAnonMiB },
  { name: 'RssAnon at most', read: ({ peakRssAnonMiB }) => peakRssAnonMiB },
  { name: 'RSS MiB', read: ({ rssMiB }) => rssMiB },
  { name: 'fsyncs each', read: ({ fsyncsPerOperation }) => fsyncsPerOperation },
  {
    name: 'KB written each',
    read: ({ bytesWrittenPerOperation: bytes }) => (bytes === undefined ? undefined : bytes / 1000),
  },
];

/** Node, worker and clients apart: a row for each role of each system under each load. Nothing where no process was watched. */
export function renderProcesses(loads: readonly Load[]): Markup | undefined {
  const entries = loads.flatMap((load) => load.entries.map((entry) => ({ load, entry })));
  const several = loads.some((load) => load.entries.length > 1);
  const columns = [
    ...namedColumn('load', loads),
    ...(several ? [SYSTEM] : []),
    { name: 'of', kind: 'text' } as const,
    ...PROCESSES.map(({ name }) => ({ name, kind: 'number' as const })),
  ];
  const rows = entries.flatMap(({ load, entry: { rounds, system } }) =>
    rounds[0].roles.map(({ role }): Cell[] => [
      ...namedColumn('load', loads).map(() => load.name),
      ...(several ? [system] : []),
      role,
      ...PROCESSES.map(({ read }) =>
        figure(
          over(rounds, (round) => {
            const figures = roleOf(round, role);
            return figures === undefined ? undefined : read(figures);
          })?.median,
        ),
      ),
    ]),
  );
  if (rows.length === 0) return undefined;
  return html`<details><summary>Processes, each role apart</summary>${renderTable(columns, rows)}</details>`;
}

/** None where no load has a name. */
function namedColumn(name: string, loads: readonly Load[]): readonly Pick<Column, 'name' | 'kind'>[] {
  return loads.some((load) => load.name !== '') ? [{ name, kind: 'text' }] : [];
}

/** Those of the columns that have anything to tell. */
function renderColumns(columns: readonly Column[], loads: readonly Load[]): Markup | undefined {
  const telling = columns.filter(({ cell }) =>
    loads.some((load) => load.entries.some((entry) => textOf(cell(entry, load)) !== '')),
  );
  if (telling.length === 0) return undefined;
  const systems = loads.some(({ entries }) => entries.length > 1) ? [SYSTEM] : [];
  const all = [LOAD, ...systems, ...telling];
  const rows = loads.flatMap((load) => load.entries.map((entry) => all.map(({ cell }) => cell(entry, load))));
  return renderTable(all, rows);
}

/** What the scenario measured of its own; nothing without any. */
export function renderOwnFigures(loads: readonly Load[]): Markup | undefined {
  const entries = loads.flatMap((load) => load.entries.map((entry) => ({ load, entry })));
  const withBefore = entries.some(({ entry: { before } }) => before.some(({ figures }) => figures.length > 0));
  const several = loads.some((load) => load.entries.length > 1);
  const columns = [
    ...namedColumn('measured', loads),
    ...(several ? [SYSTEM] : []),
    { name: 'figure', kind: 'text' },
    { name: 'value', kind: 'number' },
    ...(withBefore ? ([{ name: 'before', kind: 'number' }] as const) : []),
  ] as const;
  const rows = entries.flatMap(({ load, entry: { rounds, before, system } }) =>
    rounds[0].figures.map(({ name, unit }): Cell[] => {
      const read: Read = ({ figures }) => figures.find((each) => each.name === name)?.value;
      const value = (of: readonly Measurement[]): Cell => html`${spread(of, read)}${unit === '' ? '' : ` ${unit}`}`;
      return [
        ...namedColumn('measured', loads).map(() => load.name),
        ...(several ? [system] : []),
        name,
        value(rounds),
        ...(withBefore ? [over(before, read) && value(before)] : []),
      ];
    }),
  );
  return rows.length === 0 ? undefined : renderTable(columns, rows);
}

function renderTable(columns: readonly Pick<Column, 'name' | 'kind'>[], rows: readonly (readonly Cell[])[]): Markup {
  return html`<div class="scroll"><table>
<thead><tr>${columns.map(({ name, kind }) => html`<th scope="col" class="${kind}">${name}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${columns.map(({ name, kind }, i) => html`<td class="${kind}" data-name="${name}">${row[i]}</td>`)}</tr>\n`)}</tbody>
</table></div>`;
}

function number(name: string, read: Read): Column {
  return { name, kind: 'number', cell: ({ rounds }) => figure(over(rounds, read)?.median) };
}

function ratio(name: string, read: Read, better: 'higher' | 'lower'): Column {
  return { name, kind: 'number', cell: ({ rounds, before }) => times(timesOf(rounds, before, read), better) };
}

function beside(name: string, read: Read, better: 'higher' | 'lower'): Column {
  return {
    name,
    kind: 'number',
    cell: (entry, { entries }) => {
      const ours = oursOf(entries);
      if (ours === undefined || ours === entry) return undefined;
      return times(timesOf(ours.rounds, entry.rounds, read), better);
    },
  };
}

function oursOf(entries: readonly Entry[]): Entry | undefined {
  return entries.find(({ rounds }) => rounds[0].system.name === 'tenuto');
}

/** Three digits tell `1.00` from what is ahead or behind. */
function times(value: number | undefined, better: 'higher' | 'lower'): Cell {
  if (value === undefined) return undefined;
  const ahead = better === 'higher' ? value > 1 : value < 1;
  return value === 1 ? '1 ×' : html`<span class="${ahead ? 'ahead' : 'behind'}">${figure(value)} ×</span>`;
}

function spread(measurements: readonly Measurement[], read: Read): Cell {
  const of = over(measurements, read);
  if (of === undefined) return undefined;
  if (of.least === of.most) return figure(of.median);
  return html`${figure(of.median)} <small>(${figure(of.least)}–${figure(of.most)})</small>`;
}

function roleOf({ roles }: Measurement, role: RoleFigures['role']): RoleFigures | undefined {
  return roles.find((each) => each.role === role);
}

function multipleOf({ multiples }: Measurement, of: 'p50' | 'p99'): number | undefined {
  return multiples.find(({ what }) => what === of)?.times;
}

/** With the store where it is a process of its own. */
function ofNode(measurement: Measurement, key: 'cpuUsPerOperation' | 'bytesWrittenPerOperation'): number | undefined {
  const [node, store] = [roleOf(measurement, 'node')?.[key], roleOf(measurement, 'store')?.[key]];
  return node === undefined ? store : node + (store ?? 0);
}

function textOf(cell: Cell): string {
  return cell === undefined ? '' : String(cell);
}
