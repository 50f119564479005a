// A reset needs the history of its run, which is in no row of the actor: it is read here, with those of the runs that continued it, and the message
// goes on with it. What the actor decided while it was read is added from memory, so that a busy workflow can be reset, too. Called by inbound.ts.

import type { ResetHistory, ResetMessage } from '../core/workflow/message.ts';
import type { Reply } from '../core/workflow/outcome.ts';
import type { Done } from '../ports/engine.ts';
import { EventType } from '../wire/enums.ts';
import type { HistoryEvent } from '../wire/event.ts';
import type { Status } from '../wire/status.ts';
import type { Actor } from './actor.ts';
import type { Actors } from './actors.ts';
import { decodeBatch } from './batches.ts';
import type { ActorCore, StoredRow } from './core.ts';
import type { Executor } from './executor.ts';
import { readHistory, readLastEvent } from './history.ts';
import type { Reader } from './reader.ts';
import type { Reads } from './reads.ts';
import { exhausted, messageOf, unavailable } from './status.ts';

/** Bytes of history that a reset reads at most: the new run's part of it becomes one entry of the log. */
const MAX_RESET_BYTES = 16 * 2 ** 20;
/** Runs that continued the one which is reset; the events of more are not applied again. */
const MAX_LATER_RUNS = 1_000;
const PAGE_BYTES = 2 ** 20;
/** A workflow that goes on faster than it is read is asked for again so often. */
const TRIES = 5;

export interface ResetsOptions {
  core: ActorCore;
  actors: Actors;
  reader: Reader;
  reads: Reads;
  executor(): Executor;
  onReadFailed(error: unknown): void;
}

interface Found {
  runs: ReadRun[];
  /** Of the run that is reset, when it is an earlier one. */
  rows: StoredRow[];
}

interface ReadRun {
  runId: string;
  events: HistoryEvent[];
}

class TooBig extends Error {}

export class Resets {
  readonly #options: ResetsOptions;

  constructor(options: ResetsOptions) {
    this.#options = options;
  }

  speak(actor: Actor, message: ResetMessage, done: Done<Reply>, tries = TRIES): void {
    const { namespace, workflowId } = actor;
    const { core, actors, executor } = this.#options;
    const current = core.currentRunId(actor.state);
    if (current === undefined) {
      executor().run(actor, message, done);
      return;
    }
    const runId = message.target.runId || current;
    const lastEventId = core.queryBasis(actor.state, current)?.lastEventId ?? 0;
    const refuse = (why: Status): void => done(why, undefined);
    const read = (): void => {
      this.#read(actor, runId, { runId: current, lastEventId }).then(
        (found) =>
          actors.with(namespace, workflowId, {
            run: (live) => {
              if (runId !== current && found.rows.length > 0) core.adopt(live.state, runId, found.rows);
              const history = this.#complete(live, found.runs, current);
              if (history !== undefined) executor().run(live, { ...message, history }, done);
              else if (tries > 1) this.speak(live, message, done, tries - 1);
              else
                refuse(unavailable(`Workflow ${workflowId} goes on faster than its history is read: try again.`, 'no'));
            },
            refuse,
          }),
        (error: unknown) => refuse(this.#failure(workflowId, runId, error)),
      );
    };
    // Only what is durable can be read, and an earlier run may have closed a moment ago.
    if (actor.pending === undefined) read();
    else actor.pending.wait({ durable: read, failed: refuse });
  }

  async #read(actor: Actor, runId: string, current: { runId: string; lastEventId: number }): Promise<Found> {
    const { reader, reads } = this.#options;
    const runs: ReadRun[] = [];
    let bytes = 0;
    for (let next: string | undefined = runId; next !== undefined && runs.length <= MAX_LATER_RUNS; ) {
      const run: ReadRun = { runId: next, events: [] };
      const last =
        next === current.runId ? current.lastEventId : (await readLastEvent(reader, actor.base, next))?.eventId;
      for (let from: number | undefined = 1; from !== undefined && last !== undefined && from <= last; ) {
        const range = { runId: next, from, to: last, maximumBytes: PAGE_BYTES, edges: 'exact' as const };
        const page: Awaited<ReturnType<typeof readHistory>> = await readHistory(reader, actor.base, range);
        for (const batch of page.events) {
          bytes += batch.length;
          if (bytes > MAX_RESET_BYTES) throw new TooBig();
          run.events.push(...decodeBatch(batch));
        }
        from = page.nextEventId;
      }
      runs.push(run);
      const end = run.events.at(-1);
      next =
        end?.eventType === EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW
          ? end.attributes.newExecutionRunId || undefined
          : undefined;
    }
    return { runs, rows: runId === current.runId ? [] : await reads.rowsOf(actor, runId) };
  }

  /** With what the current run has got since it was read; undefined: some of that is not in memory. */
  #complete(actor: Actor, [base, ...later]: ReadRun[], readAsCurrent: string): ResetHistory | undefined {
    if (base === undefined) return undefined;
    const open = [base, ...later].find(({ runId }) => runId === readAsCurrent);
    if (open !== undefined && !this.#grow(actor, open)) return undefined;
    return { base: base.events, later };
  }

  #grow(actor: Actor, { runId, events }: ReadRun): boolean {
    const { core } = this.#options;
    if (core.currentRunId(actor.state) !== runId) return false;
    const to = core.queryBasis(actor.state, runId)?.lastEventId ?? 0;
    const since = actor.tail.read(runId, events.length + 1, to);
    for (const batch of since ?? []) events.push(...decodeBatch(batch));
    return since !== undefined;
  }

  #failure(workflowId: string, runId: string, error: unknown): Status {
    if (error instanceof TooBig) {
      return exhausted(
        'RESET',
        `The history of run ${runId} of workflow ${workflowId} is larger than the ${MAX_RESET_BYTES / 2 ** 20} MiB that can be reset.`,
      );
    }
    this.#options.onReadFailed(error);
    return unavailable(`Run ${runId} of workflow ${workflowId} cannot be read: ${messageOf(error)}`, 'no');
  }
}
