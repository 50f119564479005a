// A schedule starts this workflow. Its number in the outbox makes the start happen once; the schedule is told either way.

import { WorkflowIdConflictPolicy } from '../../../wire/enums.ts';
import type { StartScheduledMessage } from '../../schedule/message.ts';
import type { StartMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { send } from '../relations.ts';
import type { ActorState } from '../state.ts';
import { Turn } from '../turn.ts';
import { badStart, beginChain, makeRoom } from './start.ts';

export function startScheduled(state: ActorState, message: StartScheduledMessage, context: TurnContext): Decision {
  const { by } = message;
  const schedule = { namespace: state.namespace, workflowId: by.workflowId };
  const turn = new Turn(state, context);
  const start = startOf(message, context.spareRunId);
  // The gRPC door takes schedules whose workflow could not be started, as the reference server does.
  if (badStart(start, context) !== undefined || makeRoom(turn, start) !== undefined) {
    const refused = new Turn(state, context);
    send(refused, schedule, { type: 'scheduledRefused', by });
    return refused.outcome({ type: 'accepted' });
  }
  beginChain(turn, start, undefined, by);
  send(turn, schedule, { type: 'scheduledStarted', by, runId: start.runId, startTime: context.now });
  return turn.outcome({ type: 'accepted' });
}

function startOf(message: StartScheduledMessage, runId: string): StartMessage {
  const { type: _type, by: _by, ...input } = message;
  return { ...input, type: 'start', runId, requestId: '', conflictPolicy: WorkflowIdConflictPolicy.FAIL };
}
