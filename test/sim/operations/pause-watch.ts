// Activities that a client paused: from the entry that has the pause on no attempt of them begins, until somebody asks the node to let them go on.
// By the rows of the activities, and by the requests that reach the node: an unpause that was not asked for is one that never was.

import type { ActivityRow } from '../../../src/core/workflow/rows.ts';
import { storedRow } from '../../../src/shard/actors.ts';
import { readPart, rowKey, runPrefix } from '../../../src/shard/keys.ts';
import { same } from '../flush-watch.ts';
import { Violation } from '../kernel.ts';
import type { ActorsRow } from './watches.ts';

/** Asks that may let an activity go on. */
const RELEASES: ReadonlySet<string> = new Set(['unpauseActivity', 'resetActivity']);

interface Hold {
  readonly workflowId: string;
  readonly pausedAt: number;
  /** Somebody asked the node to let it go on, since it was paused. */
  released: boolean;
  /** The attempt that was under way already. */
  startId: ActivityRow['startId'];
}

export class PauseWatch {
  /** Workflows whose activities somebody pauses: the rows of others are not looked at. */
  readonly #workflows = new Set<string>();
  /** By row. */
  readonly #holds = new Map<string, Hold>();
  readonly seen = new Set<string>();

  /** The node has got a request. */
  asked(method: string, { workflowId = '' }: { workflowId?: string }): void {
    if (method === 'pauseActivity') this.#workflows.add(workflowId);
    if (!RELEASES.has(method)) return;
    for (const hold of this.#holds.values()) if (hold.workflowId === workflowId) hold.released = true;
  }

  row({ key, value, address: workflowId, end }: ActorsRow): void {
    if (!this.#workflows.has(workflowId)) return;
    const { text: runId } = readPart(key, end + 1);
    const prefix = runPrefix(key.slice(1, end), runId);
    const id = key.slice(prefix.length + 1);
    if (key !== rowKey(key.slice(1, end), 'activity', runId, id) || !/^\d+$/.test(id)) return;
    // Of the table `activity`, by its key.
    const row = value === undefined ? undefined : (storedRow(key, prefix, runId, value).value as ActivityRow);
    const hold = this.#holds.get(key);
    if (row === undefined || (hold?.released === true && row.pause === undefined)) this.#holds.delete(key);
    else if (row.pause !== undefined && row.pause.at !== hold?.pausedAt) {
      this.#holds.set(key, { workflowId, pausedAt: row.pause.at, released: false, startId: row.startId });
      this.seen.add('an activity was paused');
    } else if (hold !== undefined && !hold.released) {
      if (row.startId !== undefined && !same(row.startId, hold.startId))
        throw new Violation('end', `activity ${id} of ${workflowId} is paused, and attempt ${row.attempt} begins`);
      hold.startId = row.startId;
    }
  }
}
