// The words of the bench: what is under load (`System`), what is done to it (`Scenario`), and what both agree on. What comes of it is
// `Measurement` and `Report` (report.ts). Peers implement `System` and `ClientModule`; nothing here knows Tenuto.

import type { Floors, LoadShape, Measurement } from './report.ts';

// ---------------------------------------------------------------- work

/**
 * The workflows a system may be asked to run. Each takes `WorkInput` and must return `expectedOf` of it: `n` is threaded through the steps, so that
 * a step that was skipped or ran on a wrong input shows in the result.
 *
 * - `none` returns at once: `{ value, n: 0 }`, whatever `count`
 * - `sequence` has `count` remote steps (activities), one after the other: step i is `advance({ value, n })`, the next one takes what it returned
 * - `parallel` starts `count` remote steps at once, step i as `advance({ value, n: i })`, and returns how many answered `{ value, n: i + 1 }`
 * - `local` is `sequence` with steps in the worker's own process (local activities, `ctx.run`, DBOS steps)
 * - `children` starts `count` children of kind `none` at once and returns how many answered as they should
 * - `continued` continues as new `count` times
 * - `timer` sleeps `count` ms, durably, and returns `{ value, n: count }`
 *
 * - `collector` is started rather than executed: it counts signals `add` and updates `addNow` until a signal says `end`, answers the query `seen`
 *   meanwhile, and returns how many came
 *
 * The others are Tenuto's alone so far, and are started rather than executed: `sleeper` sleeps `count` ms; `due` until the epoch ms `count`; `long` has `count` activities in sequence,
 * then waits for `end`; `searched` upserts the search attribute `BenchStage` `count` times, `stage-1` to the last, and returns like `sequence`.
 */
export const WORKFLOW_KINDS = [
  'none',
  'sequence',
  'parallel',
  'local',
  'children',
  'continued',
  'timer',
  'sleeper',
  'due',
  'collector',
  'long',
  'searched',
] as const;
export type WorkflowKind = (typeof WORKFLOW_KINDS)[number];

/** What `searched` upserts: a keyword, registered by the scenario that needs it. */
export const STAGE_ATTRIBUTE = 'BenchStage';

export interface WorkInput {
  /** Goes through every step unchanged. Its length is the scenario's payload. */
  readonly value: string;
  readonly count: number;
}

/** Also what a step takes and returns: the step `advance` answers `{ value, n: n + 1 }`. */
export interface WorkResult {
  readonly value: string;
  readonly n: number;
}

export interface Work {
  readonly kind: WorkflowKind;
  /** Of the workflow; unique in a run of the bench. */
  readonly id: string;
  readonly input: WorkInput;
}

export function expectedOf({ kind, input: { value, count } }: Pick<Work, 'kind' | 'input'>): WorkResult {
  return { value, n: kind === 'none' ? 0 : count };
}

/** What a client does beside executing. A system whose `Driver` has no `call` has none of the scenarios that need one. */
export type Call =
  | { readonly call: 'start'; readonly work: Work }
  | { readonly call: 'signal'; readonly id: string; readonly name: 'add' | 'end' }
  | { readonly call: 'query'; readonly id: string; readonly name: 'seen' }
  /** Answered with how many were counted, this one too. */
  | { readonly call: 'update'; readonly id: string; readonly name: 'addNow' }
  | { readonly call: 'result'; readonly id: string }
  /** A remote step without a workflow, from its start to its outcome: answered with what it returned. */
  | { readonly call: 'activity'; readonly id: string; readonly input: WorkResult }
  /** To its first workflow task; resolves when the new run is there. */
  | { readonly call: 'reset'; readonly id: string }
  /** Starts the work once, at a whole second; its runs get ids of their own. */
  | { readonly call: 'schedule'; readonly id: string; readonly dueMs: number; readonly work: Work }
  /** Of all schedules of this run of the bench: answered with `FiredSchedule[]`. */
  | { readonly call: 'schedules' }
  | { readonly call: 'list'; readonly filter: string; readonly atMost: number }
  | { readonly call: 'count'; readonly filter: string };

export interface FiredSchedule {
  readonly id: string;
  /** Of each start, the time from when it was due, ms. */
  readonly lateMs: readonly number[];
}

// ---------------------------------------------------------------- systems

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue | undefined };

/** What is under load: Tenuto, or a peer. */
export interface System {
  /** Also its name on the command line. */
  readonly name: string;
  /** As it says itself, or as it was installed. */
  readonly version: string;
  /** How it is set up, where there are several ways: `1 partition`. */
  readonly variant?: string;
  /** What its workers can run. Scenarios that need others pass it over. */
  readonly kinds: readonly WorkflowKind[];
  /** A fresh one, with an empty store of its own on this machine's disk, and its workers. Resolves when it takes work. */
  start(): Promise<RunningSystem>;
}

export interface RunningSystem {
  /** How client processes reach it. */
  readonly target: Target;
  /** All that it consists of now, the load generator's clients apart. Each with its descendants. */
  processes(): readonly SystemProcess[];
  /** Ends all of them and removes the data. Never throws for what is gone already. */
  stop(): Promise<void>;
}

/** Goes over IPC to the client processes, which import `module` and call its `connect` with `settings`. */
export interface Target {
  /** `file:` URL of a `ClientModule`. */
  readonly module: string;
  readonly settings: JsonValue;
}

export interface ClientModule {
  connect(settings: JsonValue): Promise<Driver>;
}

/** What a driver throws when the system refuses because it is full: the load generator tries again, and counts. */
export class BusyError extends Error {
  override readonly name = 'BusyError';
}

/** One client's connection. Calls are made concurrently. */
export interface Driver {
  /** Resolves with what the workflow returned, unchecked: the load generator compares. */
  execute(work: Work): Promise<unknown>;
  call?(call: Call): Promise<unknown>;
  close(): Promise<void>;
}

export type Role = 'node' | 'worker' | 'client' | 'store';

export interface SystemProcess {
  readonly role: Role;
  /** Among those of its role: `n1`. */
  readonly name: string;
  readonly pid: number;
  /** What only the process itself knows, since it began. */
  inside?(): Promise<InsideFigures>;
}

/** Sums since the process began, but for the delay: that since it was asked last. */
export interface InsideFigures {
  readonly fsyncs?: number | undefined;
  /** Calls refused because something was full. */
  readonly refused?: number | undefined;
  readonly gcMs?: number | undefined;
  readonly eventLoopDelayP99Ms?: number | undefined;
}

// ---------------------------------------------------------------- scenarios

export interface Parameter {
  readonly what: string;
  readonly usual: number;
  /** With `--quick`. */
  readonly quick: number;
  /** What may be set. Default: a count, from 1. An amount may have a fraction, and is more than 0. */
  readonly is?: 'a count' | 'a count or 0' | 'an amount';
  readonly atMost?: number;
}

export interface Scenario {
  readonly name: string;
  /** One line: what the figures tell. */
  readonly shows: string;
  /** `quick`: also part of `npm run bench -- --quick` without names; `usual`: of one without it; `asked`: only by its name. */
  readonly runs: 'quick' | 'usual' | 'asked';
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** Load shapes it takes; the first is its own. None: it has a load of its own making. */
  readonly shapes: readonly LoadShape['kind'][];
  /** Without shapes: loads of its own making that are measured by time nevertheless, so that it takes `--duration` and `--clients`. */
  readonly ownLoads?: 'by time';
  /** What a system must be able to run. `tenuto`: the scenario reaches behind the system's back. */
  readonly needs: readonly WorkflowKind[] | 'tenuto';
  /** @throws Error when a result is wrong or missing */
  run(context: ScenarioContext): Promise<readonly Measurement[]>;
}

/** What the command line says of the load; a scenario has defaults for what it leaves open. */
export interface LoadFlags {
  readonly ratePerSecond?: number | undefined;
  readonly concurrency?: number | undefined;
  readonly clients?: number | undefined;
  readonly durationMs?: number | undefined;
  /** Raise the load until the knee. */
  readonly step: 'no' | 'until the knee';
}

export interface ScenarioContext {
  readonly system: System;
  /** One value for each of the scenario's parameters. */
  readonly parameters: Readonly<Record<string, number>>;
  readonly load: LoadFlags;
  readonly mode: 'quick' | 'usual';
  readonly floors: Floors;
  readonly progress: Progress;
}

/** What is seen while it runs. */
export interface Progress {
  /** A new stage. */
  say(text: string): void;
  /** The stage goes on; the latest one replaces those before it. */
  tick(text: string): void;
}
