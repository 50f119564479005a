// Of activities: those that workflows have, and those without a workflow.

import type { Pair } from '../pair.ts';
import type { Plain, Ref } from '../side.ts';
import { payloads, seconds, taskQueue } from '../values.ts';
import { atActivity, executionOf, on, withActivity } from './made.ts';
import { identity, namespace, type Template, type Templates } from './template.ts';

async function standalone(pair: Pair): Promise<{ activityId: string; runId: Ref; queue: string }> {
  const request = standaloneOf(pair);
  const { runId } = await pair.prepare('StartActivityExecution', request, ['runId']);
  return {
    activityId: request.activityId as string,
    runId: runId as Ref,
    queue: (request.taskQueue as { name: string }).name,
  };
}

const standaloneOf = (pair: Pair): Plain => ({
  ...{ namespace, identity, requestId: pair.fresh('request'), activityId: pair.fresh('activity') },
  ...{ activityType: { name: 'Act' }, taskQueue: taskQueue(pair.fresh('queue')), input: payloads },
  ...{ startToCloseTimeout: seconds(60), retryPolicy: { maximumAttempts: 3 } },
});

const describeStandalone = (activityId: unknown): readonly (readonly [string, Plain])[] => [
  ['DescribeActivityExecution', { namespace, activityId, includeInput: true, includeOutcome: true }],
];

const onStandalone =
  (more: Plain = {}): Template =>
  async (pair) => {
    const { activityId, runId } = await standalone(pair);
    return { request: { namespace, identity, activityId, runId, ...more }, after: describeStandalone(activityId) };
  };

const activityMask = { paths: ['heartbeat_timeout'] };

export const ACTIVITIES_REQUESTS: Templates = {
  UpdateActivityOptions: on(withActivity, 'execution', () => ({
    ...{ id: 'a1', activityOptions: { heartbeatTimeout: seconds(5) }, updateMask: activityMask },
  })),
  PauseActivity: [
    on(withActivity, 'execution', () => ({ id: 'a1', reason: 'why' })),
    on(atActivity, 'execution', () => ({ id: 'a1' })),
  ],
  UnpauseActivity: on(
    async (pair) => {
      const workflow = await withActivity(pair);
      await pair.prepare('PauseActivity', { namespace, identity, execution: executionOf(workflow), id: 'a1' });
      return workflow;
    },
    'execution',
    () => ({ id: 'a1', jitter: {} }),
  ),
  ResetActivity: on(withActivity, 'execution', () => ({ id: 'a1' })),
  StartActivityExecution: [
    (pair) => {
      const request = standaloneOf(pair);
      return { request, after: describeStandalone(request.activityId) };
    },
    async (pair) => {
      const { activityId } = await standalone(pair);
      return { request: { ...standaloneOf(pair), activityId }, after: describeStandalone(activityId) };
    },
  ],
  DescribeActivityExecution: onStandalone({ includeInput: true, includeOutcome: true }),
  PollActivityExecution: async (pair) => {
    const { activityId, runId } = await standalone(pair);
    await pair.prepare('TerminateActivityExecution', { namespace, identity, activityId, reason: 'why' });
    return { request: { namespace, activityId, runId } };
  },
  ListActivityExecutions: (pair) => ({
    request: { namespace, pageSize: 10, query: `ActivityId = '${pair.fresh('none')}'` },
  }),
  CountActivityExecutions: (pair) => ({ request: { namespace, query: `ActivityId = '${pair.fresh('none')}'` } }),
  RequestCancelActivityExecution: onStandalone({ requestId: 'r', reason: 'why' }),
  TerminateActivityExecution: onStandalone({ requestId: 'r', reason: 'why' }),
  DeleteActivityExecution: onStandalone(),
  PauseActivityExecution: onStandalone({ reason: 'why', requestId: 'r' }),
  ResetActivityExecution: onStandalone({ requestId: 'r' }),
  UnpauseActivityExecution: onStandalone({ reason: 'why', requestId: 'r' }),
  UpdateActivityExecutionOptions: onStandalone({
    activityOptions: { heartbeatTimeout: seconds(5) },
    updateMask: activityMask,
  }),
};
