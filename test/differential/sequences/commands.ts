// What the workflows of a play ask for, in the answers of their worker.

import type { Plain } from '../side.ts';
import { failure, payload, payloads, seconds, taskQueue } from '../values.ts';
import { workflowId, workflowQueue } from './act.ts';
import { type Bodies, namespace, type World } from './world.ts';

/** A keyword, which workflows of plays set. */
export const ATTRIBUTE = 'PlayKeyword';
const LONG = seconds(3_600);

const eventsOf = ([{ history }]: Bodies): readonly Plain[] =>
  (history as { events?: readonly Plain[] } | undefined)?.events ?? [];

function scheduledEventOf(bodies: Bodies, activityId: string): unknown {
  const found = eventsOf(bodies).find(
    (event) => (event.activityTaskScheduledEventAttributes as Plain | undefined)?.activityId === activityId,
  );
  return found?.eventId;
}

const retryPolicy = (maximumAttempts: number): Plain => ({
  ...{ initialInterval: LONG, maximumInterval: LONG, backoffCoefficient: 1, maximumAttempts },
});

/** `kind n`: what a workflow asks for. Nothing, where the history lacks what it is about. */
export function commandsOf(world: World, on: number, bodies: Bodies, text: string): Plain[] {
  const [kind = '', n = '0'] = text.split(' ');
  const queue = taskQueue(workflowQueue(world, on));
  const other = workflowId(world, Number(n));
  switch (kind) {
    case 'activity':
    case 'eagerActivity':
      return [
        {
          commandType: 1,
          scheduleActivityTaskCommandAttributes: {
            requestEagerExecution: kind === 'eagerActivity',
            ...{ activityId: `a${n}`, activityType: { name: `Act${n}` }, taskQueue: queue, input: payloads },
            ...{ startToCloseTimeout: LONG, heartbeatTimeout: seconds(1_000), retryPolicy: retryPolicy(Number(n) + 1) },
          },
        },
      ];
    case 'cancelActivity': {
      const scheduledEventId = scheduledEventOf(bodies, `a${n}`);
      if (scheduledEventId === undefined) return [];
      return [{ commandType: 2, requestCancelActivityTaskCommandAttributes: { scheduledEventId } }];
    }
    case 'timer':
      return [{ commandType: 3, startTimerCommandAttributes: { timerId: `t${n}`, startToFireTimeout: LONG } }];
    case 'shortTimer':
      return [{ commandType: 3, startTimerCommandAttributes: { timerId: 'short', startToFireTimeout: seconds(1) } }];
    case 'cancelTimer':
      return [{ commandType: 6, cancelTimerCommandAttributes: { timerId: `t${n}` } }];
    case 'complete':
      return [{ commandType: 4, completeWorkflowExecutionCommandAttributes: { result: payloads } }];
    case 'fail':
      return [{ commandType: 5, failWorkflowExecutionCommandAttributes: { failure } }];
    case 'cancelWorkflow':
      return [{ commandType: 7, cancelWorkflowExecutionCommandAttributes: { details: payloads } }];
    case 'continueAsNew':
      return [
        {
          commandType: 10,
          continueAsNewWorkflowExecutionCommandAttributes: {
            ...{ workflowType: { name: 'Next' }, taskQueue: queue, input: payloads, workflowTaskTimeout: seconds(100) },
          },
        },
      ];
    case 'marker':
      return [{ commandType: 9, recordMarkerCommandAttributes: { markerName: 'm', details: { a: payloads } } }];
    // As workers keep the outcome of a local activity.
    case 'localActivity':
      return [
        {
          commandType: 9,
          recordMarkerCommandAttributes: {
            ...{ markerName: 'core_local_activity', details: { data: payloads }, header: { fields: { h: payload } } },
            ...(n === '1' && { failure }),
          },
          userMetadata: { summary: payload },
        },
      ];
    case 'upsert': {
      const metadata = { encoding: Buffer.from('json/plain') };
      const indexedFields = { [ATTRIBUTE]: { metadata, data: Buffer.from(n === '0' ? 'null' : `"v${n}"`) } };
      return [
        { commandType: 13, upsertWorkflowSearchAttributesCommandAttributes: { searchAttributes: { indexedFields } } },
      ];
    }
    case 'memo':
      return [
        {
          commandType: 16,
          modifyWorkflowPropertiesCommandAttributes: { upsertedMemo: { fields: { [`k${n}`]: payload } } },
        },
      ];
    case 'child':
      return [
        {
          commandType: 11,
          startChildWorkflowExecutionCommandAttributes: {
            ...{ namespace, workflowId: other, workflowType: { name: 'Child' }, workflowTaskTimeout: seconds(100) },
            ...{ taskQueue: taskQueue(workflowQueue(world, Number(n))), parentClosePolicy: 1 + (on % 3) },
          },
        },
      ];
    case 'signalOther':
    case 'signalChild':
      return [
        {
          commandType: 12,
          signalExternalWorkflowExecutionCommandAttributes: {
            ...{ namespace, execution: { workflowId: other }, signalName: 'external', input: payloads },
            childWorkflowOnly: kind === 'signalChild',
          },
        },
      ];
    case 'cancelOther':
    case 'cancelChild':
      return [
        {
          commandType: 8,
          requestCancelExternalWorkflowExecutionCommandAttributes: {
            ...{ namespace, workflowId: other, reason: 'why', childWorkflowOnly: kind === 'cancelChild' },
          },
        },
      ];
    default:
      throw new Error(`there is no command ${kind}`);
  }
}
