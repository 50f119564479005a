// decide(state, message, context): what a message comes to. Pure: the state is read, never written (I4); one file per message.

import type { Message } from './message.ts';
import { answerNexusTask } from './messages/answer-nexus-task.ts';
import { callbackAnswered } from './messages/callback-answered.ts';
import { cancelActivityTask } from './messages/cancel-activity-task.ts';
import { cancelExternal } from './messages/cancel-external.ts';
import { childClosed } from './messages/child-closed.ts';
import { childStartFailed } from './messages/child-start-failed.ts';
import { childStarted } from './messages/child-started.ts';
import { completeActivityTask } from './messages/complete-activity-task.ts';
import { completeWorkflowTask } from './messages/complete-workflow-task.ts';
import { deleteExecution } from './messages/delete-execution.ts';
import { deleteRun } from './messages/delete-run.ts';
import { externalAnswered } from './messages/external-answered.ts';
import { failActivityTask } from './messages/fail-activity-task.ts';
import { failWorkflowTask } from './messages/fail-workflow-task.ts';
import { fireDeadlines } from './messages/fire-deadlines.ts';
import { flowEnd, flowGranted, flowRefused } from './messages/flow-answers.ts';
import { heartbeatActivityTask } from './messages/heartbeat-activity-task.ts';
import { keepTask } from './messages/keep-task.ts';
import { nexusOperationEnded } from './messages/nexus-operation-ended.ts';
import { parentClosed } from './messages/parent-closed.ts';
import { pauseActivity } from './messages/pause-activity.ts';
import { pauseWorkflow } from './messages/pause-workflow.ts';
import { abandonQuery, askQuery, queryAnswered, queryLost } from './messages/query.ts';
import { requestCancel } from './messages/request-cancel.ts';
import { reroute } from './messages/reroute.ts';
import { reset } from './messages/reset.ts';
import { resetActivity } from './messages/reset-activity.ts';
import { signal } from './messages/signal.ts';
import { signalExternal } from './messages/signal-external.ts';
import { start } from './messages/start.ts';
import { startActivityTask } from './messages/start-activity-task.ts';
import { startChild } from './messages/start-child.ts';
import { startScheduled } from './messages/start-scheduled.ts';
import { startWorkflowTask } from './messages/start-workflow-task.ts';
import { terminate } from './messages/terminate.ts';
import { undoStart } from './messages/undo-start.ts';
import { unpauseActivity } from './messages/unpause-activity.ts';
import { unpauseWorkflow } from './messages/unpause-workflow.ts';
import { abandonUpdate, pollUpdate, update } from './messages/update.ts';
import { updateActivityOptions } from './messages/update-activity-options.ts';
import { updateOptions } from './messages/update-options.ts';
import type { Decision, TurnContext } from './outcome.ts';
import { workflowNotFound } from './rejections.ts';
import { misdirected } from './standalone.ts';
import type { ActorState } from './state.ts';

export function decide(state: ActorState, message: Message, context: TurnContext): Decision {
  const refused = misdirected(state, message);
  if (refused !== undefined) return refused;
  switch (message.type) {
    case 'start':
      return start(state, message, context);
    case 'signal':
      return signal(state, message, context);
    case 'requestCancel':
      return requestCancel(state, message, context);
    case 'terminate':
      return terminate(state, message, context);
    case 'reset':
      return reset(state, message, context);
    case 'startWorkflowTask':
      return startWorkflowTask(state, message, context);
    case 'startActivityTask':
      return startActivityTask(state, message, context);
    case 'undoStart':
      return undoStart(state, message, context);
    case 'completeWorkflowTask':
      return completeWorkflowTask(state, message, context);
    case 'failWorkflowTask':
      return failWorkflowTask(state, message, context);
    case 'completeActivityTask':
      return completeActivityTask(state, message, context);
    case 'failActivityTask':
      return failActivityTask(state, message, context);
    case 'cancelActivityTask':
      return cancelActivityTask(state, message, context);
    case 'heartbeatActivityTask':
      return heartbeatActivityTask(state, message, context);
    case 'timer':
      return fireDeadlines(state, context);
    case 'query':
      return askQuery(state, message, context);
    case 'queryAnswered':
      return queryAnswered(state, message, context);
    case 'queryLost':
      return queryLost(state, message, context);
    case 'queryAbandoned':
      return abandonQuery(state, message, context);
    case 'update':
      return update(state, message, context);
    case 'pollUpdate':
      return pollUpdate(state, message, context);
    case 'updateAbandoned':
      return abandonUpdate(state, message, context);
    case 'keepTask':
      return keepTask(state, message, context);
    case 'deleteRun':
      return deleteRun(state, message, context);
    case 'deleteExecution':
      return deleteExecution(state, message, context);
    case 'startChild':
      return startChild(state, message, context);
    case 'signalExternal':
      return signalExternal(state, message, context);
    case 'cancelExternal':
      return cancelExternal(state, message, context);
    case 'parentClosed':
      return parentClosed(state, message, context);
    case 'childStarted':
      return childStarted(state, message, context);
    case 'childStartFailed':
      return childStartFailed(state, message, context);
    case 'childClosed':
      return childClosed(state, message, context);
    case 'externalAnswered':
      return externalAnswered(state, message, context);
    case 'pauseActivity':
      return pauseActivity(state, message, context);
    case 'unpauseActivity':
      return unpauseActivity(state, message, context);
    case 'resetActivity':
      return resetActivity(state, message, context);
    case 'updateActivityOptions':
      return updateActivityOptions(state, message, context);
    case 'callbackAnswered':
      return callbackAnswered(state, message, context);
    case 'answerNexusTask':
      return answerNexusTask(state, message, context);
    case 'nexusOperationEnded':
      return nexusOperationEnded(state, message, context);
    case 'pauseWorkflow':
      return pauseWorkflow(state, message, context);
    case 'unpauseWorkflow':
      return unpauseWorkflow(state, message, context);
    case 'updateOptions':
      return updateOptions(state, message, context);
    case 'reroute':
      return reroute(state, context);
    case 'flowGranted':
      return flowGranted(state, message, context);
    case 'flowRefused':
      return flowRefused(state, message, context);
    case 'flowEnd':
      return flowEnd(state, message, context);
    case 'startScheduled':
      return startScheduled(state, message, context);
    case 'createSchedule':
    case 'updateSchedule':
    case 'patchSchedule':
    case 'deleteSchedule':
    case 'describeSchedule':
    case 'scheduleTimes':
    case 'scheduledStarted':
    case 'scheduledRefused':
    case 'scheduledClosed':
    case 'flowAcquire':
    case 'flowRelease':
    case 'flowReserve':
    case 'setFlowLimits':
    case 'describeFlow':
      return workflowNotFound(state.workflowId);
    default:
      return unknownMessage(message);
  }
}

function unknownMessage(message: never): never {
  throw new Error(`unknown message ${JSON.stringify(message)}`);
}
