// A signal: appended, or buffered while a workflow task is started; applied exactly once for its request id (I5).

import { EventType } from '../../../wire/enums.ts';
import type { SignalMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { alreadyCompleted, invalidArgument } from '../rejections.ts';
import { refusedSignal, signalAttributes } from '../signals.ts';
import { sizeOf } from '../size.ts';
import { type ActorState, isOpen } from '../state.ts';
import { refusedForRequestIds, resolve, seenBefore } from '../target.ts';
import { nothing, Turn } from '../turn.ts';
import { wakeWorkflow } from '../workflow-task.ts';

export function signal(state: ActorState, message: SignalMessage, context: TurnContext): Decision {
  const seen = seenBefore(state, message.requestId);
  if (seen !== undefined) return nothing({ type: 'accepted', runId: seen.runId });
  const resolved = resolve(state, message.target);
  if ('rejection' in resolved) return resolved.rejection;
  const { run } = resolved;
  if (!isOpen(run)) return alreadyCompleted();
  if (message.input !== undefined && sizeOf(message.input) > context.limits.blobBytes) {
    return invalidArgument('Blob data size exceeds limit.');
  }
  const turn = new Turn(state, context);
  const refused = refusedSignal(turn, run) ?? refusedForRequestIds(turn, message.requestId, 'message');
  if (refused !== undefined) return refused;
  turn.remember(message.requestId, run.runId);
  const draft = turn.open(run);
  draft.record(EventType.WORKFLOW_EXECUTION_SIGNALED, signalAttributes(message), draft.now, message.links);
  wakeWorkflow(draft);
  return turn.outcome({ type: 'accepted', runId: run.runId });
}
