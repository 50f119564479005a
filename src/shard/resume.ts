// What a worker that registers is owed: tasks that were started for its session and that it never received are sent again, the same attempt
// (DESIGN §5, match before commit). Rows are read meanwhile, so that the worker may have registered again, or be gone, when they are there: then
// this registration owes it nothing, and touches nothing (I6: an attempt that it has received since must not be undone). Of the workflow tasks it
// holds it is told which are durable (I1: the notice may have been lost with its connection) and which are over. Called by the engine.

import { decodeToken, encodeToken, type TaskToken } from '../core/workflow/index.ts';
import type { Key } from '../ports/ids.ts';
import type { ResumingWorker } from '../ports/matching.ts';
import type { Actor } from './actor.ts';
import type { Actors } from './actors.ts';
import type { ActorCore } from './core.ts';
import type { Outgoing } from './delivery.ts';
import { deliveryId, type Executor } from './executor.ts';
import { after, readStartedKey, startedPrefix } from './keys.ts';
import type { Reader } from './reader.ts';

/** Started tasks of one session that are looked at. */
const ROWS = 10_000;
/** Held tasks of an earlier process that are looked for; the worker learns of others from their answers. */
const ORPHANS = 1_000;

export interface ResumeOptions {
  core: ActorCore;
  reader: Reader;
  actors: Actors;
  outgoing: Outgoing;
  executor(): Executor;
  onReadFailed(error: unknown): void;
}

type StartedRow = ReturnType<typeof readStartedKey>;

export class Resume {
  readonly #options: ResumeOptions;

  constructor(options: ResumeOptions) {
    this.#options = options;
  }

  begin(worker: ResumingWorker): void {
    const { reader, onReadFailed } = this.#options;
    const { starts } = this.#options.executor();
    const prefix = startedPrefix(worker.session);
    reader.range(prefix as Key, after(prefix), ROWS).then((rows) => {
      const started = rows.map(([row]) => readStartedKey(row, prefix));
      for (const row of started) this.#visit(worker, row, starts);
      if (rows.length < ROWS) this.#orphans(worker, started);
    }, onReadFailed);
  }

  /** Held workflow tasks that an earlier process started, for which there is no row: their entry may be lost. */
  #orphans(worker: ResumingWorker, started: readonly StartedRow[]): void {
    const { actors, core, executor } = this.#options;
    const known = new Set(started.map(idOf));
    let looked = 0;
    for (const held of worker.held) {
      const token = Buffer.from(held, 'latin1');
      const task = decodeToken(token);
      if (task?.kind !== 'workflow' || known.has(idOf(task))) continue;
      looked += 1;
      if (looked > ORPHANS) return;
      const { namespace, workflowId, runId, scheduledEventId, startId } = task;
      actors.with(namespace, workflowId, {
        run: (actor) => {
          const started = core.startedTask(actor.state, 'workflow', runId, scheduledEventId, worker.session);
          if (executor().startedSince(actor.shard, startId, 0)) {
            // In no row: what it rests on is durable once the latest turn is.
            if (started?.type !== 'workflowTaskStarted' || started.speculative !== true) return;
            if (actor.pending === undefined) worker.durable(token);
            else actor.pending.wait({ durable: () => worker.durable(token), failed: () => undefined });
          } else if (started === undefined) worker.over([token]);
        },
        refuse: () => undefined,
      });
    }
  }

  #visit(worker: ResumingWorker, row: StartedRow, starts: number): void {
    this.#options.actors.with(row.namespace, row.workflowId, {
      run: (actor) => {
        const again = (): void => this.#resume(actor, worker, row, starts);
        // What was started before the worker registered is durable once the latest turn is (I1).
        if (actor.pending === undefined) again();
        else actor.pending.wait({ durable: again, failed: () => undefined });
      },
      refuse: () => undefined,
    });
  }

  /** `starts`: how many this process had made when the worker registered; the later ones are delivered like any other. */
  #resume(actor: Actor, worker: ResumingWorker, row: StartedRow, starts: number): void {
    const { core, outgoing, executor } = this.#options;
    const { kind, runId, scheduledEventId } = row;
    // By now it may be another attempt, started for another session.
    const started = core.startedTask(actor.state, kind, runId, scheduledEventId, worker.session);
    if (started === undefined || executor().startedSince(actor.shard, started.ref.startId, starts)) return;
    if (actor.delivering?.has(deliveryId(started)) === true) {
      const again = (): void => this.#visit(worker, row, starts);
      if (!this.#options.outgoing.resumes(started, again)) return;
    }
    const { namespace, workflowId } = actor;
    const token = encodeToken({ kind, namespace, workflowId, ...started.ref });
    if (worker.held.has(Buffer.from(token).toString('latin1'))) {
      if (kind === 'workflow') worker.durable(token);
      return;
    }
    const claim = worker.claim(kind);
    if (claim === undefined) return;
    actor.startsDelivery(deliveryId(started));
    outgoing.handOver(actor, { claim, started });
  }
}

const idOf = ({ kind, workflowId, runId, scheduledEventId }: Omit<StartedRow, 'namespace'> | TaskToken): string =>
  `${kind}\0${workflowId}\0${runId}\0${scheduledEventId}`;
