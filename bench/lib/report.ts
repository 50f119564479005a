// What a run of the bench leaves behind, as JSON: the terminal table, the HTML page and the next run's `--baseline` are made from it.
// The schemas are the types. Times are ms, memory MiB, CPU µs, unless a name says otherwise.

import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { UsageError } from './flags.ts';

/** Grows when a report of the version before can no longer be read. */
export const REPORT_SCHEMA = 1;

const figure = z.number();
/** Unknown where the system or the kernel does not say. */
const maybe = figure.optional();

export const loadShape = z.discriminatedUnion('kind', [
  /** So many at a time. */
  z.object({ kind: z.literal('closed'), concurrency: figure }),
  /** So many begin per second, whatever becomes of those before: latency is from the instant at which each should have begun. */
  z.object({ kind: z.literal('open'), perSecond: figure }),
]);
export type LoadShape = z.infer<typeof loadShape>;

const latency = z.object({
  meanMs: figure,
  p50Ms: figure,
  p90Ms: figure,
  p99Ms: figure,
  p999Ms: figure,
  maxMs: figure,
  /** HdrHistogram V2, compressed, base64; values in µs. */
  histogram: z.string(),
});
export type Latency = z.infer<typeof latency>;

const role = z.enum(['node', 'worker', 'client', 'store']);

/** All processes of one role together; per operation of the measured time, unknown where none ended in it. */
const roleFigures = z.object({
  role,
  processes: figure,
  cpuUsPerOperation: maybe,
  /** 1: one core, all the time. */
  cores: maybe,
  rssMiB: maybe,
  /** Anonymous memory at the end, and the most that was seen. */
  rssAnonMiB: maybe,
  peakRssAnonMiB: maybe,
  eventLoopDelayP99Ms: maybe,
  /** Of the measured time, 0 to 1. */
  gcShare: maybe,
  fsyncsPerOperation: maybe,
  /** Calls that the system itself counted as refused because something was full. */
  refusedPerOperation: maybe,
  /** What the kernel was told to write to the disk. */
  bytesWrittenPerOperation: maybe,
});
export type RoleFigures = z.infer<typeof roleFigures>;

/** One second. */
const point = z.object({
  /** Since the measured time began. */
  atS: figure,
  perSecond: figure,
  p50Ms: maybe,
  p99Ms: maybe,
  roles: z.array(z.object({ role, cores: maybe, rssAnonMiB: maybe })),
});
export type Point = z.infer<typeof point>;

const multiple = z.object({
  /** Which figure: `p50`, `per second`. */
  what: z.string(),
  /** Of what limit of the machine: `2 fsyncs + 8 loopback frames`. */
  floor: z.string(),
  floorValue: figure,
  unit: z.string(),
  /** The figure is so many times the limit. */
  times: figure,
});
export type Multiple = z.infer<typeof multiple>;

/** One step of a load that grows. */
const step = z.object({ shape: loadShape, perSecond: figure, p50Ms: figure, p99Ms: figure, refused: figure });
export type Step = z.infer<typeof step>;

const measurement = z.object({
  scenario: z.string(),
  /** Which of the scenario's measurements: `100 activities`, `64 KiB`; empty where there is only one. */
  case: z.string(),
  system: z.object({ name: z.string(), version: z.string(), variant: z.string().optional() }),
  /** From 1; more than one where systems take turns. */
  round: figure,
  parameters: z.record(z.string(), figure),
  shape: loadShape.optional(),
  /** What the load is called where its shape is of the day, or each system's own: `at its knee`. */
  load: z.string().optional(),
  clients: figure,
  /** What is counted: `workflow`, `signal`. */
  operation: z.string(),
  counts: z.object({
    warmUp: figure,
    /** Of the measured time, each with the right result. */
    done: figure,
    /** Everything that began, before, in and after the measured time: each ended with the right result. */
    all: figure,
    /** Told to the caller as RESOURCE_EXHAUSTED, once the client had given up coming again by itself, and tried again; the operation is counted once. */
    refused: figure,
  }),
  seconds: figure,
  perSecond: figure,
  latency: latency.optional(),
  roles: z.array(roleFigures),
  series: z.array(point),
  multiples: z.array(multiple),
  /** From when on the rate was steady; `never` in the time a warm-up may take: the figures are of a load that still moved. */
  steady: z.union([z.object({ afterS: figure }), z.literal('never'), z.literal('not judged')]),
  /** With `--step`: each step, the last one past the knee. */
  steps: z.array(step),
  /** The scenario's own: `restart ready`. */
  figures: z.array(z.object({ name: z.string(), value: figure, unit: z.string() })),
  notes: z.array(z.string()),
});
export type Measurement = z.infer<typeof measurement>;

const floors = z.object({
  /** A 1 KiB append and its fdatasync on the disk that holds the data. */
  fsyncP50Ms: figure,
  fsyncP99Ms: figure,
  fsyncsPerSecond: figure,
  /** A WebSocket message there and its echo back, between two processes over loopback, one at a time. */
  roundTripP50Ms: figure,
  roundTripP99Ms: figure,
  /** The same with many in flight. */
  echoesPerSecond: figure,
  /** A frame of a workflow task, encoded and decoded by one core. */
  msgpackPerSecond: figure,
});
export type Floors = z.infer<typeof floors>;

const reportSchema = z.object({
  schema: z.literal(REPORT_SCHEMA),
  /** ISO 8601, when it began. */
  date: z.string(),
  mode: z.enum(['quick', 'usual']),
  machine: z.object({
    cores: figure,
    cpu: z.string(),
    memoryMiB: figure,
    os: z.string(),
    /** Of the folder that holds the data. */
    fileSystem: z.string(),
    /** Average of the last minute, of what ran here before; reports of before have none. */
    load: figure.optional(),
  }),
  /** By name: `node`, `tenuto`, each peer. */
  versions: z.record(z.string(), z.string()),
  floors,
  measurements: z.array(measurement),
});
export type Report = z.infer<typeof reportSchema>;

/** @throws UsageError that names the file and what is wrong with it */
export function readReport(file: string): Report {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(
      `${file} is not a report of the bench: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  const parsed = reportSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new UsageError(
    `${file} is not a report of this version of the bench (schema ${REPORT_SCHEMA}):\n${z.prettifyError(parsed.error)}`,
  );
}

/** Names what was measured, so that it can be found in another run. */
export function keyOf(measurement: Measurement): string {
  const { scenario, case: which, system } = measurement;
  const variant = system.variant === undefined ? '' : ` (${system.variant})`;
  return [scenario, which, `${system.name}${variant}`, loadOf(measurement)].join(' · ');
}

/** The load as it is the same for every system and every run; empty where there is none. */
export function loadOf({ load, shape }: Measurement): string {
  return load ?? (shape === undefined ? '' : describeShape(shape));
}

export function describeShape(shape: LoadShape): string {
  switch (shape.kind) {
    case 'closed':
      return `${shape.concurrency} at a time`;
    case 'open':
      return `${shape.perSecond}/s`;
  }
}
