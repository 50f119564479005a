// The watches over what operations do to workflows, one for each kind, fed by Truth with each entry as it becomes durable.

import type { Key } from '../../../src/ports/ids.ts';
import { readPart } from '../../../src/shard/keys.ts';
import type { Methods } from '../../../src/wire/api.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { SchedulePatch } from '../../../src/wire/schedule.ts';
import { Violation } from '../kernel.ts';
import type { Relations } from '../relations.ts';
import type { TrueRun } from '../truth.ts';
import type { VersionWatch } from '../version-watch.ts';
import { BatchWatch } from './batch-watch.ts';
import { CronWatch } from './cron-watch.ts';
import { DeletionWatch } from './deletion-watch.ts';
import { PauseWatch } from './pause-watch.ts';
import { ScheduleWatch } from './schedule-watch.ts';

/** A row of an actor, and where its key goes on after the actor's address. */
export interface ActorsRow {
  readonly key: Key;
  readonly value: Uint8Array | undefined;
  readonly namespace: string;
  readonly address: string;
  readonly end: number;
}

export interface KnownHistory {
  readonly rows: ReadonlyMap<string, Uint8Array>;
  readonly entries: number;
  run(runId: string): TrueRun | undefined;
  buffered(workflowId: string, runId: string): HistoryEvent[];
  readonly relations: Relations;
  readonly versions: VersionWatch;
}

export class Watches {
  readonly schedules: ScheduleWatch;
  readonly batches: BatchWatch;
  readonly deletions: DeletionWatch;
  readonly pauses = new PauseWatch();
  readonly #crons = new CronWatch();
  readonly #seen = new Set<string>();

  readonly #known: KnownHistory;

  constructor(known: KnownHistory) {
    this.#known = known;
    this.schedules = new ScheduleWatch({
      run: (runId) => known.run(runId),
      lastOf: (first) => known.relations.lastRunOf(first),
    });
    this.deletions = new DeletionWatch(known);
    this.batches = new BatchWatch(known, this.deletions);
  }

  /** Of an entry that is being applied. */
  row(key: Key, value: Uint8Array | undefined): void {
    this.deletions.row(key, value);
    if (key.startsWith('o')) {
      if (value !== undefined) this.schedules.message(value);
      return;
    }
    if (!key.startsWith('a')) return;
    const namespace = readPart(key, 3);
    const { text: address, next: end } = readPart(key, namespace.next);
    const row: ActorsRow = { key, value, namespace: namespace.text, address, end };
    switch (key.charAt(end)) {
      case 'c':
        this.schedules.row(row);
        break;
      case 'j':
        this.batches.row(row);
        break;
      case 'r':
        this.pauses.row(row);
        break;
      case 'w':
        this.#known.versions.row(row);
        break;
      default:
    }
  }

  /** A new one: none of a history that a reset took over. */
  event(run: TrueRun, event: HistoryEvent): void {
    this.schedules.began(run, event);
    this.#crons.event(run, event);
  }

  /** The entry is applied. */
  entered(time: number): void {
    this.schedules.entered(time);
    this.batches.entered();
    this.deletions.entered(time);
  }

  /** A node has got a request. */
  asked(
    method: string,
    body: { workflowId?: string; runId?: string; scheduleId?: string; patch?: SchedulePatch },
  ): void {
    if (method === 'deleteWorkflowExecution') this.deletions.asked(body.runId ?? '');
    if (method === 'patchSchedule') this.schedules.patched(body.scheduleId ?? '', body.patch ?? {});
    this.pauses.asked(method, body);
    this.#known.versions.asked(method, body);
  }

  /** What an answer shows is durable (I1). */
  answered(method: string, body: unknown, answer: unknown): void {
    switch (method) {
      case 'describeWorkerDeploymentVersion':
        this.#known.versions.described(
          body as Methods['describeWorkerDeploymentVersion']['request'],
          answer as Methods['describeWorkerDeploymentVersion']['response'],
        );
        return;
      case 'describeSchedule':
        this.schedules.described(
          (body as Methods['describeSchedule']['request']).scheduleId,
          answer as Methods['describeSchedule']['response'],
        );
        return;
      case 'describeBatchOperation':
        this.batches.described(answer as Methods['describeBatchOperation']['response']);
        return;
      case 'deleteWorkflowExecution':
        // The simulation names the run, always: a repeat that comes late must not mean another one.
        this.deletions.answered((body as Methods['deleteWorkflowExecution']['request']).runId ?? '');
        return;
      case 'resetWorkflowExecution': {
        const { runId } = answer as Methods['resetWorkflowExecution']['response'];
        if (this.#known.run(runId) === undefined)
          throw new Violation('I1', `a reset to run ${runId} was acknowledged, which is not durable`);
        return;
      }
      default:
    }
  }

  seen(what: string): void {
    this.#seen.add(what);
  }

  /** What was met: a run of the simulator that meets none of it was in vain. */
  get met(): string[] {
    return [
      this.#seen,
      this.schedules.seen,
      this.batches.seen,
      this.pauses.seen,
      this.#crons.seen,
      this.deletions.seen,
    ].flatMap((seen) => [...seen]);
  }
}
