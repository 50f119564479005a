// Workflows that a client starts in one seed of nine beside the others: some call back over HTTP when they have closed, one is begun by two updates at
// once. What must hold of callbacks their receiver says (operations/callback-watch.ts), of updates the watch of what callers are told.

import { defaultPayloadConverter, toPayloads } from '../../sdk/common/payload-converter.ts';
import {
  UpdateWorkflowExecutionLifecycleStage,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '../../src/wire/enums.ts';
import type { Caller } from './caller.ts';
import { type Process, Violation } from './kernel.ts';
import { NAMESPACE, TASK_QUEUE } from './names.ts';
import { type CallbackWatch, callbackUrl } from './operations/callback-watch.ts';
import { SeededRandom } from './random.ts';

export interface CalledJournal {
  readonly workflowId: string;
  readonly how: 'calls back' | 'begun by updates';
  readonly pauseMs: number;
  over: boolean;
}

const CALLING = 4;
/** Only every so many seeds have some, as with activities without a workflow (jobs.ts). */
const PERIOD = 9;
const PHASE = 7;
const FIRST = ['note-a', 'note-b'];
const LAST = 'note-c';
const { USE_EXISTING } = WorkflowIdConflictPolicy;
const { REJECT_DUPLICATE } = WorkflowIdReusePolicy;

/** Of a random stream of their own, so that the rest of a plan is what it was. */
export function makeCalled(seed: number): CalledJournal[] {
  if (seed % PERIOD !== PHASE) return [];
  const random = new SeededRandom(`called ${seed}`);
  const of = (workflowId: string, how: CalledJournal['how']): CalledJournal => {
    return { workflowId, how, pauseMs: random.between(0, 3_000), over: false };
  };
  return [
    ...Array.from({ length: CALLING }, (_, i) => of(`calls-back-${i}`, 'calls back')),
    of('begun-by-updates', 'begun by updates'),
  ];
}

const payloads = (...args: unknown[]) => ({ payloads: toPayloads(defaultPayloadConverter, ...args) ?? [] });

export async function runCalled(
  process: Process,
  caller: Caller,
  callbacks: CallbackWatch,
  journal: CalledJournal,
): Promise<void> {
  if (journal.over) return;
  const { workflowId } = journal;
  await caller.wait(journal.pauseMs);
  const identity = process.name;
  const start = { namespace: NAMESPACE, workflowId, taskQueue: TASK_QUEUE, identity };
  switch (journal.how) {
    case 'calls back':
      callbacks.expect(workflowId);
      await caller.sure('startWorkflowExecution', {
        ...{ ...start, workflowType: 'pipeline', input: payloads(1), requestId: `${workflowId}/start` },
        completionCallbacks: [{ nexus: { url: callbackUrl(workflowId) } }],
        workflowIdReusePolicy: REJECT_DUPLICATE,
      });
      break;
    case 'begun by updates': {
      const spec = (updateId: string) => ({
        ...{ updateId, updateName: 'note', args: payloads(updateId) },
        waitStage: UpdateWorkflowExecutionLifecycleStage.COMPLETED,
      });
      const runs = FIRST.map(async (updateId) => {
        const answer = await caller.sure('updateWithStartWorkflowExecution', {
          ...{ ...start, workflowType: 'ledger', input: payloads(FIRST.length + 1), update: spec(updateId) },
          ...{ requestId: `${workflowId}/${updateId}`, workflowIdConflictPolicy: USE_EXISTING },
          workflowIdReusePolicy: REJECT_DUPLICATE,
        });
        return answer.start.runId;
      });
      const [one, other] = await Promise.all(runs);
      if (one !== other) throw new Violation('I8', `${workflowId} was begun twice: as run ${one}, and as ${other}`);
      await caller.sure('updateWorkflowExecution', { namespace: NAMESPACE, workflowId, identity, ...spec(LAST) });
    }
  }
  journal.over = true;
}
