// Lines on a chart, as SVG that takes its colours from the page's style. Of points that are known only; without any there is no chart.

import { figure } from '../lib/table.ts';
import { html, type Markup } from './markup.ts';
import { LEAST, linearFromZero, logarithmic, percentiles, type Scale } from './scale.ts';

export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface Line {
  readonly name: string;
  /** Which of the page's colours, from 0. */
  readonly colour: number;
  /** `before`: of the run it is compared with. */
  readonly from: 'this run' | 'before';
  readonly places: readonly Place[];
}

export interface Chart {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly x: 'seconds' | 'percentile' | 'rate';
  /** Written at the axis: `ms`. */
  readonly yUnit: string;
  readonly y: 'from zero' | 'by ratio';
  /** The axis reaches so far at least: charts beside each other are compared. */
  readonly yAtLeast?: number | undefined;
}

export const COLOURS = 6;
const WIDTH = 360;
const HEIGHT = 190;
const LEFT = 44;
const RIGHT = 18;
const TOP = 10;
const BOTTOM = 30;
const Y_TICKS = 4;
const X_TICKS = 5;
/** More points are a line only; so many have a dot each, with its figures to hover. */
const MOST_DOTS = 40;

const X_LABELS: Readonly<Record<Chart['x'], string>> = {
  seconds: 'seconds',
  percentile: 'percentile',
  rate: 'per second',
};

export function renderChart(chart: Chart): Markup | undefined {
  const lines = chart.lines
    .map((line) => ({ ...line, places: line.places.filter((place) => isKnown(place, chart)) }))
    .filter(({ places }) => places.length > 0);
  if (lines.length === 0) return undefined;
  const places = lines.flatMap((line) => line.places);
  const xScale = scaleOfX(
    chart.x,
    places.map(({ x }) => x),
  );
  const ys = [...places.map(({ y }) => y), ...(chart.yAtLeast === undefined ? [] : [chart.yAtLeast])];
  const yScale = chart.y === 'from zero' ? linearFromZero(ys, Y_TICKS) : logarithmic(ys);
  const at = ({ x, y }: Place): { left: number; top: number } => ({
    left: short(LEFT + xScale.at(x) * (WIDTH - LEFT - RIGHT)),
    top: short(HEIGHT - BOTTOM - yScale.at(y) * (HEIGHT - TOP - BOTTOM)),
  });
  return html`<figure class="chart">
<figcaption>${chart.title} <span class="unit">${chart.yUnit}</span></figcaption>
${lines.length > 1 ? renderLegend(lines) : undefined}
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${chart.title}, ${chart.yUnit}">
${renderAxes(chart, xScale, yScale)}
${lines.map((line) => renderLine(line, at, chart))}
</svg>
</figure>`;
}

function renderAxes({ x }: Chart, xScale: Scale, yScale: Scale): Markup {
  const right = WIDTH - RIGHT;
  const floor = HEIGHT - BOTTOM;
  const horizontal = yScale.ticks.map((tick) => {
    const top = short(floor - yScale.at(tick) * (floor - TOP));
    return html`<line class="grid" x1="${LEFT}" x2="${right}" y1="${top}" y2="${top}"/><text x="${LEFT - 6}" y="${top + 4}" text-anchor="end">${tickOf(tick)}</text>`;
  });
  const vertical = xScale.ticks.map((tick) => {
    const left = short(LEFT + xScale.at(tick) * (right - LEFT));
    return html`<line class="mark" x1="${left}" x2="${left}" y1="${floor}" y2="${floor + 4}"/><text x="${left}" y="${floor + 15}" text-anchor="middle">${x === 'percentile' ? String(tick) : tickOf(tick)}</text>`;
  });
  return html`${horizontal}${vertical}<text class="axis" x="${right}" y="${HEIGHT - 3}" text-anchor="end">${X_LABELS[x]}</text>`;
}

function renderLine(line: Line, at: (place: Place) => { left: number; top: number }, { x, yUnit }: Chart): Markup {
  const points = line.places.map((place) => ({ ...at(place), place }));
  const path = points.map(({ left, top }, i) => `${i === 0 ? 'M' : 'L'}${left} ${top}`).join('');
  const dots = points.length > MOST_DOTS ? [] : points;
  const xOf = (value: number): string => (x === 'percentile' ? `p${value}` : `${figure(value)} ${X_LABELS[x]}`);
  return html`<g class="${classOf(line)}"><path d="${path}"/>${dots.map(
    ({ left, top, place }) =>
      html`<circle cx="${left}" cy="${top}" r="2.5"><title>${line.name}, ${xOf(place.x)}: ${figure(place.y)} ${yUnit}</title></circle>`,
  )}</g>`;
}

function renderLegend(lines: readonly Line[]): Markup {
  return html`<ul class="legend">${lines.map(
    (line) =>
      html`<li class="${classOf(line)}"><svg viewBox="0 0 18 8" aria-hidden="true"><path d="M0 4L18 4"/></svg>${line.name}</li>`,
  )}</ul>`;
}

function classOf({ colour, from }: Line): string {
  return `c${colour % COLOURS}${from === 'before' ? ' before' : ''}`;
}

function scaleOfX(kind: Chart['x'], values: readonly number[]): Scale {
  switch (kind) {
    case 'percentile':
      return percentiles(Math.max(...values));
    case 'seconds':
    case 'rate':
      return linearFromZero(values, X_TICKS);
  }
}

function isKnown({ x, y }: Place, chart: Chart): boolean {
  if (!Number.isFinite(x) || !Number.isFinite(y) || x < 0) return false;
  return chart.y === 'from zero' ? y >= 0 : y >= LEAST;
}

/** Short enough for the room beside an axis. */
function tickOf(value: number): string {
  if (value >= 1_000_000) return `${Number((value / 1_000_000).toPrecision(3))} M`;
  if (value >= 10_000) return `${Number((value / 1000).toPrecision(3))} k`;
  return String(Number(value.toPrecision(3)));
}

function short(value: number): number {
  return Math.round(value * 10) / 10;
}
