// A report as one HTML page that needs nothing else: no script, no font, no address. Pure.

import { compareWith } from '../lib/compare.ts';
import type { Report } from '../lib/report.ts';
import { figure, nameOf } from '../lib/table.ts';
import { renderChart } from './chart.ts';
import { chartsOf } from './curves.ts';
import { type Load, loadsOf, type ScenarioLoads } from './loads.ts';
import { html, type Markup, raw } from './markup.ts';
import { STYLE } from './style.ts';
import { renderLoads, renderOwnFigures, renderProcesses } from './tables.ts';

/** The page itself can ask nobody for anything, whatever a name in it says. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** @param before the run it is compared with */
export function renderPage(report: Report, before: Report | undefined): string {
  const scenarios = loadsOf(report, before);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>Tenuto bench, ${report.date}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<main>
${renderHead(report, before)}
${renderFloors(report)}
${renderNotes(report, before)}
${scenarios.length > 1 ? html`<nav>${scenarios.map(({ scenario }) => html`<a href="#${idOf(scenario)}">${scenario}</a>`)}</nav>` : undefined}
${scenarios.length === 0 ? html`<section><p>Nothing was measured.</p></section>` : scenarios.map(renderScenario)}
${renderLegend(report, before)}
</main>
</body>
</html>
`;
  return page.text;
}

function renderHead({ date, mode, machine, versions }: Report, before: Report | undefined): Markup {
  const systems = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const load = machine.load === undefined ? '' : `, load ${figure(machine.load)} before`;
  const memory = `${figure(machine.memoryMiB / 1024)} GiB`;
  const against =
    before === undefined ? undefined : html`<p class="soft">compared with the run of ${before.date} (dashed)</p>`;
  return html`<h1>Tenuto bench</h1>
<p>${date}, ${mode === 'quick' ? 'a quick run' : 'a usual run'}: ${systems.join(', ')}</p>
<p class="soft">${machine.cores} cores, ${machine.cpu}, ${memory}, ${machine.os}, data on ${machine.fileSystem}${load}</p>
${against}`;
}

function renderFloors({ floors }: Report): Markup {
  const all = [
    ['fsync of 1 KiB', `${figure(floors.fsyncP50Ms)} ms`, `p99 ${figure(floors.fsyncP99Ms)} ms`],
    ['fsyncs, one by one', `${figure(floors.fsyncsPerSecond)} /s`, ''],
    ['loopback round trip', `${figure(floors.roundTripP50Ms)} ms`, `p99 ${figure(floors.roundTripP99Ms)} ms`],
    ['loopback echoes', `${figure(floors.echoesPerSecond)} /s`, 'many in flight'],
    ['MessagePack frames', `${figure(floors.msgpackPerSecond)} /s`, 'one core'],
  ] as const;
  return html`<h2>What this machine can do at best</h2>
<ul class="floors">${all.map(([name, value, more]) => html`<li>${name}<b>${value}</b><span class="soft">${more}</span></li>`)}</ul>`;
}

function renderNotes(report: Report, before: Report | undefined): Markup | undefined {
  const notes = [
    ...report.measurements.flatMap((measurement) => measurement.notes.map((note) => `${nameOf(measurement)}: ${note}`)),
    ...(before === undefined ? [] : compareWith(before, report).warnings),
  ];
  return notes.length === 0 ? undefined : html`<ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>`;
}

function renderScenario({ scenario, loads }: ScenarioLoads): Markup {
  return html`<section id="${idOf(scenario)}">
<h2>${scenario}</h2>
${renderLoads(loads)}
${renderProcesses(loads)}
${renderOwnFigures(loads)}
${loads.map((load) => renderCharts(load, loads.length))}
</section>`;
}

function renderCharts(load: Load, of: number): Markup | undefined {
  const charts = chartsOf(load).flatMap((chart) => renderChart(chart) ?? []);
  if (charts.length === 0) return undefined;
  return html`${of > 1 ? html`<h3>${load.name}</h3>` : undefined}<div class="charts">${charts}</div>`;
}

function renderLegend({ measurements }: Report, before: Report | undefined): Markup {
  const several = measurements.some(({ round }) => round > 1);
  const lines = [
    'Per operation (a workflow unless its name says otherwise), every result checked. p50 and p99 × floor: as multiples of the fsyncs and loopback frames that it cannot do without.',
    ...(measurements.some(({ steady }) => steady === 'never') ? ['~ the rate was not steady.'] : []),
    ...(several ? ['Of several rounds the median (least–most); curves are medians too.'] : []),
    ...(before === undefined ? [] : ['× before: the rate should not fall below 1, the latency not rise above it.']),
    ...(measurements.some(({ system }) => system.name !== 'tenuto')
      ? [
          "tenuto ×: Tenuto's figure as a multiple of that row's; above 1 for rates and below 1 for latencies, Tenuto is ahead.",
        ]
      : []),
  ];
  return html`<footer class="soft">${lines.map((line) => html`<p>${line}</p>`)}</footer>`;
}

/** For links within the page. */
function idOf(scenario: string): string {
  return `scenario-${encodeURIComponent(scenario)}`;
}
