import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from '../lib/histogram.ts';
import { type Measurement, REPORT_SCHEMA, type Report } from '../lib/report.ts';
import { type Chart, renderChart } from './chart.ts';
import { MOST_PLACES, secondsOf } from './curves.ts';
import { escapeText, html } from './markup.ts';
import { renderPage } from './page.ts';
import { linearFromZero, logarithmic, percentiles } from './scale.ts';

function latencyOf(...ms: number[]): Measurement['latency'] {
  const histogram = new LatencyHistogram();
  for (const each of ms) histogram.record(each * 1000);
  return histogram.toLatency();
}

function measurement(more: Partial<Measurement> = {}): Measurement {
  return {
    scenario: 'throughput',
    case: '',
    system: { name: 'tenuto', version: '0.1.0' },
    round: 1,
    parameters: {},
    shape: { kind: 'closed', concurrency: 256 },
    clients: 1,
    operation: 'workflow',
    counts: { warmUp: 0, done: 100, all: 100, refused: 0 },
    seconds: 2,
    perSecond: 4000,
    latency: latencyOf(10, 20, 30, 40),
    roles: [{ role: 'node', processes: 1, cpuUsPerOperation: 230 }],
    series: [1, 2].map((atS) => ({
      atS,
      ...{ perSecond: 4000, p50Ms: 20, p99Ms: 40 },
      roles: [{ role: 'node' as const, cores: 0.8, rssAnonMiB: 120 }],
    })),
    multiples: [],
    steady: { afterS: 2 },
    steps: [],
    figures: [],
    notes: [],
    ...more,
  };
}

function report(...measurements: Measurement[]): Report {
  return {
    schema: REPORT_SCHEMA,
    date: '2026-01-01T00:00:00.000Z',
    mode: 'quick',
    machine: { cores: 2, cpu: 'A CPU', memoryMiB: 16_384, os: 'Linux 6', fileSystem: 'ext4' },
    versions: { node: 'v20.0.0', tenuto: '0.1.0' },
    floors: {
      ...{ fsyncP50Ms: 0.5, fsyncP99Ms: 2, fsyncsPerSecond: 1500, roundTripP50Ms: 0.1, roundTripP99Ms: 0.3 },
      ...{ echoesPerSecond: 40_000, msgpackPerSecond: 500_000 },
    },
    measurements,
  };
}

/** The rows of the page's tables: each cell as `column: text`. */
function cells(page: string): string[][] {
  const rows = page.match(/<tr><td.*?<\/tr>/gs) ?? [];
  return rows.map((row) =>
    [...row.matchAll(/data-name="([^"]*)">(.*?)<\/td>/gs)].map(
      ([, name, content = '']) => `${name}: ${content.replace(/<[^>]*>/g, '')}`,
    ),
  );
}

function titles(page: string): string[] {
  return [...page.matchAll(/<figcaption>(.*?) <span/g)].map(([, title = '']) => title);
}

describe('the page of a report', () => {
  it('says the machine, versions and floors, and a row and charts for each load', () => {
    const page = renderPage(report(measurement()), undefined);
    expect(page).toContain('2 cores, A CPU, 16 GiB, Linux 6, data on ext4');
    expect(page).toContain('node v20.0.0, tenuto 0.1.0');
    expect(page).toContain('fsync of 1 KiB<b>0.50 ms</b>');
    const speed = cells(page)[0];
    expect(speed).toEqual(expect.arrayContaining(['load: 256 at a time', '/s: 4,000', 'p50 ms: 20.0']));
    const all = [
      'Latency by percentile',
      'Throughput over time',
      'p99 over time',
      'CPU over time',
      'RssAnon over time',
    ];
    expect(titles(page)).toEqual(all);
  });

  it('tells what node, worker and clients took, each apart', () => {
    const roles: Measurement['roles'] = [
      {
        role: 'node',
        processes: 1,
        cores: 0.9,
        gcShare: 0.125,
        eventLoopDelayP99Ms: 3,
        rssMiB: 120,
        fsyncsPerOperation: 0.5,
      },
      { role: 'client', processes: 2, cores: 0.25 },
    ];
    const rounds = [measurement({ roles }), measurement({ roles, round: 2 })];
    const rows = cells(renderPage(report(...rounds), undefined)).filter((row) =>
      row.some((cell) => cell.startsWith('of:')),
    );
    const node = [
      'load: 256 at a time',
      'of: node',
      'processes: 1',
      'cores: 0.90',
      'collecting %: 12.5',
      'RSS MiB: 120',
    ];
    expect(rows).toEqual([
      expect.arrayContaining([...node, 'event loop late, p99 ms: 3', 'fsyncs each: 0.50']),
      expect.arrayContaining(['of: client', 'processes: 2', 'cores: 0.25', 'fsyncs each: ']),
    ]);
  });

  it('needs nothing else, and can ask for nothing', () => {
    const page = renderPage(report(measurement()), report(measurement()));
    expect(page).toContain('default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;');
    expect(page).not.toMatch(/<script|<link|<img|\bsrc=|https?:|url\(|@import/);
  });

  it('escapes whatever a report holds', () => {
    const bad = '<script>"\'&';
    const one = measurement({
      ...{ scenario: bad, case: bad, system: { name: bad, version: bad, variant: bad }, notes: [bad] },
      figures: [{ name: bad, value: 1, unit: bad }],
    });
    const page = renderPage({ ...report(one, measurement()), date: bad, versions: { [bad]: bad } }, undefined);
    expect(page).not.toContain('<script');
    expect(page).toContain('&lt;script&gt;&quot;&#39;&amp;');
  });

  it('is a page without measurements', () => {
    expect(renderPage(report(), undefined)).toContain('Nothing was measured.');
  });

  it('has no table of loads and no chart for a scenario that has none', () => {
    const own = measurement({ shape: undefined, latency: undefined, roles: [], series: [], figures: [] });
    const page = renderPage(report({ ...own, figures: [{ name: 'ready', value: 250, unit: 'ms' }] }), undefined);
    expect(cells(page)).toEqual([['figure: ready', 'value: 250 ms']]);
    expect(titles(page)).toEqual([]);
  });

  it('gives medians of rounds with their spread, and Tenuto as a multiple of each peer', () => {
    const restate = { name: 'restate', version: '1', variant: '1 partition' };
    const rounds = [1000, 4000, 3000].map((perSecond, i) => measurement({ perSecond, round: i + 1 }));
    const peer = [1000, 1500, 2000].map((perSecond, i) => measurement({ perSecond, round: i + 1, system: restate }));
    const page = renderPage(report(...rounds, ...peer), undefined);
    const [ours, theirs] = cells(page);
    expect(ours).toEqual(expect.arrayContaining(['system: tenuto', '/s: 3,000 (1,000–4,000)', 'tenuto: /s ×: ']));
    expect(theirs).toEqual(expect.arrayContaining(['system: restate (1 partition)', 'tenuto: /s ×: 2 ×']));
    expect(titles(page)).toContain('CPU over time: restate (1 partition)');
  });

  it('stands beside the run before: multiples, and dashed lines', () => {
    const page = renderPage(report(measurement()), report(measurement({ perSecond: 2000 })));
    expect(cells(page)[0]).toEqual(expect.arrayContaining(['/s × before: 2 ×', 'p50 × before: 1 ×']));
    expect(page).toContain('tenuto, before');
    expect(page).toMatch(/class="c0 before"/);
  });

  it('leaves out the curve of a baseline whose histogram cannot be read', () => {
    const [latency] = [latencyOf(1)];
    const before = measurement({ latency: latency && { ...latency, histogram: 'no histogram' } });
    expect(titles(renderPage(report(measurement()), report(before)))).toContain('Latency by percentile');
  });
});

describe('a chart', () => {
  const chart = (y: Chart['y'], ...ys: number[]): Chart => ({
    ...{ title: 't', x: 'seconds', yUnit: 'ms', y },
    lines: [{ name: 'a', colour: 0, from: 'this run', places: ys.map((each, x) => ({ x, y: each })) }],
  });

  it('is none without points', () => {
    expect(renderChart(chart('from zero'))).toBeUndefined();
    expect(renderChart(chart('by ratio', 0, Number.NaN))).toBeUndefined();
  });

  it('draws all of its points within itself, whatever they are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 30 }),
        fc.constantFrom('from zero' as const, 'by ratio' as const),
        (ys, y) => {
          const text = renderChart(chart(y, ...ys))?.text ?? '';
          expect(text).not.toMatch(/NaN|Infinity/);
          for (const [, left, top] of text.matchAll(/cx="([^"]*)" cy="([^"]*)"/g)) {
            expect(Number(left)).toBeGreaterThanOrEqual(0);
            expect(Number(left)).toBeLessThanOrEqual(360);
            expect(Number(top)).toBeGreaterThanOrEqual(0);
            expect(Number(top)).toBeLessThanOrEqual(190);
          }
        },
      ),
    );
  });
});

describe('a scale', () => {
  it.each([
    [[], [0, 0.25, 0.5, 0.75, 1]],
    [[0], [0, 0.25, 0.5, 0.75, 1]],
    [[7], [0, 2, 4, 6, 8]],
    [
      [4000, 100],
      [0, 1000, 2000, 3000, 4000],
    ],
    [[0.3], [0, 0.1, 0.2, 0.3]],
  ])('from zero takes in %j', (values, ticks) => expect(linearFromZero(values, 4).ticks).toEqual(ticks));

  it.each([
    [[], [1, 2, 5, 10]],
    [[3], [2, 5]],
    [[1], [1, 2]],
    [[0.4, 30], [0.2, 0.5, 1, 2, 5, 10, 20, 50].filter((tick) => tick === 1 || tick === 10)],
    [
      [0, -1, 2, 9],
      [2, 5, 10],
    ],
  ])('by ratio takes in %j', (values, ticks) => {
    const scale = logarithmic(values);
    expect(scale.ticks).toEqual(ticks);
    for (const value of values.filter((each) => each > 0)) {
      expect(scale.at(value)).toBeGreaterThanOrEqual(0);
      expect(scale.at(value)).toBeLessThanOrEqual(1);
    }
  });

  it('of percentiles gives each further nine as much room', () => {
    const scale = percentiles(99.9);
    expect(scale.ticks).toEqual([0, 50, 90, 99, 99.9]);
    expect([0, 90, 99, 99.9].map((each) => Number(scale.at(each).toFixed(6)))).toEqual([0, 0.333333, 0.666667, 1]);
  });
});

it('thins thousands of seconds, and keeps the worst of each stretch', () => {
  const series = Array.from({ length: 7200 }, (_, i) => ({ atS: i + 1, perSecond: i === 5000 ? 9 : 1, roles: [] }));
  const most = secondsOf([measurement({ series })], ({ perSecond }) => perSecond, 'most');
  expect(most.length).toBeLessThanOrEqual(MOST_PLACES);
  expect(Math.max(...most.map(({ y }) => y))).toBe(9);
});

it('markup escapes text once, and what is markup already not again', () => {
  expect(html`<b title="${'"'}">${html`<i>${'<&'}</i>`}${['a', undefined, 1]}</b>`.text).toBe(
    '<b title="&quot;"><i>&lt;&amp;</i>a1</b>',
  );
  expect(escapeText("'")).toBe('&#39;');
});
