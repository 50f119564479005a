// Retention (DESIGN §5): when a closed run's time is over, its events, rows and visibility go, a bounded number of rows per turn, the timer row
// with the last of them. A crash in between leaves the timer row, and the deletion goes on.

import { type Key, key } from '../ports/ids.ts';
import type { WorkflowExecutionInfo } from '../wire/execution-info.ts';
import type { Actors } from './actors.ts';
import { countOf } from './batches.ts';
import type { Executor } from './executor.ts';
import { after, eventsKey, eventsPrefix, firstEventIdOf, retentionKey, runPrefix } from './keys.ts';
import type { ServedNamespace } from './options.ts';
import { applied } from './outbox.ts';
import type { Reader, Row } from './reader.ts';
import { type DueTimer, encodeRetained, type Retained } from './timers.ts';
import { decodeInfo, deleteVisibilityRows, infoKey } from './visibility.ts';

/** Rows deleted per turn. */
const ROWS_PER_TURN = 500;

export interface RetentionOptions {
  /** Other nodes keep the same rows. */
  isReplicated: boolean;
  reader: Reader;
  actors: Actors;
  executor(): Executor;
  namespaces: ReadonlyMap<string, ServedNamespace>;
  /** Whether all namespaces are in the map that there are: at the beginning some may not have been heard of. Default: they are. */
  namespacesKnown?(): boolean;
  onReadFailed(error: unknown): void;
}

/** ms until a run is looked at again whose namespace has not been heard of. */
const UNHEARD_MS = 60_000;

/** What one turn deletes, and the execution as visibility showed it when it is the last. */
interface Doomed {
  keys: Key[];
  more: boolean;
  info: WorkflowExecutionInfo | undefined;
}

const here = (rows: readonly Row[]): { keys: Key[]; more: boolean } => ({
  keys: rows.map(([k]) => k),
  more: rows.length === ROWS_PER_TURN,
});

/**
 * Replicas flush at different moments and so join different batches: a row may begin at any event elsewhere. Whole rows at a time, since the
 * first key of a row tells of the others; a row is bounded by what the flusher joins.
 */
function everywhere(rows: readonly Row[], prefix: string): { keys: Key[]; more: boolean } {
  const keys: Key[] = [];
  let used = 0;
  for (const [k, bytes] of rows) {
    if (keys.length >= ROWS_PER_TURN) break;
    const first = firstEventIdOf(k);
    for (let id = first; id < first + countOf(bytes); id += 1) keys.push(eventsKey(prefix, id));
    used += 1;
  }
  return { keys, more: used < rows.length || rows.length === ROWS_PER_TURN };
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
        const { runId, startTime } = retention;
        const shown = infoKey({ namespace, workflowId, shard: actor.shard.id }, startTime, runId);
        const rows = async (): Promise<void> => {
          const later = await this.#keptUntil(timer, shown);
          if (later !== undefined) return this.#postpone(timer, retention, later, again);
          this.#delete(
            timer,
            await this.#rows(eventsPrefix(actor.base, runId), runPrefix(actor.base, runId), shown),
            again,
          );
        };
        rows().catch((error: unknown) => {
          this.#options.onReadFailed(error);
          again();
        });
      },
      refuse: again,
    });
  }

  /** By what its namespace says now, when that is later than the row said; undefined: its time is over. */
  async #keptUntil({ at, namespace }: DueTimer, shown: Key): Promise<number | undefined> {
    const { reader, namespaces } = this.#options;
    const known = namespaces.get(namespace);
    if (known === undefined) return this.#options.namespacesKnown?.() === false ? at + UNHEARD_MS : undefined;
    const bytes = await reader.get(shown);
    const closeTime = bytes === undefined ? undefined : decodeInfo(bytes).closeTime;
    const until = closeTime === undefined ? at : closeTime + known.retention;
    return until > at ? until : undefined;
  }

  #postpone(timer: DueTimer, retained: { runId: string } & Retained, until: number, again: () => void): void {
    this.#options.actors.with(timer.namespace, timer.workflowId, {
      run: (actor) =>
        this.#options.executor().run(actor, undefined, (error) => (applied(error) ? undefined : again()), {
          rows: [
            [timer.key, undefined],
            [retentionKey(until, actor.base, retained.runId), encodeRetained(retained)],
          ],
        }),
      refuse: again,
    });
  }

  async #rows(events: string, rows: string, shown: Key): Promise<Doomed> {
    const { reader } = this.#options;
    const ofEvents = await reader.range(key(events), after(events), ROWS_PER_TURN);
    const { keys, more } = this.#options.isReplicated ? everywhere(ofEvents, events) : here(ofEvents);
    if (more) return { keys, more, info: undefined };
    const ofRun = await reader.range(key(rows), after(rows), ROWS_PER_TURN);
    for (const [k] of ofRun) keys.push(k);
    // Its attributes name rows, too.
    const bytes = await reader.get(shown);
    const info = bytes === undefined ? undefined : decodeInfo(bytes);
    return { keys, more: ofRun.length === ROWS_PER_TURN, info };
  }

  #delete(timer: DueTimer, { keys, more, info }: Doomed, again: () => void): void {
    const { retention, namespace, workflowId } = timer;
    if (retention === undefined) return;
    this.#options.actors.with(namespace, workflowId, {
      run: (actor) => {
        const rows: [Key, Uint8Array | undefined][] = keys.map((k) => [k, undefined]);
        // A run that was deleted by request is shown no more.
        if (!more && info !== undefined) {
          const at = { namespace, shard: actor.shard.id, economy: actor.shard.ordinary };
          deleteVisibilityRows(at, info, (k, value) => rows.push([k, value]));
        }
        if (!more) rows.push([timer.key, undefined]);
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
