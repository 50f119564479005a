// What a report looks like, and what it is compared with.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { compareWith } from './compare.ts';
import { UsageError } from './flags.ts';
import { type Measurement, REPORT_SCHEMA, type Report, readReport } from './report.ts';
import { figure, renderReport } from './table.ts';

const folder = mkdtempSync(join(tmpdir(), 'tenuto-bench-report-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function measurement(more: Partial<Measurement> = {}): Measurement {
  return {
    scenario: 'throughput',
    case: '',
    system: { name: 'tenuto', version: '0.1.0' },
    round: 1,
    parameters: { concurrency: 256 },
    shape: { kind: 'closed', concurrency: 256 },
    clients: 1,
    operation: 'workflow',
    counts: { warmUp: 10, done: 8000, all: 8100, refused: 0 },
    seconds: 2,
    perSecond: 4000,
    latency: { meanMs: 60, p50Ms: 62, p90Ms: 80, p99Ms: 101, p999Ms: 120, maxMs: 130, histogram: '' },
    roles: [
      { role: 'node', processes: 1, cpuUsPerOperation: 230, fsyncsPerOperation: 0.02, bytesWrittenPerOperation: 5200 },
      { role: 'worker', processes: 1, cpuUsPerOperation: 170 },
      { role: 'client', processes: 1, cpuUsPerOperation: 45 },
    ],
    series: [],
    multiples: [
      { what: 'p50', floor: '2 fsyncs + 8 loopback frames', floorValue: 2, unit: 'ms', times: 31 },
      { what: 'p99', floor: '2 fsyncs + 8 loopback frames', floorValue: 2, unit: 'ms', times: 50.5 },
      { what: 'per second', floor: 'an echo', floorValue: 20_000, unit: '/s', times: 5 },
      { what: 'per second', floor: 'one core', floorValue: 10_000, unit: '/s', times: 2.5 },
    ],
    steady: { afterS: 2 },
    steps: [],
    figures: [],
    notes: [],
    ...more,
  };
}

function report(measurements: Measurement[], more: Partial<Report> = {}): Report {
  return {
    schema: REPORT_SCHEMA,
    date: '2026-01-01T00:00:00.000Z',
    mode: 'quick',
    machine: { cores: 2, cpu: 'A CPU', memoryMiB: 16_000, os: 'Linux 6', fileSystem: 'ext4' },
    versions: { node: 'v20.0.0', tenuto: '0.1.0' },
    floors: {
      fsyncP50Ms: 0.5,
      fsyncP99Ms: 2,
      fsyncsPerSecond: 1500,
      roundTripP50Ms: 0.1,
      roundTripP99Ms: 0.3,
      echoesPerSecond: 40_000,
      msgpackPerSecond: 500_000,
    },
    measurements,
    ...more,
  };
}

/** The cells of each line of the tables. */
function rows(text: string): string[][] {
  const lines = stripVTControlCharacters(text).split('\n');
  return lines
    .filter((line) => line.startsWith('│'))
    .map((line) =>
      line
        .split('│')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe('a report', () => {
  it('says the machine, its floors, and a line for each measurement', () => {
    const text = renderReport(report([measurement()]), undefined);
    expect(text).toContain('2 cores, A CPU, Linux 6, data on ext4; node v20.0.0, tenuto 0.1.0');
    expect(text).toContain('this machine: fsync 0.50 ms (p99 2, 1,500/s)');
    expect(rows(text)).toEqual([
      [
        'scenario',
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
      ],
      ['throughput', '256 at a time', '4,000', '62', '101', '31, 50.5', '2.50', '230', '170', '45', '0.020', '5.20'],
    ]);
  });

  it('marks a rate that was not steady, and says notes', () => {
    const text = renderReport(report([measurement({ steady: 'never', notes: ['something was odd'] })]), undefined);
    expect(rows(text)[1]?.[2]).toBe('~ 4,000');
    expect(text).toContain('~ the rate was not steady');
    expect(text).toContain('! throughput: something was odd');
  });

  it('lists the steps to the knee, where there are any', () => {
    const step = {
      shape: { kind: 'closed', concurrency: 16 },
      perSecond: 900,
      p50Ms: 5,
      p99Ms: 9,
      refused: 0,
    } as const;
    const text = renderReport(report([measurement({ load: 'at its knee', steps: [step] })]), undefined);
    expect(rows(text)).toContainEqual(['throughput, tenuto', '16 at a time', '900', '5', '9']);
    expect(renderReport(report([measurement()]), undefined)).not.toContain('step by step');
  });

  it('lists what a scenario measured of its own', () => {
    const own = measurement({
      scenario: 'start',
      shape: undefined,
      figures: [{ name: 'ready', value: 212, unit: 'ms' }],
    });
    expect(rows(renderReport(report([own]), undefined))).toContainEqual(['start', 'ready', '212 ms']);
    const theirs = { ...own, system: { name: 'other', version: '1' } };
    const both = rows(renderReport(report([own, theirs]), undefined));
    expect(both).toContainEqual(['start, tenuto', 'ready', '212 ms']);
    expect(both).toContainEqual(['start, other', 'ready', '212 ms']);
  });

  it('puts peers beside, and says how many times Tenuto is theirs', () => {
    const latency = { meanMs: 330, p50Ms: 310, p90Ms: 400, p99Ms: 500, p999Ms: 500, maxMs: 500, histogram: '' };
    const peer = measurement({
      system: { name: 'other', version: '1', variant: '1 partition' },
      perSecond: 800,
      latency,
    });
    const text = renderReport(report([measurement(), peer]), undefined);
    const [, theirs] = rows(text).filter(([, , system]) => system === 'tenuto' || system === 'other (1 partition)');
    expect(theirs?.slice(-3, -1)).toEqual(['5 ×', '0.20 ×']);
    expect(rows(renderReport(report([measurement()]), undefined)).flat()).not.toContain('system');
  });

  it('gives the spread of rounds, and names the variants of a peer that did worse', () => {
    const other = (variant: string, perSecond: number, round: number) =>
      measurement({ system: { name: 'other', version: '1', variant }, perSecond, round });
    const rounds = [other('a', 100, 1), other('b', 50, 1), other('a', 300, 2), other('b', 60, 2)];
    const text = renderReport(report([measurement(), ...rounds]), undefined);
    expect(rows(text).find(([, , system]) => system === 'other (a)')?.[3]).toBe('200 (100–300)');
    expect(text).toContain('throughput: other (a) did better than b (55/s');
  });
});

describe('a baseline', () => {
  const before = report([measurement({ perSecond: 2000 })]);

  it('gives ratios to what was measured the same way', () => {
    const now = report([measurement(), measurement({ shape: { kind: 'closed', concurrency: 8 } })]);
    const [, same, other] = rows(renderReport(now, compareWith(before, now)));
    expect(same?.slice(-2)).toEqual(['2 ×', '1 ×']);
    expect(other?.slice(-2)).toEqual(['', '']);
  });

  it('gives ratios to the median of the rounds of before, also at a knee that lay elsewhere', () => {
    const at = (concurrency: number, perSecond: number) =>
      measurement({ perSecond, shape: { kind: 'closed', concurrency }, load: 'at its knee' });
    const rounds = report([at(64, 1_000), at(128, 9_000), at(64, 2_000)]);
    const [, line] = rows(renderReport(report([at(512, 4_000)]), compareWith(rounds, rounds)));
    expect(line?.at(-2)).toBe('2 ×');
  });

  it('warns of another machine, another mode, and of a disk that has changed', () => {
    const floors = { ...before.floors, fsyncP50Ms: 1.5 };
    const machine = { ...before.machine, cores: 64 };
    expect(compareWith(before, report([], { floors, machine, mode: 'usual' })).warnings).toEqual([
      'the baseline is of another machine: 2 cores, A CPU',
      'the baseline is of a quick run, this is a usual one',
      'fsync takes 3.00 times what it took in the baseline: compare multiples, not ms',
    ]);
    expect(compareWith(before, before).warnings).toEqual([]);
  });
});

describe('a report as a file', () => {
  const file = join(folder, 'report.json');

  it('reads as it was written', () => {
    const written = report([measurement()]);
    writeFileSync(file, JSON.stringify(written));
    expect(readReport(file)).toEqual(written);
  });

  it.each([
    ['is not there', undefined, /is not a report of the bench: ENOENT/],
    ['is no JSON', 'no JSON', /is not a report of the bench: /],
    [
      'is of another version',
      JSON.stringify({ ...report([]), schema: 0 }),
      /is not a report of this version of the bench \(schema 1\):.*schema/s,
    ],
    ['lacks something', JSON.stringify({ ...report([]), floors: {} }), /floors\.fsyncP50Ms/],
  ])('is refused by name when it %s', (_, content, message) => {
    const broken = join(folder, 'broken.json');
    rmSync(broken, { force: true });
    if (content !== undefined) writeFileSync(broken, content);
    expect(() => readReport(broken)).toThrow(message);
    expect(() => readReport(broken)).toThrow(broken);
    expect(() => readReport(broken)).toThrow(UsageError);
  });
});

it.each([
  [undefined, ''],
  [Number.NaN, ''],
  [0, '0'],
  [4, '4'],
  [0.0213, '0.021'],
  [1.234, '1.23'],
  [62.04, '62.0'],
  [612.4, '612'],
  [4012.6, '4,013'],
])('tells %s in three digits as %s', (value, text) => {
  expect(figure(value)).toBe(text);
});
