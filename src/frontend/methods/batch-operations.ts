// What a batch job is to do to each execution, taken from the request that starts it and checked as the method for one execution would. Used by batch.ts.

import type { BatchOperation, BatchResetPoint } from '../../core/batch/operations.ts';
import type { BatchActivities, BatchOperations, ResetOptions } from '../../wire/batch.ts';
import type { Services } from '../door.ts';
import { invalid } from '../validate/check.ts';
import * as rules from '../validate/rules.ts';
import { changeOf, choiceOf, jitterOf } from './activity-control.ts';
import { changeOf as optionsChangeOf } from './execution-options.ts';
import { understoodAfterwards } from './post-reset.ts';
import { excludedOf } from './reset.ts';
import { endingReason } from './standalone-activity.ts';

export const MISSING = 'must provide required parameters: BatchType/Reason/Namespace/Query/Executions';

export interface Wanted {
  operation: BatchOperation;
  identity: string;
}

type Given<K extends keyof BatchOperations> = NonNullable<BatchOperations[K]>;

/** One line an operation of the API: how it is understood. */
const UNDERSTOOD: { readonly [K in keyof BatchOperations]-?: (services: Services, given: Given<K>) => BatchOperation } =
  {
    terminationOperation: (services, { details }) => {
      rules.blob(services.limits, details);
      return { type: 'terminate', details };
    },
    cancellationOperation: () => ({ type: 'cancel' }),
    deletionOperation: () => ({ type: 'delete' }),
    signalOperation: (services, { signal, input, header }) => {
      rules.present(services.limits, 'SignalName', signal);
      rules.blob(services.limits, input);
      rules.blob(services.limits, header);
      return { type: 'signal', signalName: signal, input, header };
    },
    resetOperation: (services, { options, resetType, resetReapplyType, postResetOperations }) => {
      const afterwards = understoodAfterwards(services, postResetOperations);
      if (options !== undefined)
        return { type: 'reset', point: pointOf(services, options), exclude: excludedOf(options), ...afterwards };
      const exclude = excludedOf({ resetReapplyType });
      return { type: 'reset', point: oldPoint(resetType ?? 0), exclude, ...afterwards };
    },
    updateWorkflowOptionsOperation: (_, { workflowExecutionOptions, updateMask }) => {
      if (workflowExecutionOptions === undefined) throw invalid('must provide UpdateOptions');
      if (updateMask === undefined) throw invalid('must provide UpdateMask');
      return { type: 'updateOptions', ...optionsChangeOf(workflowExecutionOptions, updateMask) };
    },
    pauseWorkflowOperation: () => ({ type: 'pauseWorkflow' }),
    unpauseWorkflowOperation: () => ({ type: 'unpauseWorkflow' }),
    pauseActivitiesOperation: (services, given) => ({ type: 'pauseActivities', activities: chosen(services, given) }),
    unpauseActivitiesOperation: (services, { resetAttempts = false, resetHeartbeat = false, jitter, ...given }) => ({
      ...{ type: 'unpauseActivities', activities: chosen(services, given), resetAttempts },
      resetHeartbeats: resetHeartbeat,
      ...jitterOf(services, jitter),
    }),
    resetActivitiesOperation: (
      services,
      { resetHeartbeat = false, keepPaused = false, restoreOriginalOptions = false, jitter, ...given },
    ) => ({
      ...{ type: 'resetActivities', activities: chosen(services, given), resetHeartbeats: resetHeartbeat, keepPaused },
      restoreOriginalOptions,
      ...jitterOf(services, jitter),
    }),
    updateActivityOptionsOperation: (services, given) => ({
      ...{ type: 'updateActivityOptions', activities: chosen(services, given), change: changeOf(services, given) },
    }),
    cancelActivitiesOperation: (_, { reason }) => ({ type: 'cancelStandalone', reason: endingReason(reason) }),
    terminateActivitiesOperation: (_, { reason }) => ({ type: 'terminateStandalone', reason: endingReason(reason) }),
    deleteActivitiesOperation: () => ({ type: 'deleteStandalone' }),
  };

/** The one operation that is set. Throws Refused. */
export function wanted(services: Services, operations: BatchOperations): Wanted {
  const set = Object.keys(UNDERSTOOD).filter(
    // The keys of the table are those of the type.
    (name): name is keyof BatchOperations => operations[name as keyof BatchOperations] !== undefined,
  );
  const [first] = set;
  if (first === undefined) throw invalid(MISSING);
  if (set.length > 1) throw invalid('A batch job has one operation, and several are set.');
  return understood(services, first, operations);
}

function understood<K extends keyof BatchOperations>(services: Services, name: K, operations: BatchOperations): Wanted {
  const given = operations[name];
  if (given === undefined) throw invalid(MISSING);
  // All of them may say who wants it, but that of deleting activities.
  const { identity = '' }: { identity?: string | undefined } = given;
  rules.within(services.limits, 'Identity', identity);
  // TypeScript keeps the line of the table and its argument together only for one key.
  return {
    operation: (UNDERSTOOD[name] as (of: Services, given: Given<K>) => BatchOperation)(services, given),
    identity,
  };
}

const chosen = (services: Services, { activityId, type: activityType, matchAll }: BatchActivities) =>
  choiceOf(services, { activityId, activityType, matchAll });

/** `RESET_TYPE_FIRST_WORKFLOW_TASK` and `RESET_TYPE_LAST_WORKFLOW_TASK` of the API. */
function oldPoint(resetType: number): BatchResetPoint {
  if (resetType === 1) return { at: 'firstWorkflowTask' };
  if (resetType === 2) return { at: 'lastWorkflowTask' };
  throw invalid('Reset type not set on request.');
}

function pointOf(services: Services, options: ResetOptions): BatchResetPoint {
  const { firstWorkflowTask, lastWorkflowTask, workflowTaskId: eventId = 0, buildId = '' } = options;
  const points: BatchResetPoint[] = [];
  if (firstWorkflowTask !== undefined) points.push({ at: 'firstWorkflowTask' });
  if (lastWorkflowTask !== undefined) points.push({ at: 'lastWorkflowTask' });
  if (eventId !== 0) points.push({ at: 'event', eventId });
  if (buildId !== '') {
    rules.within(services.limits, 'BuildId', buildId);
    points.push({ at: 'build', buildId, currentRunOnly: options.currentRunOnly === true });
  }
  const [point] = points;
  if (point === undefined) throw invalid('Reset target not set on request: say to which workflow task.');
  if (points.length > 1) throw invalid('A reset goes back to one point, and several are set.');
  return point;
}
