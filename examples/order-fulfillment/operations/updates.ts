// Updates: two that start their workflow between them, more of both stages, and one that is refused. Each good one is accepted and completed once, at the
// place that its caller was told; a refused one has left nothing.

import { WithStartWorkflowOperation, WorkflowUpdateFailedError, WorkflowUpdateStage } from 'tenuto/client';
import { EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import { TASK_QUEUE } from '../model.ts';
import type { Caller } from './caller.ts';
import type { Lane } from './lane.ts';
import { TASK_TIMEOUT_MS } from './names.ts';
import type { notebook } from './workflows.ts';

const NOTES = 6;

interface Notebook {
  readonly workflowId: string;
  /** By note: its place, as its caller was told. */
  readonly places: ReadonlyMap<string, number>;
}

const isFinal = (error: unknown): boolean => error instanceof WorkflowUpdateFailedError;

export function updates(caller: Caller): Lane<Notebook> {
  const { workflow } = caller.client;

  /** Whoever is first starts the workflow. */
  const writeAndStart = (workflowId: string, text: string): Promise<number> =>
    caller.sure(
      `update ${text} with the start of ${workflowId}`,
      () => {
        const startWorkflowOperation = new WithStartWorkflowOperation<typeof notebook>('notebook', {
          ...{ workflowId, taskQueue: TASK_QUEUE, args: [], workflowTaskTimeout: TASK_TIMEOUT_MS },
          ...{ workflowIdConflictPolicy: 'USE_EXISTING', workflowIdReusePolicy: 'REJECT_DUPLICATE' },
        });
        const options = { updateId: text, args: [text] as [string], startWorkflowOperation };
        return workflow.executeUpdateWithStart<typeof notebook, number, [string]>('write', options);
      },
      isFinal,
    );

  const write = (workflowId: string, text: string, stage: 'accepted' | 'completed'): Promise<number> =>
    caller.sure(
      `update ${text} of ${workflowId}`,
      async () => {
        const handle = workflow.getHandle(workflowId);
        const options = { updateId: text, args: [text] as [string] };
        if (stage === 'completed') return handle.executeUpdate<number, [string]>('write', options);
        const { ACCEPTED: waitForStage } = WorkflowUpdateStage;
        const update = await handle.startUpdate<number, [string]>('write', { ...options, waitForStage });
        return update.result();
      },
      isFinal,
    );

  return {
    name: 'updates',
    holds: 'each accepted and completed once, refused ones leave nothing',
    counts: ({ places }) => places.size,

    async perform(n) {
      const workflowId = caller.id(`notebook-${n}`);
      const places = new Map<string, number>();
      const first = ['note-0', 'note-1'];
      for (const [i, place] of (await Promise.all(first.map((text) => writeAndStart(workflowId, text)))).entries())
        places.set(`note-${i}`, place);
      const refused = await write(workflowId, 'bad-0', 'completed').catch((error: unknown) => {
        if (!isFinal(error)) throw error;
      });
      if (refused !== undefined) throw new Error(`the bad note of ${workflowId} was taken`);
      for (let i = first.length; i < NOTES; i += 1) {
        const text = `note-${i}`;
        places.set(text, await write(workflowId, text, i % 2 === 0 ? 'accepted' : 'completed'));
      }
      await caller.signal(workflowId, 'close', 'close');
      return { workflowId, places };
    },

    async wrong({ workflowId, places }) {
      const notes = await caller.result<string[]>(workflowId);
      const misplaced = [...places].find(([text, place]) => notes[place - 1] !== text);
      if (notes.length !== places.size || misplaced !== undefined)
        return `${workflowId} has the notes ${notes.join(' ')}; its callers were told ${JSON.stringify([...places])}`;
      const runs = await caller.find(`WorkflowId = '${workflowId}'`);
      if (runs.length !== 1) return `${workflowId} was started ${runs.length} times`;
      const counted = updatesOf(await caller.historyOf(workflowId));
      for (const id of [...places.keys(), ...counted.keys()]) {
        const { accepted = 0, completed = 0 } = counted.get(id) ?? {};
        if (accepted !== 1 || completed !== 1)
          return `${id} of ${workflowId} was accepted ${accepted} times and completed ${completed} times`;
      }
      return counted.size === places.size
        ? undefined
        : `${workflowId} has the updates ${[...counted.keys()].join(' ')}`;
    },
  };
}

interface Counted {
  accepted: number;
  completed: number;
}

/** By update id, what a history says of them. */
export function updatesOf(events: readonly HistoryEvent[]): Map<string, Counted> {
  const counted = new Map<string, Counted>();
  const of = (id = 'one without an id'): Counted => {
    const known = counted.get(id) ?? { accepted: 0, completed: 0 };
    counted.set(id, known);
    return known;
  };
  for (const event of events) {
    if (event.eventType === EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
      of(event.attributes.protocolInstanceId).accepted += 1;
    if (event.eventType === EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED)
      of(event.attributes.meta?.updateId).completed += 1;
  }
  return counted;
}
