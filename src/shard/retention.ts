// Retention (DESIGN §5): when a closed run's time is over, its events, rows and visibility go, a bounded number of rows per turn, the timer row
// with the last of them. A crash in between leaves the timer row, and the deletion goes on.

import { type Key, key } from '../ports/ids.ts';
import type { Actors } from './actors.ts';
import type { Executor } from './executor.ts';
import { after, eventsPrefix, runPrefix } from './keys.ts';
import { applied } from './outbox.ts';
import type { Reader } from './reader.ts';
import type { DueTimer } from './timers.ts';
import { deleteVisibilityRows } from './visibility.ts';

/** Rows deleted per turn. */
const ROWS_PER_TURN = 500;

export interface RetentionOptions {
  reader: Reader;
  actors: Actors;
  executor(): Executor;
  onReadFailed(error: unknown): void;
}

export class Retention {
  readonly #options: RetentionOptions;
  deleted = 0;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** `again`: try later. */
  end(timer: DueTimer, again: () => void): void {
    const { retention, namespace, workflowId } = timer;
    if (retention === undefined) return;
    this.#options.actors.with(namespace, workflowId, {
      run: (actor) => {
        const { runId } = retention;
        this.#rows(eventsPrefix(actor.base, runId), runPrefix(actor.base, runId)).then(
          ({ keys, more }) => this.#delete(timer, keys, more, again),
          (error: unknown) => {
            this.#options.onReadFailed(error);
            again();
          },
        );
      },
      refuse: again,
    });
  }

  async #rows(events: string, rows: string): Promise<{ keys: Key[]; more: boolean }> {
    const { reader } = this.#options;
    const ofEvents = await reader.range(key(events), after(events), ROWS_PER_TURN);
    if (ofEvents.length === ROWS_PER_TURN) return { keys: ofEvents.map(([k]) => k), more: true };
    const ofRun = await reader.range(key(rows), after(rows), ROWS_PER_TURN);
    return { keys: [...ofEvents, ...ofRun].map(([k]) => k), more: ofRun.length === ROWS_PER_TURN };
  }

  #delete(timer: DueTimer, keys: readonly Key[], more: boolean, again: () => void): void {
    const { retention, namespace, workflowId } = timer;
    if (retention === undefined) return;
    this.#options.actors.with(namespace, workflowId, {
      run: (actor) => {
        const rows: [Key, Uint8Array | undefined][] = keys.map((k) => [k, undefined]);
        if (!more) {
          const execution = { ...retention, workflowId };
          deleteVisibilityRows({ namespace, shard: actor.shard.id }, execution, (k, value) => rows.push([k, value]));
          rows.push([timer.key, undefined]);
        }
        const message = more ? undefined : ({ type: 'deleteRun', runId: retention.runId } as const);
        this.#options.executor().run(
          actor,
          message,
          (error) => {
            if (!applied(error)) again();
            else if (more) this.end(timer, again);
            else this.deleted += 1;
          },
          { rows },
        );
      },
      refuse: again,
    });
  }
}
