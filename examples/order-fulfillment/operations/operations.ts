// All operations beside each other, for as long as a run lasts, and their audit at its end. Used by the demo under `--chaos`, and by the chaos runs of
// clusters (test/chaos/cluster): whatever was killed meanwhile, each was done once.

import type { Connection } from 'tenuto/client';
import { batches } from './batches.ts';
import { Caller } from './caller.ts';
import { continued } from './continued.ts';
import { families } from './families.ts';
import { finding } from './finding.ts';
import { jobs } from './jobs.ts';
import { type Lane, type LaneReport, LaneRun } from './lane.ts';
import { heldActivities, pausedWorkflows } from './pauses.ts';
import { resets } from './resets.ts';
import { schedules } from './schedules.ts';
import { Turns } from './turns.ts';
import { updates } from './updates.ts';

/** Operations under way at once, of all kinds: they are beside the orders, not instead of them. */
const AT_A_TIME = 2;

export interface OperationsReport {
  readonly lanes: readonly LaneReport[];
  /** Of all kinds, as far as they are acknowledged. */
  readonly performed: number;
  readonly repeatedCalls: number;
}

export class Operations {
  readonly #caller: Caller;
  readonly #stop = new AbortController();
  readonly #quit = new AbortController();
  readonly #runs: readonly LaneRun[];

  /** Begins at once. @param prefix of all ids: '' where the namespace has no other run's */
  constructor(connection: Connection, prefix = '') {
    this.#caller = new Caller(connection, prefix, this.#quit.signal);
    const turns = new Turns(AT_A_TIME);
    this.#runs = lanesOf(this.#caller).map((lane) => new LaneRun(lane, turns, this.#stop.signal));
  }

  get report(): OperationsReport {
    const lanes = this.#runs.map((run) => run.report());
    return {
      ...{ lanes, repeatedCalls: this.#caller.repeated },
      performed: lanes.reduce((sum, { performed }) => sum + performed, 0),
    };
  }

  /** The faults are over: nothing more is begun. Resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#caller.isCalm();
    this.#stop.abort();
    await Promise.all(this.#runs.map(({ over }) => over));
  }

  /** Nobody wants to know any more: calls are repeated no longer. */
  abandon(): void {
    this.#quit.abort(new Error('the run was given up'));
    this.#stop.abort();
  }

  /** After `stop`. Returns what is wrong; empty: all is as it must be. */
  async check(): Promise<string[]> {
    // Each may wait: all do at once.
    await Promise.all(this.#runs.map((run) => run.check()));
    return this.report.lanes.flatMap(({ problems }) => problems);
  }
}

function lanesOf(caller: Caller): readonly Lane<unknown>[] {
  const lanes = [
    schedules(caller),
    batches(caller),
    resets(caller),
    updates(caller),
    families(caller),
    continued(caller),
    jobs(caller),
    finding(caller),
    pausedWorkflows(caller),
    heldActivities(caller),
  ];
  // Each is given back only what it has made itself.
  return lanes as readonly Lane<unknown>[];
}
