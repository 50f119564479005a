// There is no room for a speculative task to wait in memory: it waits in the backlog, with its Scheduled event, like any other.

import type { KeepTaskMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { workflowTaskNotFound } from '../rejections.ts';
import type { ActorState } from '../state.ts';
import { Turn } from '../turn.ts';
import { offerTask } from '../workflow-task.ts';

export function keepTask(state: ActorState, message: KeepTaskMessage, context: TurnContext): Decision {
  const { run } = state;
  const task = run?.speculative;
  if (run === undefined || run.runId !== message.runId || task === undefined) return workflowTaskNotFound();
  if (task.startId !== undefined || task.scheduledEventId !== message.scheduledEventId) return workflowTaskNotFound();
  const turn = new Turn(state, context);
  const draft = turn.open(run);
  const kept = draft.keepTask();
  if (kept !== undefined) offerTask(draft, kept);
  return turn.outcome({ type: 'accepted' });
}
