// Workflows that have come to where a request finds them.

import type { Pair } from '../pair.ts';
import type { Plain, Ref } from '../side.ts';
import { payloads, seconds, taskQueue } from '../values.ts';
import { identity, namespace, type Template } from './template.ts';

const START = 'StartWorkflowExecution';
const POLL = 'PollWorkflowTaskQueue';
const COMPLETE = 'RespondWorkflowTaskCompleted';

export interface Workflow {
  readonly workflowId: string;
  readonly runId: Ref;
  readonly queue: string;
}

export const startOf = (pair: Pair, more: Plain = {}): Plain => ({
  ...{ namespace, identity, workflowId: pair.fresh('wf'), workflowType: { name: 'Type' } },
  ...{ taskQueue: taskQueue(pair.fresh('queue')), requestId: pair.fresh('request'), input: payloads },
  // None runs out while others are asked.
  workflowTaskTimeout: seconds(100),
  ...more,
});

export async function open(pair: Pair, more: Plain = {}): Promise<Workflow> {
  const request = startOf(pair, more);
  const { runId } = await pair.prepare(START, request, ['runId']);
  return {
    workflowId: request.workflowId as string,
    runId: runId as Ref,
    queue: (request.taskQueue as { name: string }).name,
  };
}

export async function polled(pair: Pair, workflow: Workflow): Promise<Ref> {
  const poll = { namespace, identity, taskQueue: taskQueue(workflow.queue) };
  return (await pair.prepare(POLL, poll, ['taskToken'])).taskToken as Ref;
}

export async function atTask(pair: Pair): Promise<Workflow & { token: Ref }> {
  const workflow = await open(pair);
  return { ...workflow, token: await polled(pair, workflow) };
}

export const scheduleActivity = (queue: string, more: Plain = {}): Plain => ({
  commandType: 1,
  scheduleActivityTaskCommandAttributes: {
    ...{ activityId: 'a1', activityType: { name: 'Act' }, taskQueue: taskQueue(queue), input: payloads },
    ...{ startToCloseTimeout: seconds(60), ...more },
  },
});

/** With one activity that waits for a worker. */
export async function withActivity(pair: Pair): Promise<Workflow> {
  const { token, ...workflow } = await atTask(pair);
  await pair.prepare(COMPLETE, { namespace, identity, taskToken: token, commands: [scheduleActivity(workflow.queue)] });
  return workflow;
}

export async function atActivity(pair: Pair): Promise<Workflow & { token: Ref }> {
  const workflow = await withActivity(pair);
  const poll = { namespace, identity, taskQueue: taskQueue(workflow.queue) };
  const { taskToken } = await pair.prepare('PollActivityTaskQueue', poll, ['taskToken']);
  return { ...workflow, token: taskToken as Ref };
}

export async function closed(pair: Pair): Promise<Workflow> {
  const workflow = await open(pair);
  await pair.prepare('TerminateWorkflowExecution', {
    namespace,
    workflowExecution: executionOf(workflow),
    reason: 'done',
  });
  return workflow;
}

/** Has completed its first task, and waits. */
export async function waiting(pair: Pair): Promise<Workflow> {
  const { token, ...workflow } = await atTask(pair);
  const timer = { commandType: 3, startTimerCommandAttributes: { timerId: 't', startToFireTimeout: seconds(3_600) } };
  await pair.prepare(COMPLETE, { namespace, identity, taskToken: token, commands: [timer] });
  return workflow;
}

export const executionOf = ({ workflowId, runId }: Workflow): Plain => ({ workflowId, runId });

export const describe = (workflowId: unknown): readonly [string, Plain] => [
  'DescribeWorkflowExecution',
  { namespace, execution: { workflowId } },
];

export const history = (workflowId: unknown): readonly [string, Plain] => [
  'GetWorkflowExecutionHistory',
  { namespace, execution: { workflowId } },
];

export const shown = (workflowId: unknown): readonly (readonly [string, Plain])[] => [
  describe(workflowId),
  history(workflowId),
];

/** Of a workflow that is there. */
export const on =
  (
    make: (pair: Pair) => Promise<Workflow>,
    field: string,
    more: (workflow: Workflow) => Plain = () => ({}),
  ): Template =>
  async (pair) => {
    const workflow = await make(pair);
    return {
      request: { namespace, identity, [field]: executionOf(workflow), ...more(workflow) },
      after: shown(workflow.workflowId),
    };
  };
